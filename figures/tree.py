"""A family tree, laid out: one row for each member, years to the right, children below their parent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Member(NamedTuple):
    """One of a family; ``parent`` is the id of another, or None for who began a line."""

    id: str
    year: int
    parent: str | None = None


class Place(NamedTuple):
    """Where a member stands. ``x`` and ``from_x`` are in [0, 1], its own and its parent's."""

    id: str
    row: int
    depth: int
    x: float
    from_x: float
    up: int  # rows up to its parent; 0 for who has none


def tree(members: Sequence[Member]) -> tuple[list[Place], list[tuple[int, float]]]:
    """The places in the order of the rows, and the years with their x.

    Every year that somebody has takes the same room, however far it is from the next: most of these families grew up in
    a few years after decades with hardly a member. Who comes from a parent of the same year stands half a year after
    it. No line between parent and child crosses another, or a row that is not between the two.
    """
    years = sorted({member.year for member in members})
    room = max(len(years) - 1, 1)
    children: dict[str | None, list[Member]] = {}
    for member in sorted(members, key=lambda m: m.year):
        children.setdefault(member.parent, []).append(member)
    places: list[Place] = []

    def settle(siblings: Iterable[Member], parent: Place | None) -> None:
        for member in siblings:
            x = years.index(member.year) / room
            if parent is not None:
                x = max(x, parent.x + 0.5 / room)
            row = len(places)
            place = Place(
                member.id,
                row,
                parent.depth + 1 if parent else 0,
                x,
                parent.x if parent else x,
                row - parent.row if parent else 0,
            )
            places.append(place)
            settle(children.get(member.id, ()), place)

    settle(children.get(None, ()), None)
    return places, [(year, i / room) for i, year in enumerate(years)]
