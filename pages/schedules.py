"""Schedules: learning rates that change on the way, beside the constant one. Controls, computation, picture."""

from __future__ import annotations

import streamlit as st

import optimizers
from schedules import SCHEDULES
from ui import address, schedules_stage, stage, words
from ui.controls import text
from ui.frame import framed
from ui.language import _
from ui.runner import run_all
from ui.schedules import events, two_digits
from ui.schedules_controls import (
    controls,
    current,
    follow,
    look_for,
    move_horizon,
    move_start,
    share,
    use_rate,
    views,
)


def main() -> None:
    before = current()
    plan = views(before)
    with st.sidebar:
        plan = st.session_state.plan = controls(plan)
    if plan != before:
        st.session_state.plan_notes = []
    with st.container():
        if sentence := look_for(plan):
            st.markdown(sentence)
        if notes := st.session_state.get("plan_notes"):
            st.warning("  \n".join(words.note(n) for n in notes), icon=":material/info:")
    if plan.view == "range":
        range_test()
    else:
        picture()
        formulas()
    share()


@st.fragment
def picture() -> None:
    """The stage, in a fragment: dragging the start or the horizon reruns nothing else."""
    race = st.session_state.plan.race
    runs = st.session_state.plan_runs = run_all(race, st.empty())
    moving = schedules_stage.moving(race, runs)
    if (step := address.asked_step()) is not None:
        moving["step"] = step
    told = {"kind": "schedules", "on_horizon": pulled}
    identity = schedules_stage.identity(race)
    stage.show("plan_stage", lambda: schedules_stage.still(race), identity, moving, dragged, went, **told)
    if st.session_state.pop("plan_anew", False):
        st.rerun()


def formulas() -> None:
    """The schedules that are shown: formulas, conventions, and what has been observed."""
    race = st.session_state.plan.race
    shown = list(dict.fromkeys(race.schedule_of(lane)[0] for lane in race.lanes))
    with st.container(key="formulas"):
        for column, name in zip(st.columns(2) * len(shown), shown, strict=False):
            schedule = SCHEDULES[name]
            column.markdown(f"**{_(schedule.name)}**")
            column.latex(rf"\alpha_t / \alpha = {schedule.formula}")
            column.caption("  \n".join(filter(None, [_(schedule.convention), schedule.reference])))
        st.caption(
            _(
                "t = 0 … T − 1 counts the steps. With a warm-up of T′ steps, the rate is (t + 1)/T′ of the first one "
                "as long as t < T′; from then on the formula holds, with t − T′ for t and T − T′ for T."
            )
        )
        for lane, run in zip(race.lanes, st.session_state.plan_runs, strict=True):
            if steps := events(race, lane, run):
                first = ", ".join(map(str, steps[:12])) + (" …" if len(steps) > 12 else "")
                st.caption(_("α was lowered {count} times, at steps {steps}.").format(count=len(steps), steps=first))


def range_test() -> None:
    """Loss against a learning rate that grows along one run, and what it suggests."""
    plan = st.session_state.plan
    optimizer = optimizers.find(plan.lane.optimizer)
    if all(hyper.name != "learning_rate" for hyper in optimizer.hypers):
        sentence = _("{name} has no learning rate to test.")
        st.info(sentence.format(name=_(optimizer.name)), icon=":material/info:")
        return
    try:
        moving, suggested = schedules_stage.range_picture(plan)
    except ValueError:
        st.info(_("The first rate must be lower than the last one."), icon=":material/info:")
        return
    st.caption(
        _(
            "One run, whose learning rate grows by the same factor at each step (Smith 2017). Where the loss is "
            "lowest, α is near the edge of what the run can bear: a tenth of it is safe. Where it falls fastest, "
            "α does most."
        )
    )
    st.session_state.plan_suggested = [rate for _rule, rate in suggested]
    identity, told = schedules_stage.range_identity(plan), {"kind": "charts", "on_pick": picked}
    stage.show("plan_range", lambda: schedules_stage.range_still(plan), identity, moving, None, back, **told)
    if st.session_state.pop("plan_anew", False):
        st.rerun()
    if not suggested:
        st.info(_("In this range the loss does not fall: nothing is suggested."), icon=":material/info:")
        return
    with st.container(horizontal=True):
        for number, (rule, rate) in enumerate(suggested):
            label = _("Use α = {rate} ({rule})").format(rate=text(two_digits(rate)), rule=rule)
            st.button(label, key=f"plan_use_{number}", on_click=use_rate, args=(rate,))


def picked() -> None:
    """A suggested rate was clicked in the picture."""
    use_rate(st.session_state.plan_suggested[int(st.session_state.plan_range.pick["point"])])
    st.session_state.plan_anew = True


def dragged() -> None:
    """A start point arrived from the stage."""
    told = st.session_state.plan_stage.start
    x, y = (float(v) for v in told["point"])
    move_start((x, y))
    st.session_state.plan_anew = bool(told["done"])


def pulled() -> None:
    """Another number of steps arrived from the stage."""
    told = st.session_state.plan_stage.horizon
    move_horizon(int(told["steps"]))
    st.session_state.plan_anew = bool(told["done"])


def went() -> None:
    """The browser went back or forth."""
    follow(address.returned("schedules", st.session_state.plan_stage.address))
    st.session_state.plan_anew = True


def back() -> None:
    """It did so from the range test."""
    follow(address.returned("schedules", st.session_state.plan_range.address))
    st.session_state.plan_anew = True


if framed():
    main()
