"""What a kind of map is: a question about a scene that many runs at once answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from descent.hyper import Hyper
from ui.race import Race


class Settings(dict[str, "str | float"]):
    """A map's own settings by name, all of them: a mapping that can be hashed. Do not mutate."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def choice(self, name: str) -> str:
        """What is chosen."""
        return str(self[name])

    def number(self, name: str) -> float:
        """What a knob is set to."""
        return float(self[name])


@dataclass(frozen=True)
class Choice:
    """One of several things, by id; ``options`` says how each is called."""

    name: str
    label: str
    help: str
    options: Mapping[str, str]
    default: str


def _no_choices(_race: Race) -> tuple[Choice, ...]:
    return ()


def _no_knobs(_race: Race, _chosen: Mapping[str, str]) -> tuple[Hyper, ...]:
    return ()


@dataclass(frozen=True)
class Kind:
    """A kind of map, declared once. Its widgets, its part of the address and its notes follow from the declaration.

    ``show(race, settings)`` computes (`ui.maps.work`) and draws, within a fragment of its own. ``choices(race)`` and
    ``knobs(race, chosen)`` are what can be set beside the scene; what there is may depend on the scene, and of the
    knobs on what was chosen.
    """

    id: str
    name: str
    explains: str
    show: Callable[[Race, Settings], None]
    choices: Callable[[Race], tuple[Choice, ...]] = _no_choices
    knobs: Callable[[Race, Mapping[str, str]], tuple[Hyper, ...]] = _no_knobs
