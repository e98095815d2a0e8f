"""Build: a landscape or an optimizer of one's own, from formulas. Fields, computation, picture."""

from __future__ import annotations

import streamlit as st

from descent.field import field
from landscapes.formula import landscape_from_text
from ui import build_stage, words
from ui.build import Kind
from ui.build_controls import landscape_fields, optimizer_fields
from ui.controls import begin
from ui.controls import text as number
from ui.frame import framed
from ui.language import _
from ui.race import Race

ROWS = 12  # of critical points that are listed


def main() -> None:
    build_stage.follow()
    kinds = {"landscape": _("Landscape"), "optimizer": _("Optimizer")}
    begin("build.what", st.session_state.get("building.what", "landscape"))
    what = st.segmented_control(
        _("What to build"),
        list(kinds),
        key="build.what",
        format_func=lambda kind: kinds[kind],
        required=True,
        label_visibility="collapsed",
    )
    st.session_state["building.what"] = what
    if notes := st.session_state.pop("building.notes", []):
        st.warning("  \n".join(words.note(note) for note in notes), icon=":material/info:")
    bench("landscape" if what == "landscape" else "optimizer")


@st.fragment
def bench(kind: Kind) -> None:
    """Fields beside the picture; below them what was found, or on a phone below the picture."""
    with st.container(key="bench"):
        fields, picture, below = st.container(), st.container(), st.container(key="bench_below")
    row = below.container(horizontal=True, gap="small")
    with fields:
        race, right = landscape_fields(row) if kind == "landscape" else optimizer_fields(row)
    if race is None:
        return
    with picture:
        build_stage.show(kind, race)
    with row:
        build_stage.open_in_race(kind, race, disabled=not right)
    if kind == "landscape" and right:
        with below:
            critical_points(race)
    if right:
        build_stage.share(kind, race)
    if st.session_state.pop("building.anew", False):
        st.rerun()


def critical_points(race: Race) -> None:
    """Where the surface is level, and what there is to say about it."""
    landscape = landscape_from_text(race.landscape)
    found = landscape.survey(race.shape)
    missing = build_stage.share_without_value(field(landscape, race.shape).z)
    if missing:
        st.markdown(
            _("The formula has no finite value on {share} of the picture: the surface has a hole there.").format(
                share=missing
            )
        )
    kinds = {"minimum": _("minimum"), "saddle": _("saddle point"), "maximum": _("maximum")}
    special = {"kink": _("minimum on a kink"), "flat": _("flat minimum")}
    points = sorted(found.points, key=lambda p: (list(kinds).index(p.kind), p.value))
    if not points:
        st.markdown(_("No point of this domain has a vanishing gradient."))
        return
    rows = []
    for p in points[:ROWS]:
        mark = "kink" if p.kink else "flat" if p.flat and p.kind == "minimum" else ""
        curvature = "–" if p.kink else ", ".join(number(v) for v in p.eigenvalues)
        rows.append(
            f"| {special.get(mark, kinds[p.kind])} | {words.point(p.point)} | {number(p.value)} | {curvature} |"
        )
    heads = [_("Critical point"), _("at"), _("loss"), _("Hessian eigenvalues")]
    st.markdown("\n".join([f"| {' | '.join(heads)} |", "|---|---|---:|---:|", *rows]))
    if len(points) > ROWS:
        st.caption(_("… and {count} more").format(count=len(points) - ROWS))
    if not landscape.smooth:
        st.caption(_("On kinks only minima are looked for, and only inside the domain."))
    if found.line:
        st.caption(_("The minima form a line or an area; a few of its points are listed."))


if framed():
    main()
