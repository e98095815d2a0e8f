"""A map in plain values, which is its address: the race's, the kind of map, and the settings of that kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from descent.text import _
from ui import race
from ui.maps import KINDS, find
from ui.maps.kind import Kind, Settings
from ui.race import Note, Race, Reader

MAP = "map"
OWN = f"{MAP}."  # before the names of a map's own settings


@dataclass(frozen=True)
class View:
    """Which map is looked at. ``said`` are its settings that were made, and not those at their default."""

    kind: str = KINDS[0].id
    said: Settings = field(default_factory=Settings)

    def settings(self, scene: Race) -> Settings:
        """All settings, in a scene in which they need not mean what they meant in another."""
        plain: dict[str, Any] = {OWN + name: value for name, value in self.said.items()}
        return _read(Reader(scene, ()), find(self.kind), plain, scene)


def to_query(scene: Race, view: View) -> dict[str, str]:
    """The scene and the map as flat text."""
    own = {OWN + name: value if isinstance(value, str) else race.as_text(value) for name, value in view.said.items()}
    return race.to_query(scene) | ({MAP: view.kind} if view.kind != View().kind else {}) | own


def from_query(query: Mapping[str, str], fallback: Race) -> tuple[Race, View, list[Note]]:
    """The scene and the map that an address asks for, and notes on what of it could not be used."""
    own: dict[str, Any] = {key: value for key, value in query.items() if key == MAP or key.startswith(OWN)}
    rest = {key: value for key, value in query.items() if key not in own and key != "situation"}
    scene, notes = race.from_query(rest, fallback)
    reader = Reader(scene, ())
    kind = find(reader.choice(own, MAP, [kind.id for kind in KINDS], View().kind))
    settings = _read(reader, kind, own, scene)
    for key, value in own.items():
        reader.note(key, value, _("nothing of this name is known"))
    return scene, View(kind.id, made(kind, settings, scene)), [*notes, *reader.notes]


def _read(reader: Reader, kind: Kind, plain: dict[str, Any], scene: Race) -> Settings:
    """All settings of a kind: those in ``plain`` that can be used, which are taken out of it, and defaults."""
    chosen = {c.name: reader.choice(plain, OWN + c.name, c.options, c.default) for c in kind.choices(scene)}
    numbers = {h.name: reader.number(plain, OWN + h.name, h, h.default) for h in kind.knobs(scene, chosen)}
    return Settings({**chosen, **numbers})


def made(kind: Kind, settings: Settings, scene: Race) -> Settings:
    """The settings that are not at their default."""
    chosen = {c.name: settings.choice(c.name) for c in kind.choices(scene)}
    usual = {c.name: c.default for c in kind.choices(scene)} | {h.name: h.default for h in kind.knobs(scene, chosen)}
    return Settings({name: value for name, value in settings.items() if value != usual[name]})
