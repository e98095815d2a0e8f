"""Build: a landscape or an optimizer of one's own, from formulas. Fields, computation, picture."""

from __future__ import annotations

import streamlit as st

from descent.field import field
from landscapes.formula import FormulaLandscape
from ui import build, build_stage, words
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
    for note in st.session_state.pop("building.notes", []):
        st.warning(words.note(note), icon=":material/info:")
    if what == "landscape":
        landscape_bench()
    else:
        optimizer_bench()


@st.fragment
def landscape_bench() -> None:
    """Fields and critical points on the left, surface and runs on the right."""
    fields, picture = st.columns([3, 7], gap="medium")
    with fields:
        landscape, shape = landscape_fields()
    if landscape is not None:
        st.session_state["building.race"] = build.landscape_race(landscape, shape)
    race: Race | None = st.session_state.get("building.race")
    if race is None:
        return
    with picture:
        build_stage.show("build.stage.landscape", race)
    with fields:
        build_stage.open_in_race("landscape", race, disabled=landscape is None)
        if landscape is not None:
            critical_points(landscape, race)
    if landscape is not None:
        build_stage.share("landscape", race)


def critical_points(landscape: FormulaLandscape, race: Race) -> None:
    """Where the surface is level, and what there is to say about it."""
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
    if found.line:
        st.caption(_("The minima form a line or an area; a few of its points are listed."))


@st.fragment
def optimizer_bench() -> None:
    """Fields on the left, the race against the built-in rule on the right."""
    fields, picture = st.columns([3, 7], gap="medium")
    with fields:
        optimizer, values = optimizer_fields()
    if optimizer is not None:
        st.session_state["building.duel"] = build.rule_race(build.rule(), build.ground(), values)
    race: Race | None = st.session_state.get("building.duel")
    if race is None:
        return
    with picture:
        build_stage.show("build.stage.optimizer", race)
    with fields:
        build_stage.open_in_race("optimizer", race, disabled=optimizer is None)
    if optimizer is not None:
        build_stage.share("optimizer", race)


if framed():
    main()
