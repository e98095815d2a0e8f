"""The race: optimizers on a surface, live. Controls, computation, picture."""

from __future__ import annotations

import streamlit as st

from landscapes import find
from ui import address, live, live_stage, race_stage, stage, words
from ui.frame import framed
from ui.language import _
from ui.race_controls import controls, current, follow, look_for, move_start, read, share, turn
from ui.race_export import exports
from ui.runner import ready, run_all


def main() -> None:
    before = current()
    race = st.session_state.race = read(before)
    if race != before:
        st.session_state.notes = []
    # A place of its own for what comes and goes: were the stage to change its place, the browser would build it anew.
    with st.container():
        said()
    # The picture first, where it is at hand: paths follow a slider without waiting for the sidebar to be drawn anew.
    parts = [picture, sidebar] if ready(race) else [sidebar, picture]
    for part in parts:
        part()
    share()
    exports(race)


def sidebar() -> None:
    """All controls."""
    with st.sidebar:
        controls(st.session_state.race)


def said() -> None:
    """What to look for, and what was ignored."""
    race = st.session_state.race
    if sentence := look_for(race):
        st.markdown(sentence)
    if notes := st.session_state.get("notes"):
        st.warning("  \n".join(words.note(n) for n in notes), icon=":material/info:")
    (x0, x1), (y0, y1) = find(race.landscape).domain
    x, y = race.begin
    if not (x0 <= x <= x1 and y0 <= y <= y1):
        text = _("The start {point} lies outside the plot; arrows at its edge point to the runners.")
        st.info(text.format(point=words.point(race.begin)))


@st.fragment
def picture() -> None:
    """The stage, in a fragment: dragging the start reruns nothing else."""
    race = st.session_state.race
    runs = run_all(race, st.empty())
    moving = race_stage.moving(race, runs)
    if (step := address.asked_step()) is not None:
        moving["step"] = step
    moving["knobs"] = live.menu(race)
    if (question := st.session_state.pop("asked", None)) and (found := live_stage.packet(race, *question)):
        moving["live"] = found[0]
    stage.show(
        "stage",
        lambda: race_stage.still(race),
        race_stage.identity(race),
        moving,
        dragged,
        went,
        answer=live_stage.answers(race),
        on_knob=turned,
        on_asked=asked,
    )
    if st.session_state.pop("all_anew", False):
        st.rerun()


def dragged() -> None:
    """A start point arrived from the stage."""
    told = st.session_state.stage.start
    x, y = (float(v) for v in told["point"])
    move_start((x, y))
    st.session_state.all_anew = bool(told["done"])


def turned() -> None:
    """The live knob was let go on the stage."""
    told = st.session_state.stage.knob
    knob = live.find(st.session_state.race, str(told["knob"]))
    if knob and told["value"] in knob.stops:
        turn(knob.turn(float(told["value"])), knob.widgets)
        st.session_state.all_anew = True


def asked() -> None:
    """A stage that has no line of its own asks about the live knob."""
    question = st.session_state.stage.asked
    st.session_state.asked = str(question["knob"]), str(question["have"])


def went() -> None:
    """The browser went back or forth."""
    follow(address.returned("race", st.session_state.stage.address))
    st.session_state.all_anew = True


if framed():
    main()
