"""The catalogue's cards and the optimizers' family tree: one block of HTML, and the clicks on it.

Cards are a component and no widgets: a hundred of those would make each rerun slow. Links are real links, which open
in a new tab or are copied like any other; a plain click on a card is told to the server instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from descent.landscape import TAGS, Landscape
from descent.optimizer import Optimizer
from figures import style_number
from figures.tree import Member, tree
from landscapes.formula import FormulaLandscape
from optimizers import FAMILIES, OPTIMIZERS
from ui import formulas
from ui.catalogue import ITEMS, OWN, Browse, Item, built, link, opened, race_link, to_address
from ui.language import _, spoken
from ui.race_controls import GLYPHS
from ui.thumbnails import SHEETS, answer, place, stamp

HERE = Path(__file__).resolve().parent


@cache
def _component(name: str) -> Callable[..., Any]:
    return component(
        f"descent_{name}",
        html=f'<div class="descent-{name}"></div>',
        css=(HERE / "gallery.css").read_text("utf-8") if name == "gallery" else None,
        js=(HERE / f"{name}.js").read_text("utf-8"),
        isolate_styles=False,
    )


def _turn(key: str) -> int:
    """A number that makes a message unlike all before it.

    Streamlit would send the second of two equal messages as a reference to the first, which a browser that was
    interrupted may have dropped; then the page breaks ("Cached ForwardMsg MISS").
    """
    turn = st.session_state[f"{key}.turn"] = st.session_state.get(f"{key}.turn", 0) + 1
    return turn


def show(key: str, browse: Browse, on_open: Callable[[], None], on_address: Callable[[], None]) -> None:
    """Draw the cards of what is asked for, and the family tree beside the optimizers.

    Args:
        key: of the component, and of its state in the session.
        browse: what is asked for.
        on_open: called when a card was clicked; `st.session_state[key].open` is the item's id.
        on_address: called when the browser went back or forth; `st.session_state[key].address` is the query.
    """
    own = formulas.items("landscape" if browse.show == "landscapes" else "optimizer")
    data = {"html": html(browse, own), "turn": _turn(key)}
    _component("gallery")(key=key, data=data, on_open_change=on_open, on_address_change=on_address)


def thumbnails(key: str) -> None:
    """Answer a browser that asks for thumbnails. To be called in a fragment of its own."""
    told = st.session_state.get(key)
    asked = told.want if told is not None and isinstance(told.want, dict) else {}
    wanted = [name for name in SHEETS if name in asked.get("sheets", ())]
    theme = "dark" if asked.get("dark") else "light"
    _component("thumbnails")(
        key=key,
        data={"all": list(SHEETS), "theme": theme, "sheets": answer(wanted, theme), "turn": _turn(key)},
        on_want_change=lambda: None,
    )


# ---- HTML --------------------------------------------------------------------------------------------------------


def html(browse: Browse, own: Sequence[Item] = ()) -> str:
    """All that is asked for, family by family; the session's ``own`` formulas first."""
    families = browse.found(own)
    among = {member.id for family in families for member in family.members}
    if not among:
        said = _("Nothing here is like that. Try fewer words, or another tag or family.")
        return f'<p class="none">{escape(said)}</p>'
    parts = [] if browse.show == "landscapes" else [_tree(browse, among)]
    for family in families:
        sign = "" if browse.show == "landscapes" or family.id == OWN else glyph(family.id)
        cards = "".join(_card(browse, member) for member in family.members)
        count = f"<small>{len(family.members)}</small>"
        parts.append(
            f'<section><h3>{sign}{escape(_(family.name))} {count}</h3><div class="cards">{cards}</div></section>'
        )
    return "".join(parts)


def glyph(family: str) -> str:
    """The sign of a family of optimizers: a colour, and a shape that says the same."""
    style = style_number([f.id for f in FAMILIES].index(family))
    return f'<i class="glyph" style="--l:{style.light};--d:{style.dark}">{GLYPHS[style.marker]}</i>'


def _open(browse: Browse, item: str) -> str:
    """What makes a link of a card or of a member of the tree. Formulas are opened where they can be changed."""
    page, query = ("catalogue", to_address(opened(browse, item))) if item in ITEMS else ("build", built(browse, item))
    return f'href="{escape(link(page, query | spoken()))}" data-item="{escape(item)}"'


def _card(browse: Browse, item: Item) -> str:
    name, race, there = escape(_(item.name)), escape(race_link(item, spoken())), escape(_("Race"))
    if isinstance(item, Landscape):
        # Of a formula, what has been found out: nobody waits here for a survey.
        known = not isinstance(item, FormulaLandscape) or item.is_surveyed
        picture = f'<div class="stamp" style="{_stamp(item) if known else ""}"></div>'
        said = item.reference if item.id not in ITEMS else _(item.teaches)
        marks = [_(TAGS[tag]) for tag in TAGS if tag in item.tags] if known else []
    else:
        picture, said = "", _(item.summary) if item.id in ITEMS else item.reference
        parent = [_(OPTIMIZERS[item.parent].name)] if item.parent else []
        marks = [str(item.year), *(f"← {name}" for name in parent)]
    tags = "".join(f"<span>{escape(mark)}</span>" for mark in marks)
    return (
        f'<article>{picture}<a class="open" {_open(browse, item.id)}>{name}</a><p>{escape(said)}</p>'
        f'<footer><div class="tags">{tags}</div><a class="race" href="{race}">{there} ›</a></footer>'
        "</article>"
    )


def _stamp(landscape: Landscape) -> str:
    """The style that shows a landscape's thumbnail."""
    if isinstance(landscape, FormulaLandscape):
        return f"--sheet:url({stamp(landscape, st.context.theme.type or 'light')});--row:0;--rows:1"
    sheet, row, rows = place(landscape)
    return f"--sheet:var(--stamps-{sheet});--row:{row};--rows:{rows}"


def _tree(browse: Browse, among: set[str]) -> str:
    """Who grew out of whom, and what each one added. Those who are not asked for are faint."""
    families = {member.id: family.id for family in FAMILIES for member in family.members}
    places, years = tree([Member(o.id, o.year, o.parent) for o in OPTIMIZERS.values()])
    ticks = "".join(f'<span style="--x:{x:.4f}">{year}</span>' for year, x in years)
    rows = []
    for spot in places:
        rule: Optimizer = OPTIMIZERS[spot.id]
        where = f"--x:{spot.x:.4f};--from:{spot.from_x:.4f};--up:{spot.up};--depth:{spot.depth}"
        adds = f"+ {escape(_(rule.adds))}" if rule.parent else ""
        rows.append(
            f'<li style="{where}"{"" if spot.id in among else " class=faint"} data-id="{rule.id}" '
            f'data-parent="{rule.parent or ""}"><b></b><a {_open(browse, rule.id)} title="{escape(_(rule.summary))}">'
            f"{glyph(families[rule.id])}<strong>{escape(_(rule.name))}</strong> <time>{rule.year}</time> "
            f"<span>{adds}</span></a></li>"
        )
    legend = "".join(f"<span>{glyph(family.id)}{escape(_(family.name))}</span>" for family in FAMILIES)
    title, hint = escape(_("Family tree")), escape(_("what each rule added to the one it grew out of"))
    return (
        f'<section class="tree"><h3>{title} <small>{hint}</small></h3><div class="legend">{legend}</div>'
        f'<div class="years" aria-hidden="true">{ticks}</div>'
        f"<ul>{''.join(rows)}</ul></section>"
    )
