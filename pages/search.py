"""Search: where to put the trials that a budget pays for. Controls, computation, pictures, numbers."""

from __future__ import annotations

import numpy as np
import streamlit as st

from ui import address, race_controls, search_runner, search_stage, stage, words
from ui.frame import framed
from ui.language import _
from ui.search import RUNS, Search
from ui.search_controls import controls, current, follow, look_for, share, shown


def main() -> None:
    before = current()
    shown(before)
    with st.sidebar:
        search = st.session_state.search = controls(before)
    if search != before:
        st.session_state.search_notes = []
    with st.container():
        if sentence := look_for(search):
            st.markdown(sentence)
        if notes := st.session_state.get("search_notes"):
            st.warning("  \n".join(words.note(n) for n in notes), icon=":material/info:")
    if search.show == "layouts":
        layouts(search)
    else:
        halving(search)
    share()


def layouts(search: Search) -> None:
    """The three layouts on one budget, and what to expect of them."""
    place = st.empty()
    square = search_runner.square(search, place)
    drawn, many = search_runner.drawn(search, place), search_runner.repeated(search, place)
    remarks(search, square)
    draw(search, square, search_stage.layouts(search, square, drawn, many))
    offer(search, {name: points for name, (points, _losses) in drawn.items()})
    st.markdown(search_stage.matters(search, square))
    st.markdown(search_stage.table(search, square, drawn, many))
    st.caption(
        _(
            "The nearer to the page's colour, the lower the loss; grey: diverged. The strips show the mean over the "
            "other knob, and where the trials lie. Band: 80 % of the random searches. For its expectation a grid is "
            "shifted at random within its cells. 1 − (1 − p)ⁿ is exact for random search (Bergstra & Bengio, 2012)."
        )
    )


def halving(search: Search) -> None:
    """One search by successive halving, and many against plain random search."""
    place = st.empty()
    square = search_runner.square(search, place)
    one, many = search_runner.halved(search, place), search_runner.duel(search, place)
    remarks(search, square)
    draw(search, square, search_stage.halving(search, square, one, many))
    offer(search, {"halving": one.points})
    left, right = st.columns(2, gap="medium")
    left.markdown(search_stage.ladder_table(search, one))
    right.markdown("  \n".join(search_stage.outcome(search, one, many)))
    right.caption(
        _(
            "Runs go on from where they were judged, so each rung costs only what is new "
            "(Jamieson & Talwalkar, 2016; Li et al., 2018)."
        )
    )


def remarks(search: Search, square: search_runner.Square) -> None:
    """What was done instead of what was asked for."""
    if said := search_stage.remarks(search, square):
        st.info("  \n".join(said))


def draw(search: Search, square: search_runner.Square, moving: dict) -> None:
    """All pictures, on one stage."""
    identity = search_stage.identity(search)
    told = {"kind": "charts", "on_pick": picked}
    stage.show("search_stage", lambda: search_stage.still(search, square), identity, moving, None, went, **told)
    if st.session_state.pop("search_anew", False):
        st.rerun()


def offer(search: Search, points: dict[str, np.ndarray]) -> None:
    """The way to the race from a trial that was clicked."""
    if search.show == "layouts" and search.response != RUNS:
        return
    about, pick, number = st.session_state.get("search_picked", (None, "", 0))
    if about != search or number >= len(points.get(pick, ())):
        st.caption(_("Click a trial to open its run in the race."))
        return
    label, race = search_stage.run_of(search, points[pick][number])
    if st.button(label, icon=":material/sprint:", key="search.open"):
        race_controls.put(race)
        st.session_state.notes = []
        st.switch_page("pages/race.py")


def picked() -> None:
    """A trial was clicked."""
    told = st.session_state.search_stage.pick
    st.session_state.search_picked = (st.session_state.search, str(told["pick"]), int(told["point"]))


def went() -> None:
    """The browser went back or forth; if that led to another page, this one's stage is gone by now."""
    if "search_stage" not in st.session_state:
        return
    if query := address.returned("search", st.session_state.search_stage.address):
        follow(query)
    st.session_state.search_anew = True


if framed():
    main()
