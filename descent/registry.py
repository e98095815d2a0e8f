"""Collecting the declarations of a package's family modules: one entry there is all that a new one needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple


class Family(NamedTuple):
    """A module of declarations under the name that people read."""

    id: str
    name: str
    members: tuple[Any, ...]


def collect(modules: Iterable[ModuleType]) -> tuple[Mapping[str, Any], tuple[Family, ...]]:
    """All declarations by id in reading order, and the families they come in.

    Each module has ``FAMILY`` (its name) and ``MEMBERS``. Raises ``ValueError`` when two share an id.
    """
    families = tuple(Family(m.__name__.rpartition(".")[2], m.FAMILY, tuple(m.MEMBERS)) for m in modules)
    by_id: dict[str, Any] = {}
    for family in families:
        for member in family.members:
            if member.id in by_id:
                raise ValueError(f"two declarations share the id {member.id!r}")
            by_id[member.id] = member
    return MappingProxyType(by_id), families
