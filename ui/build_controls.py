"""The build page's fields: a formula that is read while it is typed, with its settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from descent import recipe
from descent.formula import FUNCTIONS, FormulaError
from descent.hyper import Hyper
from descent.optimizer import Optimizer
from descent.spec import Values
from landscapes.formula import AXES, Draft, FormulaLandscape
from optimizers.formula import MAX_LINES, STEP
from optimizers.templates import TEMPLATES
from ui import build, formulas, words
from ui.controls import begin, knob
from ui.language import _
from ui.race import FAR, with_knob

PAUSE = "300ms"  # of typing, after which a formula is read
LANDSCAPE, OPTIMIZER = "build.landscape.", "build.optimizer."  # of all widgets here


def wrong(error: FormulaError, text: str) -> None:
    """What is wrong in a text, with a caret under the place."""
    with st.container(gap="xsmall"):
        st.code(f"{text}\n{' ' * (error.column - 1)}^", language=None)
        place = _("Column {column}").format(column=error.column)
        st.markdown(f":red[**{place}**] {words.problem(error)}")


# ---- the landscape -------------------------------------------------------------------------------------------------


def landscape_fields() -> tuple[FormulaLandscape | None, Values]:
    """All fields of a landscape; returns it, or None if it is not right yet, and what its sliders are set to."""
    names = {id: _(name) for id, (name, _text) in build.EXAMPLES.items()}

    def choose() -> None:
        chosen = st.session_state[f"{LANDSCAPE}example"]
        if chosen in build.EXAMPLES:
            build.begin_with(landscape=build.draft_of(build.EXAMPLES[chosen][1]))

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
    understood = st.container(height=150, border=True)
    draft, shape = _sliders(draft)
    draft, problem = _place(draft)
    st.session_state["building.landscape"] = draft
    landscape = None
    with understood:
        try:
            if problem is None:
                landscape = build.built(draft)
                st.latex(landscape.formula)
            else:
                st.markdown(f":red[{words.problem(problem)}]")
        except FormulaError as error:
            wrong(error, draft.formula)
    return landscape, shape


def _sliders(draft: Draft) -> tuple[Draft, Values]:
    """The sliders of the formula, and their ranges."""
    shape = Values()
    if not draft.sliders:
        return draft, shape
    for slider in draft.sliders:
        # A range is part of the key: Streamlit resets a slider whose range changes.
        key = f"{LANDSCAPE}slider.{slider.name}.{slider.low}.{slider.high}"
        shape = with_knob(shape, slider, knob(slider, slider.default, key))
    drawer = st.popover(_("Ranges of the sliders"), key=f"{LANDSCAPE}ranges", on_change="rerun")
    sliders = draft.sliders
    if drawer.open:
        with drawer:
            sliders = tuple(_range(slider, f"{LANDSCAPE}range.{slider.name}") for slider in sliders)
    return draft._replace(sliders=sliders), shape


def _range(slider: Hyper, key: str) -> Hyper:
    """Two fields for the range of a knob; it stays as it is where they make no range."""
    low, high = _ends(f"${slider.symbol}$", (slider.low, slider.high), key)
    try:
        ends = recipe.ordered((low, high))
        return recipe.knob(slider.name, (*ends, min(max(slider.default, ends[0]), ends[1])), slider.help)
    except FormulaError as error:
        st.markdown(f":red[{words.problem(error)}]")
        return slider


def _ends(name: str, ends: Sequence[float], key: str) -> tuple[float, float]:
    found = []
    with st.container(horizontal=True, gap="small"):
        for label, end in zip((_("{name} from"), _("{name} to")), ends, strict=True):
            begin(f"{key}.{label}", float(end))
            text = label.format(name=name)
            found.append(
                st.number_input(text, -FAR, FAR, key=f"{key}.{label}", step=0.5, format="%.5g", width="stretch")
            )
    return found[0], found[1]


def _place(draft: Draft) -> tuple[Draft, FormulaError | None]:
    """Domain and name."""
    problem = None
    with st.container(gap="xsmall"):
        ends = [_ends(f"${axis}$", draft.domain[k], f"{LANDSCAPE}{axis}") for k, axis in enumerate(AXES)]
    try:
        x, y = (recipe.ordered(pair) for pair in ends)
        draft = draft._replace(domain=(x, y))
    except FormulaError as error:
        problem = error
    key = f"{LANDSCAPE}name"
    begin(key, draft.name)
    name = st.text_input(_("Name"), key=key, max_chars=40, placeholder=recipe.shown(draft.formula))
    return draft._replace(name=recipe.clean(name)), problem


# ---- the optimizer -------------------------------------------------------------------------------------------------


def optimizer_fields() -> tuple[Optimizer | None, dict[str, float]]:
    """All fields of an optimizer; returns it, or None if it is not right yet, and what its knobs are set to."""
    built_in = {id: name for id, name in formulas.optimizer_names().items() if id in TEMPLATES}
    rule = build.rule()

    def choose() -> None:
        build.begin_with(optimizer=build.rule_of(st.session_state[f"{OPTIMIZER}base"]))

    key = f"{OPTIMIZER}base"
    begin(key, rule.base)
    left, right = st.columns(2)
    left.selectbox(_("Start from"), list(built_in), key=key, format_func=lambda id: built_in[id], on_change=choose)
    _ground(right)
    rule = rule.with_lines(_lines(rule))
    st.session_state["building.rule"] = rule
    understood = st.container(height=180, border=True)
    optimizer = None
    values: dict[str, float] = {}
    try:
        optimizer = rule.built()
        understood.latex(optimizer.equations)
    except FormulaError as error:
        text = dict(rule.lines).get(error.line, "")
        with understood:
            if error.line:
                st.markdown(f"**{error.line}**")
            wrong(error, text)
    for hyper in optimizer.hypers if optimizer else ():
        value = knob(hyper, hyper.default, f"{OPTIMIZER}knob.{hyper.name}.{hyper.low}.{hyper.high}")
        if value != hyper.default:
            values[hyper.name] = value
    return optimizer, values


def _ground(place: DeltaGenerator) -> None:
    """The landscape on which the optimizer is tried."""
    names = formulas.landscape_names()
    key = f"{OPTIMIZER}landscape"
    if st.session_state.get(key) not in names:
        st.session_state[key] = build.ground() if build.ground() in names else "rosenbrock"
    chosen = place.selectbox(_("Landscape"), list(names), key=key, format_func=lambda id: names[id])
    st.session_state["building.ground"] = chosen


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
        build.begin_with(optimizer=current.with_lines(lines))

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
