"""The build page's fields: a formula that is read while it is typed, with its settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.elements.lib.mutable_popover_container import PopoverContainer

from descent import recipe
from descent.formula import FUNCTIONS, FormulaError
from descent.optimizer import Optimizer
from descent.spec import Values
from landscapes.formula import AXES, Draft
from optimizers.formula import MAX_LINES, STEP
from optimizers.templates import TEMPLATES
from ui import build, formulas, words
from ui.controls import begin, knob
from ui.language import _
from ui.race import FAR, Race, setting, with_knob
from ui.scene_controls import start

PAUSE = "300ms"  # of typing, after which a formula is read
LANDSCAPE, OPTIMIZER = "build.landscape.", "build.optimizer."  # of all widgets here


def wrong(error: FormulaError, text: str) -> None:
    """What is wrong in a text, with a caret under the place; without a text, what is wrong."""
    if not text:
        st.markdown(f":red[{words.problem(error)}]")
        return
    with st.container(gap="xsmall"):
        st.code(f"{text}\n{' ' * (error.column - 1)}^", language=None)
        place = _("Column {column}").format(column=error.column)
        st.markdown(f":red[**{place}**] {words.problem(error)}")


# ---- the landscape -------------------------------------------------------------------------------------------------


def landscape_fields(row: DeltaGenerator) -> tuple[Race | None, bool]:
    """All fields of a landscape, its settings in ``row``; returns the race on the last that was right, and whether this
    one is."""
    _examples()
    draft = build.landscape_draft()
    key = f"{LANDSCAPE}formula"
    begin(key, draft.formula)
    typed = st.text_input(
        _("Loss as a formula of x and y"),
        key=key,
        live=PAUSE,
        help=_("Other names become sliders. There are + − * / ^, comparisons, pi, e and {functions}.").format(
            functions=", ".join(FUNCTIONS)
        ),
    )
    draft = build.with_sliders(draft, typed or "")
    understood, sliders = st.container(key="bench_understood"), st.container()
    drawer = _drawer("landscape", row)
    problem = None
    if drawer.open:
        with drawer:
            draft, problem = _settings(draft)
    st.session_state["building.landscape"] = draft
    with sliders:
        shape = _sliders(draft)
    race = None
    with understood:
        try:
            if problem is not None:
                raise problem
            landscape = build.built(draft)
            st.latex(landscape.formula)
            race = build.landscape_race(landscape, shape, build.start("landscape"))
        except FormulaError as error:
            wrong(error, draft.formula if error is not problem else "")
    return _last("landscape", race, drawer), race is not None


def _examples() -> None:
    """A choice of landscapes to start from."""
    names = {id: _(name) for id, (name, _text) in build.EXAMPLES.items()}

    def choose() -> None:
        chosen = st.session_state[f"{LANDSCAPE}example"]
        if chosen in build.EXAMPLES:
            build.begin_with("landscape", build.draft_of(build.EXAMPLES[chosen][1]))

    st.selectbox(
        _("Example"),
        list(names),
        index=None,
        key=f"{LANDSCAPE}example",
        placeholder=_("Start from an example"),
        format_func=lambda id: names[id],
        on_change=choose,
        label_visibility="collapsed",
    )


def _sliders(draft: Draft) -> Values:
    """The sliders of a formula; returns what they are set to, where that is not their default."""
    before, shape = build.values("landscape"), Values()
    for slider in draft.sliders:
        # A range is part of the key: Streamlit resets a slider whose range changes.
        key = f"{LANDSCAPE}slider.{slider.name}.{slider.low}.{slider.high}"
        value = min(max(setting(before, slider), slider.low), slider.high)
        shape = with_knob(shape, slider, knob(slider, value, key))
    st.session_state["building.landscape.values"] = shape
    return shape


def _settings(draft: Draft) -> tuple[Draft, FormulaError | None]:
    """Domain, ranges of the sliders and name."""
    problem = None
    ends = [_range(axis, draft.domain[k], f"{LANDSCAPE}{axis}") for k, axis in enumerate(AXES)]
    try:
        x, y = (recipe.ordered((low, high)) for low, high in ends)
        draft = draft._replace(domain=(x, y))
    except FormulaError as error:
        problem = error
    sliders = []
    for slider in draft.sliders:
        low, high = _range(slider.symbol, (slider.low, slider.high), f"{LANDSCAPE}range.{slider.name}")
        try:
            low, high = recipe.ordered((low, high))
            slider = recipe.knob(slider.name, (low, high, min(max(slider.default, low), high)), slider.help)
        except FormulaError as error:
            problem = error
        sliders.append(slider)
    name = _name(draft.name, recipe.shown(draft.formula), LANDSCAPE)
    return draft._replace(sliders=tuple(sliders), name=name), problem


# ---- both ----------------------------------------------------------------------------------------------------------


def _drawer(kind: build.Kind, row: DeltaGenerator) -> PopoverContainer:
    """Where the settings are; its content is drawn while it is open."""
    return row.popover(_("Settings"), icon=":material/tune:", key=f"build.{kind}.settings", on_change="rerun")


def _range(symbol: str, values: Sequence[float], key: str) -> list[float]:
    """Fields for the ends of a range and, where a third value is given, for what lies usually between them."""
    labels = (_("{name} from"), _("{name} to"), _("{name} usually"))
    found = []
    with st.container(horizontal=True, gap="small"):
        for number, value in enumerate(values):
            begin(f"{key}.{number}", float(value))
            label = labels[number].format(name=f"${symbol}$")
            place = {"key": f"{key}.{number}", "step": 0.5, "format": "%.5g", "width": "stretch"}
            found.append(st.number_input(label, -FAR, FAR, **place))
    return found


def _name(name: str, usual: str, key: str) -> str:
    begin(f"{key}name", name)
    return recipe.clean(st.text_input(_("Name"), key=f"{key}name", max_chars=40, placeholder=usual) or "")


def _last(kind: build.Kind, race: Race | None, drawer: PopoverContainer) -> Race | None:
    """The race, or the last that was right, from where the fields in the drawer say."""
    race = race or st.session_state.get(f"building.{kind}.race")
    if race is not None and drawer.open:
        with drawer:
            race = start(f"build.{kind}.start.", race)
        st.session_state[f"building.{kind}.start"] = race.start
    st.session_state[f"building.{kind}.race"] = race
    return race


# ---- the optimizer -------------------------------------------------------------------------------------------------


def optimizer_fields(row: DeltaGenerator) -> tuple[Race | None, bool]:
    """All fields of an optimizer, like `landscape_fields`."""
    _origin()
    rule = build.rule()
    rule = rule.with_lines(_lines(rule))
    understood, sliders = st.container(key="bench_understood"), st.container()
    drawer = _drawer("optimizer", row)
    race = None
    with understood:
        try:
            if drawer.open:
                with drawer:
                    rule = _ranges(rule, rule.built())
            optimizer = rule.built()
            st.latex(optimizer.equations)
            with sliders:
                values = _knobs(optimizer)
            race = build.rule_race(rule, build.ground(), values, build.start("optimizer"))
        except FormulaError as error:
            if error.line:
                st.markdown(f"**{error.line}**")
            wrong(error, dict(rule.lines).get(error.line, ""))
    st.session_state["building.rule"] = rule
    return _last("optimizer", race, drawer), race is not None


def _origin() -> None:
    """The built-in rule to start from, and the landscape to try it on."""
    built_in = {id: name for id, name in formulas.optimizer_names().items() if id in TEMPLATES}
    grounds = formulas.landscape_names(build.ground())

    def choose() -> None:
        build.begin_with("optimizer", build.rule_of(st.session_state[f"{OPTIMIZER}base"]))

    def go() -> None:
        build.begin_with("optimizer", build.rule(), on=st.session_state[f"{OPTIMIZER}landscape"])

    key = f"{OPTIMIZER}base"
    begin(key, build.rule().base)
    left, right = st.columns(2)
    left.selectbox(_("Start from"), list(built_in), key=key, format_func=lambda id: built_in[id], on_change=choose)
    key = f"{OPTIMIZER}landscape"
    begin(key, build.ground())
    right.selectbox(_("Landscape"), list(grounds), key=key, format_func=lambda id: grounds[id], on_change=go)


def _knobs(optimizer: Optimizer) -> Values:
    """The sliders of a rule's knobs; returns what they are set to, where that is not their default."""
    before, found = build.values("optimizer"), Values()
    for hyper in optimizer.hypers:
        key = f"{OPTIMIZER}knob.{hyper.name}.{hyper.low}.{hyper.high}"
        value = min(max(setting(before, hyper), hyper.low), hyper.high)
        found = with_knob(found, hyper, knob(hyper, value, key))
    st.session_state["building.optimizer.values"] = found
    return found


def _ranges(rule: build.Rule, optimizer: Optimizer) -> build.Rule:
    """Ranges and defaults of the knobs, and the name. Raises `FormulaError`."""
    knobs = {}
    for hyper in optimizer.hypers:
        name = hyper.alias or hyper.name
        given = (hyper.low, hyper.high, hyper.default)
        knobs[name] = tuple(_range(hyper.symbol, given, f"{OPTIMIZER}range.{name}"))
    name = _name(rule.name, optimizer.name, OPTIMIZER)
    return replace(rule, knobs=tuple(knobs.items()), name=name)


def _lines(rule: build.Rule) -> list[tuple[str, str]]:
    """A row for each line: its name, its formula, a button that removes it."""
    st.caption(
        _(
            "Each line gives a name its new value, from g (gradient), theta (parameters), t (step) and other names. "
            "State starts from 0; delta is added to theta. New names become knobs."
        )
    )

    def change(lines: Sequence[tuple[str, str]]) -> None:
        current = build.rule()
        build.begin_with("optimizer", current.with_lines(lines), build.values("optimizer"), build.start("optimizer"))

    lines = []
    for number, (name, text) in enumerate(rule.lines):
        key = f"{OPTIMIZER}{number}"
        begin(f"{key}.name", name)
        begin(f"{key}.text", text)
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            labels: Any = {"label_visibility": "collapsed"}
            new = st.text_input(_("Name"), key=f"{key}.name", width=78, disabled=name == STEP, live=PAUSE, **labels)
            formula = st.text_input(_("Formula of {name}").format(name=name), key=f"{key}.text", live=PAUSE, **labels)
            rest = [*rule.lines[:number], *rule.lines[number + 1 :]]
            st.button(
                "",
                icon=":material/close:",
                key=f"{key}.remove",
                help=_("Remove this line"),
                disabled=name == STEP,
                on_click=change,
                args=(rest,),
                type="tertiary",
            )
        lines.append(((new or "").strip(), formula or ""))
    free = next(letter for letter in "uwabcdhknpqrs" if letter not in dict(lines))
    st.button(
        _("Add a line"),
        icon=":material/add:",
        key=f"{OPTIMIZER}add",
        on_click=change,
        args=([(free, "g"), *rule.lines],),
        type="tertiary",
        disabled=len(lines) >= MAX_LINES,
    )
    return lines
