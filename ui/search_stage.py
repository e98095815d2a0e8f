"""The search page's pictures and table: from what was computed to what its stage is sent."""

from __future__ import annotations

from typing import Any

import numpy as np

import landscapes
from descent import RunSpec
from descent.halving import plain, spending
from descent.hyper import Hyper
from descent.search import LAYOUT_NAMES, LAYOUTS, Repeats, chance_of_a_hit, distinct, side
from descent.tuning import affordable
from figures import search as figures
from lessons.responses import Runs
from optimizers import find
from ui.controls import text
from ui.language import _, language
from ui.race import STEPS, Race
from ui.search import Search
from ui.search_runner import HALVINGS, REPEATS, Duel, Halved, Square

SQUARE, CHART = "clamp(250px, calc((100vh - 210px) * 0.56), 560px)", "clamp(190px, calc((100vh - 210px) * 0.4), 400px)"
Drawn = dict[str, tuple[np.ndarray, np.ndarray]]


def sign(axis: Hyper) -> str:
    """A knob as an axis is labelled."""
    return _(axis.label)


def identity(search: Search) -> list[Any]:
    """The plain values that the still part of the pictures depends on."""
    return [search.show, repr(search.key), search.projector, language()]


def still(search: Search, square: Square) -> dict[str, Any]:
    """The part that rests: the response over its square, the look."""
    one, other = search.made().axes
    lost = ~np.isfinite(square.loss)
    figure = figures.square(square.heights.astype(np.float32), (one, other), (sign(one), sign(other)), lost)
    return {"figures": {"square": figure}, "look": {"projector": search.projector}}


def chart(name: str, wide: int, tall: str, figure: dict[str, Any], alt: str, rest: str = "") -> dict[str, Any]:
    """A picture: what moves of it, and how much room it takes of twenty columns."""
    return {"name": name, "rest": rest, "wide": wide, "tall": tall, "alt": alt, **figure}


# ---- layouts ---------------------------------------------------------------------------------------------------------


def layouts(search: Search, square: Square, drawn: Drawn, many: dict[str, Repeats]) -> dict[str, Any]:
    """The squares of the three layouts, and what to expect of each."""
    charts = [_layout(search, square, drawn, name) for name in LAYOUTS]
    return {"charts": [*charts, _expected(search, square, many), _chances(search, square, many)]}


def _layout(search: Search, square: Square, drawn: Drawn, name: str) -> dict[str, Any]:
    points, losses = drawn[name]
    one, other = search.made().axes
    best = int(np.nanargmin(losses)) if np.isfinite(losses).any() else -1
    said = [_setting((one, other), point, loss) for point, loss in zip(points, losses, strict=True)]
    counts = distinct(points, (one, other))
    found = _("best {loss}").format(loss=f"{losses[best]:.3g}") if best >= 0 else _("all diverged")
    title, values = f"<b>{_(LAYOUT_NAMES[name])}</b>  {found}", _("values")
    over = figures.projected(
        figures.Trials(points, said, best),
        figures.LAYOUT_STYLES[name],
        square.curves,
        title,
        f"<b>{counts[0]} × {counts[1]}</b><br>{values}",
        name if isinstance(search.made(), Runs) else None,
    )
    alt = _("{layout}: {count} trials on the square of {first} and {second}, and their places on each axis.").format(
        layout=_(LAYOUT_NAMES[name]), count=len(points), first=sign(one), second=sign(other)
    )
    wide = {"grid": 7, "random": 7, "sobol": 6}[name]
    return chart(name, wide, SQUARE, over, alt, "square")


def _setting(axes: tuple[Hyper, Hyper], point: np.ndarray, loss: float) -> str:
    values = [f"{sign(axis)} {text(float(axis.at(share)))}" for axis, share in zip(axes, point, strict=True)]
    ends = _("diverged") if not np.isfinite(loss) else _("loss {value}").format(value=text(float(loss)))
    return "<br>".join([*values, ends])


def _bands(search: Search, square: Square, many: dict[str, Repeats]) -> list[figures.Band]:
    logarithmic = search.made().logarithmic
    lines = []
    for name, found in many.items():
        quantiles = found.quantiles(0.1, 0.5, 0.9)
        low, middle, high = np.maximum(quantiles - square.lowest, 1e-12) if logarithmic else quantiles
        band = (low, high) if name == "random" and np.isfinite(high).all() else (None, None)
        line = middle if logarithmic else found.best.mean(0)
        lines.append(figures.Band(_(LAYOUT_NAMES[name]), figures.LAYOUT_STYLES[name], found.trials, line, *band))
    return lines


def _expected(search: Search, square: Square, many: dict[str, Repeats]) -> dict[str, Any]:
    logarithmic = search.made().logarithmic
    what = _("median best loss above the lowest") if logarithmic else _("mean best loss")
    figure = figures.bands(
        _bands(search, square, many), words=(_("trials"), what), logarithmic=logarithmic, at=search.trials
    )
    alt = _("Best loss of {repeats} searches against the number of trials, a line for each layout.")
    return chart("expected", 10, CHART, figure, alt.format(repeats=REPEATS))


def _chances(search: Search, square: Square, many: dict[str, Repeats]) -> dict[str, Any]:
    share = search.share / 100
    threshold = square.best(share)
    lines = [
        figures.Band(_(LAYOUT_NAMES[name]), figures.LAYOUT_STYLES[name], found.trials, found.hits(threshold))
        for name, found in many.items()
    ]
    x = np.linspace(0, max(found.trials[-1] for found in many.values()), 200)
    what = _("chance of one of the best {share} %").format(share=text(search.share))
    figure = figures.bands(
        lines,
        words=(_("trials"), what),
        logarithmic=False,
        percent=True,
        at=search.trials,
        theory=(x, chance_of_a_hit(share, x), "1 − (1 − p)ⁿ"),
    )
    alt = _("Chance of finding one of the best settings against the number of trials, a line for each layout.")
    return chart("chances", 10, CHART, figure, alt)


def matters(search: Search, square: Square) -> str:
    """How much of the response each knob decides, in a sentence."""
    one, other = (sign(axis) for axis in search.made().axes)
    shares = [f"{100 * share:.1f} %" for share in square.matters]
    if not any(square.matters):
        return _("The response is level: neither knob matters.")
    return _(
        "Of the variance of the heights shown, **{first}** alone explains {one}, **{second}** alone {other}, "
        "and only both together {both}."
    ).format(first=one, second=other, one=shares[0], other=shares[1], both=shares[2])


def table(search: Search, square: Square, drawn: Drawn, many: dict[str, Repeats]) -> str:
    """The layouts in numbers, as Markdown."""
    one, other = (sign(axis) for axis in search.made().axes)
    logarithmic = search.made().logarithmic
    typical = _("median best of {repeats}") if logarithmic else _("mean best of {repeats}")
    chance = _("one of the best {share} %").format(share=text(search.share))
    heads = [
        _("Layout"),
        _("Trials"),
        _("Values of {knob}").format(knob=one),
        _("Values of {knob}").format(knob=other),
        _("Best here"),
        typical.format(repeats=REPEATS),
        chance,
    ]
    rows = [f"| {' | '.join(heads)} |", "|---|" + "---:|" * (len(heads) - 1)]
    threshold = square.best(search.share / 100)
    for name, (points, losses) in drawn.items():
        found = many[name]
        at = int(np.searchsorted(found.trials, len(points)))
        middle = found.quantiles(0.5)[0][at] if logarithmic else found.best[:, at].mean()
        counts = distinct(points, search.made().axes)
        best = np.nanmin(losses) if np.isfinite(losses).any() else np.nan
        cells = [
            f"**{_(LAYOUT_NAMES[name])}**",
            str(len(points)),
            *map(str, counts),
            number(best),
            number(middle),
            f"{100 * found.hits(threshold)[at]:.0f} %",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def number(value: float) -> str:
    """A loss to four digits, and a word where there is none."""
    return text(float(value)) if np.isfinite(value) else _("diverged")


# ---- successive halving ----------------------------------------------------------------------------------------------


def halving(search: Search, square: Square, one: Halved, many: Duel) -> dict[str, Any]:
    """Learning curves, the square of the configurations, and the best of many searches."""
    ladder = search.ladder
    last = len(ladder) - 1
    reached = one.found.reached[0]
    names = [
        _("to the end: {count}").format(count=int((reached == rung).sum()))
        if rung == last
        else _("stopped at {resource}: {count}").format(
            resource=ladder[rung].resource, count=int((reached == rung).sum())
        )
        for rung in range(last + 1)
    ]
    words = {f"rung{rung}": name for rung, name in enumerate(names)}
    words |= {"x": _("gradient evaluations"), "y": _("loss above the lowest")}
    above = np.where(np.isfinite(one.whole.loss), np.maximum(one.whole.loss - square.lowest, 1e-12), np.nan)
    learning = figures.halved(above, one.whole.spent, reached, [rung.resource for rung in ladder], words)
    axes = search.axes
    said = [_setting(axes, point, loss) for point, loss in zip(one.points, one.final, strict=True)]
    marks = figures.rung_marks(one.points, reached, last, said, names)
    where, colours = _("Where they are"), _("colours: loss at the end")
    note = {"text": f"<b>{where}</b>  {colours}", "x": 0, "y": 1}
    marks["layout"]["annotations"] = [
        {
            **note,
            "showarrow": False,
            "xref": "paper",
            "yref": "paper",
            "xanchor": "left",
            "yanchor": "bottom",
            "yshift": 4,
        }
    ]
    return {
        "charts": [
            chart(
                "learning",
                12,
                SQUARE,
                learning,
                _("Learning curves; those of eliminated configurations end at the rung where they were."),
            ),
            chart("where", 8, SQUARE, marks, _("The configurations on the square of both knobs."), "square"),
            chart("duel", 20, CHART, _duel(search, square, many), _("Share of searches whose best is at most a loss.")),
        ]
    }


def _duel(search: Search, square: Square, many: Duel) -> dict[str, Any]:
    """Distribution functions of the best loss of many searches."""
    lines = []
    for name, style, best in (
        (_("Successive halving"), figures.RUNGS[0], many.halving),
        (_("Random search on the same budget"), figures.LAYOUT_STYLES["random"], many.random),
    ):
        above = np.sort(np.where(np.isfinite(best), np.maximum(best - square.lowest, 1e-12), np.nan))
        above = above[np.isfinite(above)]
        lines.append(figures.Band(name, style, above, np.arange(1, len(above) + 1) / len(best)))
    figure = figures.bands(
        lines,
        words=(_("best loss above the lowest"), _("share of {repeats} searches").format(repeats=HALVINGS)),
        logarithmic=False,
        percent=True,
        steps=True,
    )
    figure["layout"]["xaxis"] |= {"type": "log", "exponentformat": "power"}
    return figure


def ladder_table(search: Search, one: Halved) -> str:
    """The rungs and what each costs, as Markdown, with the whole budget in the last row."""
    ladder = search.ladder
    heads = [_("Rung"), _("Configurations"), _("Evaluations each, in all"), _("New evaluations"), _("Best there")]
    rows = [f"| {' | '.join(heads)} |", "|---|" + "---:|" * (len(heads) - 1)]
    reached = one.found.reached[0]
    for k, (rung, spent) in enumerate(zip(ladder, spending(ladder), strict=True)):
        there = one.whole.after([rung.resource])[reached >= k, 0]
        best = np.nanmin(there) if np.isfinite(there).any() else np.nan
        rows.append(f"| {k} | {rung.configurations} | {rung.resource} | {spent} | {number(best)} |")
    whole = _("in all")
    rows.append(f"| **{whole}** | | | **{sum(spending(ladder))}** | |")
    return "\n".join(rows)


def outcome(search: Search, one: Halved, many: Duel) -> list[str]:
    """What came of it, in sentences whose numbers are computed."""
    ladder = search.ladder
    spent = sum(spending(ladder))
    *_whole, last = plain(spent, ladder[-1].resource)
    pays = _("The same {spent} gradient evaluations pay for {count} whole runs of plain random search.")
    if last < ladder[-1].resource:
        pays = _(
            "The same {spent} gradient evaluations pay for {count} whole runs of plain random search, "
            "and a last one of {rest}."
        )
    said = pays.format(spent=spent, count=spent // ladder[-1].resource, rest=last)
    return [said, found_best(search, one), _won(many)]


def found_best(search: Search, one: Halved) -> str:
    """Did halving keep the configuration that would have been best, and if not, when did it go?"""
    final = np.where(np.isfinite(one.final), one.final, np.inf)
    if not np.isfinite(final).any():
        return _("Every configuration diverged.")
    winner, best = int(one.found.winner[0]), int(final.argmin())
    place = int((final < final[winner]).sum()) + 1
    if place == 1:
        return _("Halving kept the best of its {count} configurations.").format(count=len(final))
    rung = search.ladder[int(one.found.reached[0][best])].resource
    return _(
        "Halving kept number {place} of its {count} configurations. The best was eliminated after {resource} "
        "evaluations: at the end it would have had a loss of {loss}, the winner has {other}."
    ).format(
        place=place, count=len(final), resource=rung, loss=text(float(final[best])), other=number(float(final[winner]))
    )


def _won(many: Duel) -> str:
    better = float((many.halving < many.random).mean() + 0.5 * (many.halving == many.random).mean())
    said = _(
        "In {count} pairs of searches on that budget, halving found the lower loss in {share} % (ties count half)."
    )
    return said.format(count=len(many.halving), share=f"{100 * better:.0f}")


def run_of(search: Search, point: np.ndarray) -> tuple[str, Race]:
    """The run of a trial as a race of one, and the words that offer it."""
    runs = search.runs
    hyper = {name: float(values[0]) for name, values in runs.settings(point[None]).items()}
    said = ", ".join(f"{sign(axis)} {text(hyper[axis.name])}" for axis in runs.axes)
    steps = min(max(affordable(find(runs.optimizer), runs.evaluations)[0], 1), int(STEPS.high))
    spec = RunSpec(runs.landscape, runs.optimizer, landscapes.find(runs.landscape).start, steps, hyper)
    return _("Open in the race: {setting}").format(setting=said), Race.of([spec])


def remarks(search: Search, square: Square) -> list[str]:
    """What has to be said about what was asked for, and what was done instead."""
    said = []
    if search.show == "layouts":
        k = side(search.trials)
        if k * k != search.trials:
            said.append(
                _("{count} is no square number: the grid uses {side} × {side} = {used} of the trials.").format(
                    count=search.trials, side=k, used=k * k
                )
            )
    made = search.made()
    if isinstance(made, Runs):
        for axis in made.axes:
            if axis.low == axis.high:
                said.append(
                    _("The range of {knob} is one value, {value}: only the other knob is searched.").format(
                        knob=sign(axis), value=text(axis.low)
                    )
                )
        if not np.isfinite(square.loss).any():
            said.append(_("Every trial diverged: choose smaller values."))
        shortest = search.ladder[0].resource if search.show == "halving" else search.evaluations
        if affordable(find(search.optimizer), shortest)[0] == 0:
            said.append(_("{count} gradient evaluations do not pay for one step of this rule.").format(count=shortest))
    return said
