"""The schedules' controls, and the session's state behind them and the URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

import optimizers
from descent.spec import Values
from lessons.rates import DEMONSTRATIONS
from schedules import SCHEDULES
from ui import address, race_controls
from ui.controls import begin, forget, knob, knobs
from ui.formulas import optimizer_names
from ui.language import _
from ui.race import AXES, MAX_LANES, RATE, STEPS, Race, setting, with_knob
from ui.race_controls import lane_names, look, styles
from ui.scene_controls import conditions, forget_start, ground, on_landscape, projector, schedule
from ui.schedules import SWEEP, VIEWS, Plan, from_query, staged, to_query, with_rate

KEY = "plan."  # of every widget here


# ---- state -----------------------------------------------------------------------------------------------------------


def current() -> Plan:
    """The session's plan, which a new session reads from the URL."""
    if "plan" not in st.session_state:
        follow(address.asked("schedules"))
    return st.session_state.plan


def follow(query: Mapping[str, str]) -> None:
    """Take the plan from a URL's query."""
    plan, notes = from_query(query)
    put(plan)
    st.session_state.plan_notes = notes


def put(plan: Plan) -> None:
    """Make ``plan`` the session's, whatever the widgets say."""
    st.session_state.plan = plan
    st.session_state.plan_notes = []
    forget(KEY)


def put_race(race: Race) -> None:
    """Set the race alone."""
    put(replace(st.session_state.plan, race=race))


def move_start(point: tuple[float, float]) -> None:
    """Set the start alone; all other widgets stay as they are."""
    plan = st.session_state.plan
    st.session_state.plan = replace(plan, race=replace(plan.race, start=point))
    forget_start(KEY)


def move_horizon(steps: int) -> None:
    """Set the number of steps alone."""
    plan = st.session_state.plan
    steps = min(max(steps, int(STEPS.low)), int(STEPS.high))
    st.session_state.plan = replace(plan, race=replace(plan.race, steps=steps))
    st.session_state.pop(f"{KEY}steps", None)


def use_rate(rate: float) -> None:
    """Run with what the range test suggests."""
    put(with_rate(st.session_state.plan, rate))


def share() -> None:
    """Write the session's plan into the address."""
    address.share("schedules", to_query(st.session_state.plan))


# ---- above the picture -----------------------------------------------------------------------------------------------


def views(plan: Plan) -> Plan:
    """Schedules side by side or the range test; and the demonstrations, one click each."""
    names = {name: _(words) for name, words in VIEWS.items()}
    begin(f"{KEY}view", plan.view)
    with st.container(horizontal=True, vertical_alignment="center", key="plan_views"):
        view = st.segmented_control(
            _("What is shown"),
            list(names),
            key=f"{KEY}view",
            format_func=lambda i: names[i],
            required=True,
            label_visibility="collapsed",
        )
        _demonstrations(plan)
    return replace(plan, view=view or plan.view)


def _demonstrations(plan: Plan) -> None:
    names = {demonstration.id: _(demonstration.name) for demonstration in DEMONSTRATIONS}

    def choose() -> None:
        chosen = st.session_state[f"{KEY}situation"]
        race = staged(chosen) if chosen else replace(st.session_state.plan.race, situation="")
        put(replace(st.session_state.plan, race=race, view="runs"))

    begin(f"{KEY}situation", plan.race.situation or None)
    st.pills(
        _("Demonstrations"),
        list(names),
        key=f"{KEY}situation",
        format_func=lambda i: names[i],
        on_change=choose,
        label_visibility="collapsed",
    )


def look_for(plan: Plan) -> str:
    """What to look for in a demonstration; empty if there is none."""
    found = next((d for d in DEMONSTRATIONS if d.id == plan.race.situation), None)
    return _(found.look_for) if found and plan.view == "runs" else ""


# ---- the sidebar -----------------------------------------------------------------------------------------------------


def controls(plan: Plan) -> Plan:
    """All controls of the sidebar; returns the plan as they now stand."""
    race, sweep = plan.race, plan.sweep
    if plan.view == "range":
        sweep = knobs(SWEEP, sweep, f"{KEY}range")
    else:
        race = replace(race, steps=int(knob(STEPS, race.steps, f"{KEY}steps")))
        race = _lanes(race)
    st.divider()
    race = _optimizer(race)
    st.divider()
    race = ground(KEY, race, lambda chosen: put_race(on_landscape(st.session_state.plan.race, chosen)))
    drawer = st.expander(_("Noise and clipping"), key=f"{KEY}more", on_change="rerun")
    if drawer.open:
        with drawer:
            race = conditions(KEY, race, scheduled=False)
    names = {key: _(name) for key, name in AXES.items()}
    begin(f"{KEY}axis", race.axis)
    axis = st.segmented_control(
        _("Loss axis"), list(AXES), key=f"{KEY}axis", format_func=lambda i: names[i], required=True
    )
    race = projector(KEY, replace(race, axis=axis or race.axis))
    if st.button(_("Open in the race"), icon=":material/sprint:", key=f"{KEY}race", width="stretch"):
        race_controls.put(replace(race, situation=""))
        st.session_state.notes = []
        st.switch_page("pages/race.py")
    return replace(plan, race=race, sweep=sweep)


def _lanes(race: Race) -> Race:
    look(styles(race), "plan-look")
    lanes = []
    for number, (lane, name) in enumerate(zip(race.lanes, lane_names(race), strict=True)):
        key = f"{KEY}{number}."
        row = st.container(key=f"{KEY}look.{number}", horizontal=True, vertical_alignment="center")
        row.markdown(f"**{name}**", width="stretch")
        if len(race.lanes) > 1:
            about = _("Remove {name}").format(name=name)
            row.button(
                "",
                icon=":material/close:",
                key=f"{key}remove",
                help=about,
                on_click=_remove,
                args=(number,),
                type="tertiary",
            )
        rate = next((h for h in optimizers.find(lane.optimizer).hypers if h.name == "learning_rate"), None)
        if rate is not None and race.rate is None:
            value = knob(rate, setting(lane.hyper, rate), f"{key}{lane.optimizer}.{rate.name}")
            lane = replace(lane, hyper=with_knob(lane.hyper, rate, value))
        chosen, values = schedule(key, *race.schedule_of(lane))
        lanes.append(replace(lane, schedule=chosen, schedule_hyper=values))
    _add(race)
    return replace(race, lanes=tuple(lanes))


def _remove(number: int) -> None:
    race = st.session_state.plan.race
    put_race(replace(race, lanes=race.lanes[:number] + race.lanes[number + 1 :]))


def _add(race: Race) -> None:
    names = {name: _(found.name) for name, found in SCHEDULES.items()}

    def add() -> None:
        chosen, now = st.session_state[f"{KEY}add"], st.session_state.plan.race
        if chosen in names:
            lane = replace(now.lanes[0], schedule=chosen, schedule_hyper=Values())
            put_race(replace(now, lanes=(*now.lanes, lane)))

    st.selectbox(
        _("Add a schedule"),
        list(names),
        index=None,
        key=f"{KEY}add",
        placeholder=_("+ schedule"),
        format_func=lambda i: names[i],
        on_change=add,
        label_visibility="collapsed",
        disabled=len(race.lanes) >= MAX_LANES,
    )


def _optimizer(race: Race) -> Race:
    """One optimizer for all, its knobs, and whether they share a learning rate."""
    first = race.lanes[0]
    names = optimizer_names(*(lane.optimizer for lane in race.lanes))

    def change() -> None:
        chosen, now = st.session_state[f"{KEY}optimizer"], st.session_state.plan.race
        if chosen in names:
            lanes = tuple(replace(lane, optimizer=chosen, hyper=Values()) for lane in now.lanes)
            put_race(replace(now, lanes=lanes, situation=""))

    begin(f"{KEY}optimizer", first.optimizer)
    st.selectbox(
        _("Optimizer of all"), [*names], key=f"{KEY}optimizer", format_func=lambda i: names[i], on_change=change
    )
    begin(f"{KEY}shared", race.rate is not None)
    rate = None
    if st.toggle(_("One learning rate for all"), key=f"{KEY}shared"):
        own = first.hyper.get("learning_rate", RATE.default)
        rate = knob(RATE, own if race.rate is None else race.rate, f"{KEY}rate")
    rest = [h for h in optimizers.find(first.optimizer).hypers if h.name != "learning_rate"]
    values = knobs(rest, first.hyper, f"{KEY}{first.optimizer}")
    common = {h.name: setting(values, h) for h in rest}
    lanes = []
    for lane in race.lanes:
        hyper = lane.hyper
        for h in rest if lane.optimizer == first.optimizer else []:
            hyper = with_knob(hyper, h, common[h.name])
        lanes.append(replace(lane, hyper=hyper))
    return replace(race, rate=rate, lanes=tuple(lanes))
