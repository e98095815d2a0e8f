"""An opened card: all that is declared about a landscape or an optimizer, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import streamlit as st

from descent.hyper import Hyper
from descent.landscape import TAGS, Landscape, Minimum
from descent.optimizer import Optimizer
from optimizers import OPTIMIZERS
from ui import words
from ui.catalogue import Item, children, race_link
from ui.controls import text
from ui.language import _, spoken
from ui.thumbnails import picture

LISTED = 6  # minima
WIDE = 640  # pixels of the drawer


def show(item: Item) -> str | None:
    """The whole card. Returns the id of a relative that was asked for."""
    race = _("Open in the race")
    st.markdown(f'<a href="{race_link(item, spoken())}" target="_self">{race} ›</a>', unsafe_allow_html=True)
    if isinstance(item, Landscape):
        _landscape(item)
        return None
    return _optimizer(item)


def _landscape(landscape: Landscape) -> None:
    st.image(picture(landscape.id, st.context.theme.type or "light"), width="stretch")
    (x0, x1), (y0, y1) = landscape.domain
    st.caption(
        _(
            "x from {x0} to {x1}, y from {y0} to {y1}; low ground has the page's colour, dots are the lowest minima"
        ).format(x0=text(x0), x1=text(x1), y0=text(y0), y1=text(y1))
    )
    st.markdown(_(landscape.teaches))
    st.latex(landscape.formula)
    tags = [_(TAGS[tag]) for tag in TAGS if tag in landscape.tags]
    _facts([(_("Tags"), words.join(tags)), (_("Minima"), minima(landscape)), (_("Saddle points"), saddles(landscape))])
    _knobs(landscape.hypers)
    _facts([(_("Reference"), landscape.reference)])


def minima(landscape: Landscape) -> str:
    """Where the minima at the default knobs are and how deep, as Markdown; or why there is nothing to list."""
    if landscape.unbounded and not landscape.minima:
        return _("none: the loss falls without end")
    lowest = min((m.value for m in landscape.minima), default=None)
    if lowest is None:
        return _("not known")

    def one(minimum: Minimum) -> str:
        said = f"{words.point(minimum.point)}: {text(minimum.value)}"
        notes = [_("on a kink")] if minimum.kink else []
        notes += [_("on the edge of the domain")] if landscape.on_edge(minimum.point) else []
        return f"{said} ({words.join(notes)})" if notes else said

    ordered = sorted(landscape.minima, key=lambda m: m.value)
    lines = [one(minimum) for minimum in ordered[:LISTED]]
    if len(ordered) > LISTED:
        lines.append(
            _("and {count} more, up to {value}").format(count=len(ordered) - LISTED, value=text(ordered[-1].value))
        )
    if landscape.unbounded:
        lines.append(_("local only: elsewhere the loss falls without end"))
    if "minima" in landscape.undeclared:
        lines.append(_("and many higher ones, which are not listed"))
    if landscape.moving is not None:
        lines.append(_("at the default knobs, with which they move"))
    if landscape.flat_minima and len(landscape.minima) > 1:
        lines.append(_("these are points of a whole curve of minima"))
    return "  \n".join(lines)


def saddles(landscape: Landscape) -> str:
    """Where the saddle points are, as Markdown."""
    if "saddles" in landscape.undeclared:
        return _("too many to list")
    listed = [words.point(point) for point in landscape.saddles[:LISTED]]
    more = len(landscape.saddles) - len(listed)
    return words.join(listed + ([_("{count} more").format(count=more)] if more else [])) or _("none")


def _optimizer(optimizer: Optimizer) -> str | None:
    st.markdown(_(optimizer.summary))
    st.latex(optimizer.equations)
    asked = None
    if optimizer.parent:
        asked = _relatives(_("Grew out of"), [OPTIMIZERS[optimizer.parent]], rf"\+ {_(optimizer.adds)}")
    grown = list(children(optimizer))
    if grown:
        asked = _relatives(_("Grew into"), grown) or asked
    facts = [(_("Year"), str(optimizer.year)), (_("Reference"), optimizer.reference)]
    facts += [(_("A step evaluates"), evaluates(optimizer)), (_("Memory needed"), memory(optimizer))]
    if optimizer.report is not None:
        said = _("takes gradients at one point and reports another, an average of its path; the race shows both")
        facts.append((_("Two points"), said))
    if optimizer.per_layer:
        said = _("treats an array of parameters as one layer; a point in the plane is a layer of two")
        facts.append((_("Layers"), said))
    if optimizer.on_vectors:
        facts.append((_("On a vector"), _(optimizer.on_vectors)))
    _facts(facts)
    _knobs(optimizer.hypers)
    return asked


def evaluates(optimizer: Optimizer) -> str:
    """What a step computes of the loss."""
    gradients, values, products = (int(n) for n in optimizer.cost)
    counted = [_("1 gradient") if gradients == 1 else _("{count} gradients").format(count=gradients)]
    if values:
        at_most = optimizer.evaluations is not None
        several = _("up to {count} losses") if at_most else _("{count} losses")
        counted.append(_("1 loss") if values == 1 else several.format(count=values))
    if products == 2:
        counted.append(_("the Hessian: as many Hessian-vector products as there are parameters"))
    elif products:
        rarely = optimizer.evaluations is not None and not values
        counted.append(_("at some steps 1 Hessian-vector product") if rarely else _("1 Hessian-vector product"))
    return words.join(counted)


def memory(optimizer: Optimizer) -> str:
    """What is carried from step to step."""
    side = 1024
    numbers = optimizer.memory(side)
    if numbers > side:
        return _("a number for each pair of parameters")
    if numbers < 1e-3:
        return _("nothing from step to step")
    if numbers < 0.5:
        said = _("{count} numbers for each parameter of a {side} × {side} matrix")
        return said.format(count=f"{numbers:.1g}", side=side)
    return (
        _("1 number for each parameter")
        if round(numbers) == 1
        else _("{count} numbers for each parameter").format(count=round(numbers))
    )


# ---- pieces ------------------------------------------------------------------------------------------------------


def _facts(facts: Iterable[tuple[str, str]]) -> None:
    for name, said in facts:
        if said:
            left, right = st.columns([1, 3])
            left.markdown(f"**{name}**")
            right.markdown(said)


def _relatives(name: str, relatives: Sequence[Optimizer], adds: str = "") -> str | None:
    """Links to other cards; returns the id of the one that was clicked."""
    left, right = st.columns([1, 3])
    left.markdown(f"**{name}**")
    asked = None
    with right.container(horizontal=True, gap="small"):
        for relative in relatives:
            if st.button(_(relative.name), key=f"catalogue.to.{relative.id}", type="tertiary"):
                asked = relative.id
        if adds:
            st.markdown(adds)
    return asked


def _knobs(hypers: Sequence[Hyper]) -> None:
    if not hypers:
        return
    heads = [_("Knob"), _("Default"), _("Range"), ""]
    rows = [f"| {' | '.join(heads)} |", "|---|---|---|---|"]
    for hyper in hypers:
        if hyper.scale == "switch":
            value, span = (_("on") if hyper.default else _("off")), _("on or off")
        else:
            value, span = text(hyper.default), f"{text(hyper.low)} – {text(hyper.high)}"
        symbol = f" ${hyper.symbol}$" if hyper.symbol else ""
        rows.append(f"| {_(hyper.label)}{symbol} | {value} | {span} | {_(hyper.help)} |")
    st.markdown("\n".join(rows))
