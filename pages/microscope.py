"""The microscope: one step, explained. Controls, computation, picture and equations."""

from __future__ import annotations

import streamlit as st

import optimizers
from descent.microscope import Anatomy
from figures import shares as shares_chart
from ui import address, microscope_stage, microscope_text, stage, words
from ui.frame import framed
from ui.language import _
from ui.microscope import Scope
from ui.microscope_controls import controls, current, follow, fork_controls, fork_here, move_start, share
from ui.microscope_runner import examine, random_hessians


def main() -> None:
    before = current()
    with st.sidebar:
        st.session_state.scope = controls(before)
    if st.session_state.scope != before:
        st.session_state.scope_notes = []
    with st.container():
        if notes := st.session_state.get("scope_notes"):
            st.warning("  \n".join(words.note(n) for n in notes), icon=":material/info:")
    step()
    why_saddles()


@st.fragment
def step() -> None:
    """Picture and equations, in a fragment: dragging the start and turning the fork's knob rerun nothing else."""
    left, right = st.columns([31, 20], gap="medium")
    waiting = left.empty()
    with right:
        formulas = st.container(key="slots")
        scope = st.session_state.scope = fork_controls(st.session_state.scope)
    anatomy, other = examine(scope, waiting)
    with formulas:
        explain(scope, anatomy)
    with right:
        if other is not None:
            st.container(key="slots_fork").markdown(microscope_text.futures(anatomy, other))
        with st.container(key="claims"):
            claims(scope, anatomy)
    with left:
        moving = microscope_stage.moving(scope, anatomy, other)
        if (asked := address.asked_step()) is not None:
            moving["step"] = asked
        identity = microscope_stage.identity(scope)
        told = {"kind": "microscope", "on_fork": forked}
        stage.show("scope_stage", lambda: microscope_stage.still(scope), identity, moving, dragged, went, **told)
    if st.session_state.pop("scope_dragged", False):
        return  # the address waits until the drag is over
    share()
    if st.session_state.pop("scope_anew", False):
        st.rerun()


def explain(scope: Scope, anatomy: Anatomy) -> None:
    """Equations with their numbers, and the surface at the point."""
    optimizer = optimizers.find(scope.lane.optimizer)
    st.markdown(microscope_text.heading(scope))
    if form := microscope_text.unified_form(scope, anatomy):
        st.latex(form)
    if note := microscope_text.notes_on_form(scope, anatomy):
        st.caption(note)
    st.latex(optimizer.equations)
    st.latex(microscope_text.own_numbers(scope, anatomy))
    st.markdown(microscope_text.curvature(scope))


def claims(scope: Scope, anatomy: Anatomy) -> None:
    """What is said of such rules, and whether it is so here."""
    for holds, claim, evidence in microscope_text.claims(scope, anatomy):
        mark = ":green[:material/check_circle:]" if holds else ":orange[:material/cancel:]"
        st.markdown(f"{mark} {claim} :gray[({evidence})]")


def why_saddles() -> None:
    """The study of random Hessians, computed when it is opened."""
    drawer = st.expander(_("Why saddles, not minima, fill high dimensions"), on_change="rerun", key="why_saddles")
    if not drawer.open:
        return
    with drawer:
        found, exact = random_hessians()
        labels = (_("dimension n"), _("share"), _("measured ± 2σ"), _("exact"), _("exp(−n² ln 3 / 4)"))
        st.plotly_chart(shares_chart(*found, exact, words=labels), key="shares", config={"displayModeBar": False})
        st.markdown(microscope_text.saddles())


def dragged() -> None:
    """A start point arrived from the stage."""
    told = st.session_state.scope_stage.start
    x, y = (float(v) for v in told["point"])
    move_start((x, y))
    st.session_state.scope_anew = bool(told["done"])
    st.session_state.scope_dragged = not told["done"]


def forked() -> None:
    """The stage asked for a fork."""
    fork_here(int(st.session_state.scope_stage.fork["step"]))


def went() -> None:
    """The browser went back or forth."""
    follow(address.returned("microscope", st.session_state.scope_stage.address))
    st.session_state.scope_anew = True


if framed():
    main()
