"""What the search page shows, in plain values: what is searched, how, and with how much. It is the URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import landscapes
import optimizers
from descent.halving import Rung, rungs
from descent.hyper import Hyper
from descent.search import MOST_TRIALS, Response
from descent.spec import Values
from descent.text import _
from landscapes import LANDSCAPES
from lessons.responses import FAMILIES, Family, Runs, searched
from lessons.searches import LESSONS
from optimizers import OPTIMIZERS
from ui.race import Note, Race, Reader, setting

SHOWN: Mapping[str, str] = {"layouts": _("Grid against random"), "halving": _("Successive halving")}
RUNS = "runs"
RESPONSES: Mapping[str, str] = {**{f.id: f.name for f in FAMILIES}, RUNS: _("An optimizer on a landscape")}

# The page's own knobs, declared like any other.
TRIALS = Hyper(
    "trials",
    "n",
    _("Trials"),
    _("How many settings each layout may try. A grid uses the largest square number of them."),
    9,
    1,
    MOST_TRIALS,
    "integer",
)
SHARE = Hyper(
    "share",
    "p",
    _("What counts as good"),
    _("In percent: a setting is good if it is among the best p % of the square."),
    5.0,
    0.5,
    50.0,
)
SEED = Hyper(
    "seed",
    "",
    _("Seed"),
    _("Of all that is drawn at random. The same seed gives the same picture."),
    0,
    0,
    9_999,
    "integer",
)
EVALUATIONS = Hyper(
    "evaluations",
    "",
    _("Gradient evaluations a trial"),
    _("What each run may spend. A rule that needs two gradients a step makes half as many steps."),
    300,
    10,
    2_000,
    "integer",
)
CONFIGURATIONS = Hyper(
    "configurations",
    "n",
    _("Configurations"),
    _("How many settings begin."),
    81,
    2,
    256,
    "integer",
)
FIRST = Hyper(
    "first",
    "r",
    _("First rung"),
    _("How many gradient evaluations each configuration gets before it is judged for the first time."),
    4,
    1,
    200,
    "integer",
)
ETA = Hyper(
    "eta",
    r"\eta",
    _("Elimination factor"),
    _("At each rung one in η goes on, and may spend η times as much in all."),
    3,
    2,
    5,
    "integer",
)
NUMBERS = (TRIALS, SHARE, SEED, EVALUATIONS, CONFIGURATIONS, FIRST, ETA)
MOST_SPENT = 5_000  # gradient evaluations of a survivor


@dataclass(frozen=True)
class Search:
    """Everything on the page that a picture depends on."""

    show: str = "layouts"
    response: str = "additive"
    knobs: Values = field(default_factory=Values)  # of a made-up response
    landscape: str = "rosenbrock"
    optimizer: str = "adam"
    first_knob: str = "learning_rate"
    second_knob: str = "b2"
    ends: Values = field(default_factory=Values)  # low1, high1, low2, high2, where they are not the declared ones
    trials: int = 9
    share: float = 5.0
    seed: int = 0
    evaluations: int = 300
    configurations: int = 81
    first: int = 4
    eta: int = 3
    projector: bool = False
    lesson: str = ""  # the preset it began as

    @property
    def axes(self) -> tuple[Hyper, Hyper]:
        """The two knobs of the optimizer, between the ends that are searched."""
        declared = {h.name: h for h in searched(optimizers.find(self.optimizer))}
        one, other = (
            ranged(declared[name], self.ends.get(f"low{k}"), self.ends.get(f"high{k}"))
            for k, name in ((1, self.first_knob), (2, self.second_knob))
        )
        return one, other

    @property
    def runs(self) -> Runs:
        """The optimizer's runs as a response, at what a trial may spend."""
        spent = self.ladder[-1].resource if self.show == "halving" else self.evaluations
        return Runs(self.landscape, self.optimizer, self.axes, spent)

    @property
    def ladder(self) -> tuple[Rung, ...]:
        """The rungs of successive halving: as many as there are configurations for, and runs of a bearable length."""
        return rungs(self.configurations, self.first, self.eta, MOST_SPENT)

    def made(self) -> Response:
        """What is searched."""
        if self.show == "halving" or self.response == RUNS:
            return self.runs
        declared = family(self.response)
        return declared.make(**{h.name: setting(self.knobs, h) for h in declared.hypers})

    @property
    def key(self) -> tuple[Any, ...]:
        """What the response depends on."""
        if self.show == "halving" or self.response == RUNS:
            return (self.runs,)
        return self.response, self.knobs


def family(response: str) -> Family:
    """The family of responses with this id."""
    return next(found for found in FAMILIES if found.id == response)


def ranged(axis: Hyper, low: float | None, high: float | None) -> Hyper:
    """A knob between other ends, within the declared ones."""
    low = axis.low if low is None else low
    high = axis.high if high is None else high
    return replace(axis, low=low, high=high, default=min(max(axis.default, low), high))


def searchable(optimizer: str) -> bool:
    """Has the optimizer two knobs to search?"""
    return len(searched(optimizers.find(optimizer))) > 1


def on_optimizer(search: Search, optimizer: str) -> Search:
    """Another optimizer, of which the first knob is searched, and the next that people do turn, if there is one."""
    names = [h.name for h in searched(optimizers.find(optimizer))]
    usual = [name for name in names[1:] if name not in ("eps", "weight_decay")]
    return replace(
        search, optimizer=optimizer, first_knob=names[0], second_knob=(usual or names[1:])[0], ends=Values(), lesson=""
    )


# ---- URL -------------------------------------------------------------------------------------------------------------


def to_query(search: Search) -> dict[str, str]:
    """The search as flat text, without what is at its default."""
    plain = Search()
    query = {"show": search.show}
    if search.show == "layouts":
        query["response"] = search.response
    if search.show == "layouts" and search.response != RUNS:
        query |= {name: f"{value:.12g}" for name, value in search.knobs.items()}
    else:
        query |= {"landscape": search.landscape, "optimizer": search.optimizer}
        query |= {"first_knob": search.first_knob, "second_knob": search.second_knob}
        query |= {name: f"{value:.12g}" for name, value in search.ends.items()}
    names = [h.name for h in NUMBERS if getattr(search, h.name) != getattr(plain, h.name)]
    query |= {name: f"{getattr(search, name):.12g}" for name in names}
    query |= {"projector": "1"} if search.projector else {}
    query |= {"lesson": search.lesson} if search.lesson else {}
    return query


def from_query(query: Mapping[str, str], fallback: Search = Search()) -> tuple[Search, list[Note]]:
    """The search that a URL asks for, and notes on what of it could not be used."""
    if "show" not in query and query.get("lesson") in LESSONS:  # a link by hand: the lesson, and what it says besides
        query = {**LESSONS[query["lesson"]].view, **query}
    reader = Reader(Race(), ())
    plain: dict[str, Any] = dict(query)
    show = reader.choice(plain, "show", SHOWN, "layouts")
    response = reader.choice(plain, "response", RESPONSES, fallback.response)
    search = replace(
        Search(show=show, response=response),
        landscape=reader.choice(plain, "landscape", LANDSCAPES, fallback.landscape, find=landscapes.find),
        **{h.name: reader.number(plain, h.name, h, h.default) for h in NUMBERS},
        projector=reader.choice(plain, "projector", {"0": "", "1": ""}, "0") == "1",
        lesson=reader.choice(plain, "lesson", LESSONS, ""),
    )
    search = replace(search, **{h.name: int(getattr(search, h.name)) for h in NUMBERS if h.whole})
    if response != RUNS:
        search = replace(search, knobs=reader.knobs(plain, family(response).hypers))
    optimizer = reader.choice(plain, "optimizer", OPTIMIZERS, fallback.optimizer, find=optimizers.find)
    if not searchable(optimizer):
        reader.note("optimizer", optimizer, _("an optimizer with two knobs to search"))
        optimizer = fallback.optimizer
    search = replace(on_optimizer(search, optimizer), lesson=search.lesson)
    names = [h.name for h in searched(optimizers.find(optimizer))]
    first = reader.choice(plain, "first_knob", names, search.first_knob)
    others = [name for name in names if name != first]
    usual = search.second_knob if search.second_knob in others else others[0]
    search = replace(search, first_knob=first, second_knob=reader.choice(plain, "second_knob", others, usual))
    search = replace(search, ends=_ends(reader, plain, search.axes))
    for key, value in plain.items():
        reader.note(key, value, _("nothing of this name is known"))
    return search, reader.notes


def _ends(reader: Reader, plain: dict[str, Any], axes: Sequence[Hyper]) -> Values:
    """The ends of both axes, where they are not the declared ones; a range whose low is above its high is ignored."""
    ends: dict[str, float] = {}
    for k, axis in enumerate(axes, 1):
        low, high = (
            reader.number(plain, f"{end}{k}", replace(axis, name=f"{end}{k}"), getattr(axis, end))
            for end in ("low", "high")
        )
        if low > high:
            reader.note(f"low{k}", f"{low:g}", _("at most {high}"), high=f"{high:g}")
            continue
        ends |= {f"low{k}": low} if low != axis.low else {}
        ends |= {f"high{k}": high} if high != axis.high else {}
    return Values(ends)


def of_lesson(lesson: str) -> Search:
    """The search of a lesson."""
    return replace(from_query(LESSONS[lesson].view)[0], lesson=lesson)
