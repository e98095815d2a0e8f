"""Fair comparison: every runner is tuned on the same budget, and what that came to is set side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

import landscapes
import optimizers
from descent import RunSpec
from descent import text as marked
from descent.comparison import Tuned, decides, starting_points, tune
from descent.engine import Progress
from descent.hyper import Hyper, fill
from descent.search import LAYOUT_NAMES, expected_best
from figures.comparison import Strip, strips
from figures.studies import Axis, Curve, curves
from lessons.responses import searched
from ui import race_controls, words
from ui.controls import text
from ui.language import _
from ui.maps import charts
from ui.maps.kind import Choice, Kind, Settings
from ui.maps.picture import conditions
from ui.maps.sensitivity import sign
from ui.maps.work import computed
from ui.race import Race
from ui.race_controls import lane_names, styles

TRIALS = Hyper(
    "trials",
    "n",
    marked._("Trials of each"),
    marked._("How many settings of its knobs every optimizer may try."),
    64,
    1,
    256,
    "integer",
)
EVALUATIONS = Hyper(
    "evaluations",
    "",
    marked._("Gradient evaluations a run"),
    marked._("A rule that needs two gradients a step makes half as many steps with them."),
    200,
    10,
    2_000,
    "integer",
)
STARTS = Hyper(
    "starts",
    "",
    marked._("Starts"),
    marked._("Each setting is run from the race's start and from others, the same for all; its median counts."),
    4,
    1,
    16,
    "integer",
)
SEEDS = Hyper(
    "seeds",
    "",
    marked._("Seeds"),
    marked._("How many noises each setting meets from every start, the same for all."),
    4,
    1,
    16,
    "integer",
)
DRAW = Hyper(
    "draw",
    "",
    marked._("Seed of the draw"),
    marked._("Of the settings and the starts. The same seed gives the same picture."),
    0,
    0,
    99,
    "integer",
)
LAYOUT = Choice(
    "layout",
    marked._("Settings"),
    marked._("Drawn at random from the knobs' ranges, on a grid over them, or evenly spread."),
    {name: LAYOUT_NAMES[name] for name in ("random", "grid", "sobol")},
    "random",
)
TUNED = Choice(
    "tuned",
    marked._("What is tuned"),
    marked._("All knobs of each rule between their declared ends, or its learning rate alone."),
    {"all": marked._("all knobs"), "rate": marked._("learning rate only")},
    "all",
)
DECADES = 10  # that the picture reaches below the start


def knobs(race: Race, chosen: Any) -> tuple[Hyper, ...]:
    """Seeds matter where there is noise."""
    return (TRIALS, EVALUATIONS, STARTS, *([SEEDS] if race.noise else []), DRAW)


def show(race: Race, settings: Settings) -> None:
    """All trials of all runners, their best against the budget, and the numbers."""
    race = replace(race, lanes=race.lanes[: charts.MOST], steps=int(settings.number("evaluations")))
    if charts.nobody(race):
        return
    landscape = landscapes.find(race.landscape)
    if landscape.unbounded:
        st.info(
            _("This surface falls for ever: there is no lowest loss to measure others by. Choose another landscape.")
        )
        return
    about = replace(race, situation="", axis="log", tolerance=1.0, projector=False)
    found = computed(("fair", about, settings), lambda progress: _studies(race, settings, progress))
    lowest = landscape.minimum(**fill(landscape.hypers, race.shape, landscape.id))
    known = lowest is not None
    finite = [study.score[study.best] for study in found if study.best >= 0]
    if lowest is None:
        lowest = min(finite, default=0.0)
    if not finite:
        st.info(_("Every setting of every optimizer diverged."))
    first = float(landscape.fn(np.asarray(race.begin), **fill(landscape.hypers, race.shape, landscape.id)))
    excess = first - lowest if np.isfinite(first) and first > lowest else 1.0
    low = min([max(score - lowest, excess * 10.0**-DECADES) for score in finite], default=excess * 1e-3)
    name = _("loss − minimum") if known else _("loss − lowest found")
    y = Axis(name, low / 2, excess * 20, log=True)
    charts.lines(race, [_loss(_tuned_loss(study) - lowest) for study in found])
    charts.says(_claim(race, found))
    panels = [_strips(race, found, lowest, y), _budget(race, settings, found, lowest, y._replace(name=""))]
    specs = race.runs()

    def offer(pick: Any, point: Any) -> charts.Offer:
        lane, number = int(pick), int(point)
        label = _("Open in the race: {optimizer} with {setting}")
        said = label.format(optimizer=lane_names(race)[lane], setting=_setting(found[lane], number) or "–")
        return charts.Offer(said, Race.of([_set(specs[lane], found[lane], number)], tolerance=race.tolerance))

    charts.show("fair", race, panels, offer, hint=_("Click a trial to open its run in the race."))
    _tuned_race(race, found)
    st.markdown(_table(race, settings, found, lowest))
    st.caption(_spent(race, settings, found))


def _studies(race: Race, settings: Settings, progress: Progress) -> list[Tuned]:
    landscape = landscapes.find(race.landscape)
    draw = int(settings.number("draw"))
    starts = starting_points(landscape, race.begin, int(settings.number("starts")), draw)

    def study(spec: RunSpec, progress: Progress) -> Tuned:
        rule, told = optimizers.find(spec.optimizer), conditions(spec)
        told.pop("seed")
        return tune(
            landscape,
            rule,
            _tuned(rule.hypers, settings, searched(rule)),
            settings.choice("layout"),
            int(settings.number("trials")),
            starts,
            int(settings.number("evaluations")),
            seeds=int(settings.number("seeds")) if race.noise else 1,
            seed=draw,
            hyper=spec.hyper,
            shape=spec.shape,
            progress=progress,
            **told,
        )

    return charts.each(study, race.runs(), progress)


def _tuned(hypers: Sequence[Hyper], settings: Settings, all_knobs: Sequence[Hyper]) -> list[Hyper]:
    if settings.choice("tuned") == "all":
        return list(all_knobs)
    return [hyper for hyper in hypers if hyper.name == "learning_rate"]


def _set(spec: RunSpec, study: Tuned, number: int) -> RunSpec:
    return replace(spec, hyper={**spec.hyper, **study.setting(number)})


def _setting(study: Tuned, number: int) -> str:
    values = study.setting(number)
    return ", ".join(f"{sign(hyper)} = {text(float(f'{values[hyper.name]:.3g}'))}" for hyper in study.knobs)


def _tuned_race(race: Race, found: Sequence[Tuned]) -> None:
    """The way to a race of all runners with their best settings."""
    specs = [
        _set(spec, study, study.best) if study.best >= 0 else spec
        for spec, study in zip(race.runs(), found, strict=True)
    ]
    if st.button(_("Race all with their best settings"), icon=":material/sprint:", key="map.fair.race"):
        race_controls.put(Race.of(specs, tolerance=race.tolerance))
        st.session_state.notes = []
        st.switch_page("pages/race.py")


# ---- words -----------------------------------------------------------------------------------------------------------


def _claim(race: Race, found: Sequence[Tuned]) -> str:
    """Who leads when tuned, and who would with a single trial: the median of all."""
    names = lane_names(race)
    tuned = [_tuned_loss(study) for study in found]
    untuned = [float(np.median(study.score)) for study in found]
    if len(found) < 2 or not np.isfinite(tuned).any():
        return ""
    winner = int(np.argmin(tuned))
    level = [f"**{name}**" for name, loss in zip(names, tuned, strict=True) if loss - tuned[winner] <= race.tolerance]
    if len(level) > 1:
        said = _("Tuned, {names} come within the tolerance of the lowest: nothing is between them.")
        said = said.format(names=words.join(level))
    else:
        said = _("Tuned, **{winner}** comes lowest.").format(winner=names[winner])
    if not np.isfinite(untuned).any():
        return f"{said} " + _("Untuned nobody gets there: most settings of every rule diverge.")
    easy = names[int(np.argmin(untuned))]
    return f"{said} " + _("At the median of all trials **{easy}** is lowest.").format(easy=easy)


def _tuned_loss(study: Tuned) -> float:
    """What the best setting comes to: under noise, under noise that it was not chosen by."""
    if study.best < 0:
        return np.inf
    return float(study.score[study.best]) if study.again is None else study.again


def _spent(race: Race, settings: Settings, found: Sequence[Tuned]) -> str:
    trials, evaluations, starts = (int(settings.number(h.name)) for h in (TRIALS, EVALUATIONS, STARTS))
    parts = [_("{count} trials").format(count=trials), _("{count} starts").format(count=starts)]
    if race.noise:
        parts.append(_("{count} seeds").format(count=int(settings.number("seeds"))))
    parts.append(_("{count} gradient evaluations").format(count=evaluations))
    said = _(
        "Every optimizer spent {spent} gradient evaluations: {parts}. A Hessian-vector product counts as two, a value "
        "of the loss as a third of one; a step that the rest of a run's share cannot pay for is lost. "
        "Within a column trials stand in the order of their learning rate; bars are "
        "medians, rings the best. As good: within ten times the best, or the tolerance."
    )
    return said.format(spent=found[0].spent, parts=" × ".join(parts))


def _table(race: Race, settings: Settings, found: Sequence[Tuned], lowest: float) -> str:
    heads = [
        _("Optimizer"),
        _("Best"),
        *([_("Best, new noise")] if race.noise else []),
        _("Median"),
        _("Diverged"),
        _("As good as the best"),
        _("Decided most by"),
        _("Steps a run"),
        _("Best setting"),
    ]
    rows = [f"| {' | '.join(heads)} |", "|---|" + "---:|" * (4 + bool(race.noise)) + "---|---:|---|"]
    for name, study in zip(lane_names(race), found, strict=True):
        best = study.score[study.best] - lowest if study.best >= 0 else np.inf
        low, high = int(study.steps.min()), int(study.steps.max())
        cells = [
            f"**{name}**",
            _loss(best),
            *([_loss(np.inf if study.again is None else study.again - lowest)] if race.noise else []),
            _loss(float(np.median(study.score)) - lowest),
            f"{study.diverged:.0%}",
            f"{study.good(lowest, race.tolerance):.0%}",
            _decided(study, lowest),
            str(low) if low == high else f"{low}–{high}",
            _setting(study, study.best) if study.best >= 0 else "–",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _loss(above: float) -> str:
    return text(float(f"{max(above, 0.0):.3g}")) if np.isfinite(above) else _("diverged")


def _decided(study: Tuned, lowest: float) -> str:
    """Which knob the outcome depends on most, and how much of it."""
    if not study.knobs:
        return "–"
    above = np.log10(np.maximum(np.where(np.isfinite(study.score), study.score, np.nan) - lowest, 1e-12))
    above = np.where(np.isfinite(above), above, np.nanmax(above, initial=0.0) + 1)  # diverged: worse than all
    shares = [decides(study.shares[:, k], above) for k in range(len(study.knobs))]
    most = int(np.argmax(shares))
    return f"{sign(study.knobs[most])}: {shares[most]:.0%}" if shares[most] > 0 else "–"


# ---- charts ----------------------------------------------------------------------------------------------------------

TALL = "max(300px, calc((100vh - 330px) * 0.74))"


def _strips(race: Race, found: Sequence[Tuned], lowest: float, y: Axis) -> charts.Panel:
    columns = []
    for lane, (study, name, style) in enumerate(zip(found, lane_names(race), styles(race), strict=True)):
        score = np.where(np.isfinite(study.score), study.score - lowest, np.nan)
        said = []
        for number, above in enumerate(score):
            end = _("diverged") if np.isnan(above) else f"{y.name}: {text(float(above))}"
            said.append("<br>".join(part for part in (name, _setting(study, number), end) if part))
        place = study.shares[:, 0] if study.knobs else np.full(len(score), 0.5)
        columns.append(Strip(name, style, place, score, said, study.best, lane))
    alt = _("How all trials of {runners} ended").format(runners=", ".join(lane_names(race)))
    return charts.Panel("trials", strips(columns, y, median=_("median")), alt, 12, TALL)


def _budget(race: Race, settings: Settings, found: Sequence[Tuned], lowest: float, y: Axis) -> charts.Panel:
    count = int(settings.number("trials"))
    trials = np.unique(np.geomspace(1, count, 40).round().astype(int))
    lines = []
    for study, name, style in zip(found, lane_names(race), styles(race), strict=True):
        best = expected_best(study.score, trials) - lowest
        over = np.where(np.isfinite(best), np.clip(best, y.low * 1.1, y.high), np.nan)
        said = [
            _("{name}: {loss} after {count} trials").format(name=name, loss=_loss(float(loss)), count=number)
            for number, loss in zip(trials, best, strict=True)
        ]
        lines.append(Curve(name, style, trials * (study.spent // count), over, said, ~np.isfinite(best)))
    each = found[0].spent // count
    x = Axis(_("gradient evaluations spent on tuning"), each / 1.15, max(found[0].spent, 2 * each) * 1.15, log=True)
    figure = curves(lines, x, y, title=_("Median of the best so far"))
    alt = _("The best so far against the budget, a line for each of {runners}")
    return charts.Panel("budget", figure, alt.format(runners=", ".join(lane_names(race))), 8, TALL)


KIND = Kind(
    "fair",
    marked._("Fair comparison"),
    marked._(
        "Which optimizer to choose? Every runner gets the same budget to be tuned with, over all its knobs; "
        "here is how all its trials ended."
    ),
    show,
    choices=lambda race: (LAYOUT, TUNED),
    knobs=knobs,
)
