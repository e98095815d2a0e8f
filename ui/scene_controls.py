"""What the sidebars of several pages have in common. ``key`` stands before the names of a page's widgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

import landscapes
from descent.landscape import TAGS
from descent.spec import Values
from schedules import SCHEDULES
from ui.controls import begin, knob, knobs, pick
from ui.formulas import landscape_names
from ui.language import _
from ui.race import CLIP_AT, CLIPS, FAR, NOISE, SEED, Race


def forget_start(key: str) -> None:
    """Let the fields of the start begin anew."""
    for axis in ("x", "y"):
        st.session_state.pop(f"{key}{axis}", None)


def ground(key: str, race: Race, change: Callable[[str], None]) -> Race:
    """The landscape with its knobs, and the start; ``change`` is told of another landscape."""
    names = landscape_names(race.landscape)

    def changed() -> None:
        chosen = st.session_state.get(f"{key}landscape")
        if chosen in names:
            change(chosen)

    begin(f"{key}landscape", race.landscape)
    st.selectbox(_("Landscape"), [*names], key=f"{key}landscape", format_func=lambda i: names[i], on_change=changed)
    landscape = landscapes.find(race.landscape)
    tags = " · ".join(_(TAGS[tag]) for tag in TAGS if tag in landscape.tags)
    st.caption(f"{_(landscape.teaches)}  \n*{tags}*" if tags else _(landscape.teaches))
    shape = knobs(landscape.hypers, race.shape, f"{key}{landscape.id}")
    return start(key, replace(race, shape=shape))


def on_landscape(race: Race, landscape: str) -> Race:
    """The race on another landscape, from that one's start."""
    return replace(race, landscape=landscape, shape=Values(), start=None, situation="")


def start(key: str, race: Race) -> Race:
    """Two fields for the start."""
    point = []
    for column, axis, value in zip(st.columns(2), ("x", "y"), race.begin, strict=True):
        begin(f"{key}{axis}", float(value))
        label = _("Start {axis}").format(axis=axis)
        help_text = _("Or drag the ring on the contour; with the ring in focus, arrow keys move it.")
        point.append(column.number_input(label, -FAR, FAR, key=f"{key}{axis}", step=0.1, format="%.6g", help=help_text))
    usual = landscapes.find(race.landscape).start
    return replace(race, start=None if tuple(point) == usual else (point[0], point[1]))


def conditions(key: str, race: Race, scheduled: bool = True) -> Race:
    """What the runs go through: noise, clipping, and, unless each has its own, the schedule."""
    noise = knob(NOISE, race.noise, f"{key}noise")
    seed = knob(SEED, race.seed, f"{key}seed", disabled=noise == 0)
    clips = {name: _(words) for name, words in CLIPS.items()}
    clip = pick(_("Gradient clipping"), list(CLIPS), clips, race.clip, f"{key}clip")
    clip_at = knob(CLIP_AT, race.clip_at, f"{key}clip_at", disabled=clip == "off")
    race = replace(race, noise=noise, seed=int(seed), clip=clip, clip_at=clip_at)
    if not scheduled:
        return race
    name, values = schedule(key, race.schedule, race.schedule_hyper)
    return replace(race, schedule=name, schedule_hyper=values)


def schedule(key: str, chosen: str, values: Values, none: str = "") -> tuple[str, Values]:
    """A learning-rate schedule and its knobs. With a word for it, it may be ``none``, whose name is empty."""
    names = ({"": none} if none else {}) | {name: _(schedule.name) for name, schedule in SCHEDULES.items()}
    name = pick(_("Learning-rate schedule"), list(names), names, chosen, f"{key}schedule")
    hypers = SCHEDULES[name].hypers if name else ()
    return name, knobs(hypers, values if name == chosen else Values(), f"{key}{name}")


def projector(key: str, race: Race) -> Race:
    """Thick lines and large type."""
    begin(f"{key}projector", race.projector)
    return replace(race, projector=st.toggle(_("Projector: thick lines, large type"), key=f"{key}projector"))
