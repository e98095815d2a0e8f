"""What the catalogue shows: which half of it, which part of that, and who is looked at. It is the URL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from urllib.parse import urlencode

from descent.landscape import TAGS, Landscape
from descent.optimizer import Optimizer
from descent.registry import Family
from descent.spec import Values
from descent.text import _
from landscapes import FAMILIES as LANDSCAPE_FAMILIES
from landscapes import LANDSCAPES
from optimizers import FAMILIES as OPTIMIZER_FAMILIES
from optimizers import OPTIMIZERS
from ui.language import LANGUAGES, catalogue
from ui.race import Lane, Note, Race, to_query

Item = Landscape | Optimizer
SHOWN: Mapping[str, str] = {"landscapes": _("Landscapes"), "optimizers": _("Optimizers")}
FAMILIES: Mapping[str, tuple[Family, ...]] = {"landscapes": LANDSCAPE_FAMILIES, "optimizers": OPTIMIZER_FAMILIES}
ITEMS: Mapping[str, Item] = {**LANDSCAPES, **OPTIMIZERS}
LONGEST = 80  # characters of a search
OWN = "own"  # the family of formulas


@dataclass(frozen=True)
class Browse:
    """Everything that a view of the catalogue depends on; an empty string chooses nothing."""

    show: str = "landscapes"
    search: str = ""
    tag: str = ""
    family: str = ""
    item: str = ""

    def found(self, own: Sequence[Item] = ()) -> list[Family]:
        """The families with those of their members that are asked for; without those of which none is.

        ``own`` are formulas of the session's user, which come first.
        """
        return [
            family._replace(members=members)
            for family in (Family(OWN, _("My formulas"), tuple(own)), *FAMILIES[self.show])
            if self.family in ("", family.id) and (members := tuple(m for m in family.members if self._asks(m)))
        ]

    def _asks(self, item: Item) -> bool:
        tagged = not self.tag or (isinstance(item, Landscape) and self.tag in item.tags)
        said = words_of(item.id) if item.id in ITEMS else f"{item.name}\n{item.reference}".casefold()
        return tagged and all(word in said for word in self.search.casefold().split())


@cache
def words_of(item: str) -> str:
    """All that is written about an item, in every language: what a search looks through."""
    found = ITEMS[item]
    family = next(f for families in FAMILIES.values() for f in families if found in f.members)
    if isinstance(found, Landscape):
        said = [found.teaches, *(TAGS[tag] for tag in found.tags)]
    else:
        said = [found.summary, found.adds, str(found.year)]
    said += [found.id, found.id.replace("_", " "), found.name, found.reference, family.name]
    texts = {catalogue(language).gettext(text) for language in LANGUAGES for text in said if text}
    return "\n".join(sorted(texts)).casefold()


# ---- URL ---------------------------------------------------------------------------------------------------------


def to_address(browse: Browse) -> dict[str, str]:
    """The view as flat text, without what is not chosen."""
    query = {key: getattr(browse, key) for key in ("search", "tag", "family", "item")}
    shown = {} if browse.show == Browse.show or browse.item else {"show": browse.show}
    return shown | {key: value for key, value in query.items() if value}


def from_address(query: Mapping[str, str]) -> tuple[Browse, list[Note]]:
    """The view that a URL asks for, and notes on what of it could not be used."""
    notes: list[Note] = []

    def choice(key: str, allowed: Mapping[str, Any] | set[str], default: str = "") -> str:
        given = query.get(key, default)
        if given in allowed or given == default:
            return given
        notes.append(Note(key, given[:40], _("one of {choices}"), {"choices": ", ".join(sorted(allowed))}))
        return default

    item = query.get("item", "")
    if item and item not in ITEMS:
        notes.append(Note("item", item[:40], _("the id of a landscape or an optimizer")))
        item = ""
    show = side(item) if item else choice("show", SHOWN, Browse.show)
    return Browse(
        show,
        query.get("search", "")[:LONGEST],
        choice("tag", set(TAGS)) if show == "landscapes" else "",
        choice("family", {family.id for family in FAMILIES[show]}),
        item,
    ), notes


def side(item: str) -> str:
    """Which half of the catalogue an item is in."""
    return "landscapes" if item in LANDSCAPES else "optimizers"


def link(page: str, query: Mapping[str, str]) -> str:
    """A link to another page of the app, relative to this one: it holds wherever the app is served."""
    return f"{page}?{urlencode(query)}" if query else page


# ---- races -------------------------------------------------------------------------------------------------------

# Where the rules of a family are at home: a surface on which one sees what they are for.
HOME: Mapping[str, str] = {
    "gradient": "booth",
    "momentum": "ellipse",
    "adaptive": "sphere_weighted",
    "adam": "himmelblau",
    "layerwise": "booth",
    "sign": "sphere_weighted",
    "curvature": "rosenbrock",
    "sharpness": "sharp_and_flat",
    "averaging": "ellipse",
    "parameter_free": "himmelblau",
    "matrix": "ellipse",
}
USUAL = ("sgd", "momentum", "rmsprop", "adam")


def lane(optimizer: Optimizer, landscape: Landscape, steps: int = Race.steps) -> Lane:
    """A runner whose learning rate suits the surface: what its knob stands for decides how.

    Where that is the length of a step, ``steps`` of them would cross the surface twice.
    """
    rate = next((hyper for hyper in optimizer.hypers if hyper.name == "learning_rate"), None)
    if rate is None or rate.default == 1:  # a factor on a step that the rule finds itself
        return Lane(optimizer.id)
    (low, high), _other = landscape.domain
    # A knob that goes down that far multiplies gradients, which may be large; others are lengths of steps.
    value = landscape.rate if rate.low <= 1e-7 else float(f"{2 * (high - low) / steps:.0e}")
    value = min(max(value, rate.low), rate.high)
    return Lane(optimizer.id, Values({} if value == rate.default else {"learning_rate": value}))


def race_of(item: Item) -> Race:
    """The usual runners on a landscape; an optimizer beside its parent on a surface of its family."""
    if isinstance(item, Landscape):
        return Race(item.id, lanes=tuple(lane(OPTIMIZERS[name], item) for name in USUAL))
    family = next((f.id for f in OPTIMIZER_FAMILIES if item in f.members), OWN)
    landscape, parent = LANDSCAPES[HOME.get(family, "rosenbrock")], "adam" if family == OWN else item.parent
    runners = [item, *([OPTIMIZERS[parent]] if parent else [])]
    return Race(landscape.id, lanes=tuple(lane(runner, landscape) for runner in runners))


def race_link(item: Item, more: Mapping[str, str]) -> str:
    """The link to an item's race; ``more`` stands in the address too (the language)."""
    return link("race", to_query(race_of(item)) | dict(more))


def children(optimizer: Optimizer) -> Iterator[Optimizer]:
    """The rules that grew out of this one."""
    return (other for other in OPTIMIZERS.values() if other.parent == optimizer.id)


def built(browse: Browse, item: str) -> dict[str, str]:
    """What the build page is asked for a formula in this half of the catalogue."""
    return {"landscape" if browse.show == "landscapes" else "optimizer": item}


def opened(browse: Browse, item: str) -> Browse:
    """The view with an item looked at, in the half of the catalogue where it is."""
    if item and side(item) != browse.show:
        return Browse(side(item), item=item)
    return replace(browse, item=item)
