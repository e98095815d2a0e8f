"""Studies on the stage: charts side by side, a line for each runner, and the way from a point to its run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from threading import Event
from typing import Any, NamedTuple, TypeVar

import streamlit as st

from descent.engine import Progress
from lessons.situations import SITUATIONS
from ui import race_controls, stage
from ui.language import _, language
from ui.race import Race
from ui.race_controls import lane_names, styles

MOST = 8  # runners that a chart shows
PICKED = "maps.picked"

Item = TypeVar("Item")
Found = TypeVar("Found")


class Panel(NamedTuple):
    """One chart: how many of the stage's 20 columns it takes, and its height in CSS."""

    name: str
    figure: dict[str, Any]
    alt: str
    wide: int = 20
    tall: str = "max(300px, calc(100vh - 310px))"
    below: Callable[[], dict[str, Any]] | None = None  # makes what rests of it, and is sent once


class Offer(NamedTuple):
    """A race that can be opened, and what its button says."""

    label: str
    race: Race


class GivenUp(Exception):
    """Nobody waits for this work any more."""


def about(race: Race) -> Race:
    """What of a scene its runs depend on: how it is shown is left out."""
    return replace(race, situation="", axis="log", projector=False)


def each(work: Callable[[Item, Progress], Found], items: Sequence[Item], progress: Progress) -> list[Found]:
    """``work`` on each of a few items, two at a time: what takes long is compiling, one rule a core.

    ``work`` is handed an item and a progress of its own; ``progress`` is told the mean, in the thread that called. If
    that raises, so do those of the items, and no more is begun.
    """
    shares, given_up = [0.0] * len(items), Event()

    def part(number: int) -> Progress:
        def told(share: float) -> None:
            shares[number] = share
            if given_up.is_set():
                raise GivenUp

        return told

    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(work, item, part(number)) for number, item in enumerate(items)]
        try:
            while wait(futures, timeout=0.05).not_done:
                done = [1.0 if future.done() else share for future, share in zip(futures, shares, strict=True)]
                progress(sum(done) / len(done))
        except BaseException:
            given_up.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [future.result() for future in futures]


def lines(race: Race, said: Sequence[str]) -> None:
    """A line of Markdown for each runner, in its look, as many side by side as there is room for."""
    race_controls.look(styles(race), "study-look")
    with st.container(horizontal=True, gap="medium", key="study_lines"):
        for number, (name, line) in enumerate(zip(lane_names(race), said, strict=True)):
            with st.container(key=f"study.look.{number}", width="content"):
                st.markdown(f"**{name}** {line}")


def spans(count: int) -> list[int]:
    """How many of the stage's 20 columns each of a few charts in a row takes."""
    return [20 * (k + 1) // count - 20 * k // count for k in range(count)]


def says(text: str) -> None:
    """A sentence on all runners together."""
    st.container(key="study_says").markdown(text)


def show(
    key: str,
    race: Race,
    panels: Sequence[Panel],
    offer: Callable[[Any, Any], Offer],
    *,
    identity: Any = None,
    hint: str,
    situations: Sequence[str] = (),
) -> None:
    """Draw charts, and below them what can be opened in the race.

    Args:
        key: of the component, and of its state in the session.
        race: what the charts are about.
        panels: the charts.
        offer: the run of a point that was clicked, by its trace's ``pick`` and its number.
        identity: plain values that determine what lies below the panels.
        hint: what is said as long as nothing was clicked.
        situations: ids of scenes in which there is much to see.
    """

    def picked() -> None:
        told = st.session_state[key].pick
        st.session_state[PICKED] = (key, race, told["pick"], told["point"])

    def went() -> None:
        st.session_state["maps.went"] = st.session_state[key].address

    def still() -> dict[str, Any]:
        figures = {panel.name: panel.below() for panel in panels if panel.below}
        return {"figures": figures, "look": {"projector": race.projector}}

    charts = [
        {
            "name": panel.name,
            "wide": panel.wide,
            "tall": panel.tall,
            "rest": panel.name,
            "alt": panel.alt,
            **panel.figure,
        }
        for panel in panels
    ]
    seen = ["charts", key, identity, race.projector, language()]
    stage.show(key, still, seen, {"charts": charts}, None, went, kind="charts", on_pick=picked)
    with st.container(horizontal=True, vertical_alignment="center", key="study_below"):
        _opened(key, race, offer, hint)
        suggest(race, situations)


def _opened(key: str, race: Race, offer: Callable[[Any, Any], Offer], hint: str) -> None:
    where, about, pick, point = st.session_state.get(PICKED, ("", None, None, None))
    if (where, about) != (key, race):
        st.caption(hint)
        return
    label, chosen = offer(pick, point)
    if st.button(label, icon=":material/sprint:", key="map.picked"):
        race_controls.put(chosen)
        st.session_state.notes = []
        st.switch_page("pages/race.py")


def suggest(race: Race, situations: Sequence[str]) -> None:
    """Buttons that lead to other scenes, by the ids of their situations."""
    for situation in (s for s in SITUATIONS if s.id in situations and s.id != race.situation):
        label = _("Show: {scene}").format(scene=_(situation.name))
        st.button(label, type="tertiary", key=f"map.show.{situation.id}", on_click=_stage, args=(situation.id,))


def _stage(id: str) -> None:
    race_controls.put(race_controls.staged(next(s for s in SITUATIONS if s.id == id)))
    st.session_state["maps.anew"] = True


def nobody(race: Race) -> bool:
    """Is there no runner? Then the page says so."""
    if not race.lanes:
        st.info(_("Nobody is running. Add an optimizer on the left."))
    return not race.lanes
