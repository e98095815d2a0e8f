"""The race's controls in the sidebar: made from the declarations, read back into a `Race`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

import landscapes
import optimizers
from descent.hyper import Hyper
from descent.spec import Values
from figures import LaneStyle, lane_styles
from lessons.situations import SITUATIONS, Situation
from optimizers import OPTIMIZERS
from schedules import SCHEDULES
from ui import address, formulas
from ui.controls import begin, forget, knob, knobs
from ui.language import _
from ui.race import (
    AXES,
    MAX_FILE,
    MAX_LANES,
    NUMBERS,
    RATE,
    STEPS,
    TOLERANCE,
    Lane,
    Race,
    from_json,
    from_query,
    setting,
    to_query,
    with_knob,
)
from ui.scene_controls import (
    conditions,
    forget_start,
    ground,
    on_landscape,
    projector,
)
from ui.scene_controls import schedule as own_schedule

GLYPHS = {
    "circle": "●",
    "square": "■",
    "diamond": "◆",
    "triangle-up": "▲",
    "cross": "✚",
    "star": "★",
    "triangle-down": "▼",
    "pentagon": "⬟",
    "hexagon": "⬢",
}
KEY = "race."  # of every widget here
LOOKS = sorted(OPTIMIZERS, key=lambda name: OPTIMIZERS[name].look)
DEFAULT = Race(
    landscape="rosenbrock",
    lanes=(
        Lane("sgd", Values(learning_rate=0.0011)),
        Lane("momentum", Values(learning_rate=0.0011)),
        Lane("rmsprop", Values(decay=0.9)),
        Lane("adam", Values(learning_rate=0.05)),
    ),
)


# ---- state: the race of this session, and the URL ----------------------------------------------------------------


def current() -> Race:
    """The session's race, which a new session reads from the URL."""
    if "race" not in st.session_state:
        follow(address.asked("race"))
    return st.session_state.race


def follow(query: Mapping[str, str]) -> None:
    """Take the race from a URL's query: a new session's, or one that the browser's back button returns to.

    Not from every run's: a run that was asked for before the browser had heard of the last change still has the old.
    """
    known = {s.id: s for s in SITUATIONS}
    if query.keys() == {"situation"} and query["situation"] in known:
        race, notes = staged(known[query["situation"]]), []
    else:
        race, notes = from_query(query, DEFAULT, list(known))
    put(race)
    st.session_state.notes = notes


def staged(situation: Situation) -> Race:
    """The race of a situation."""
    return Race.of(situation.runs, situation=situation.id, **situation.view)


def put(race: Race) -> None:
    """Make ``race`` the session's, whatever the widgets say."""
    st.session_state.race = race
    forget(KEY)


def move_start(point: tuple[float, float]) -> None:
    """Set the start alone; all other widgets stay as they are."""
    st.session_state.race = replace(st.session_state.race, start=point)
    forget_start(KEY)


def turn(race: Race, widgets: Sequence[str]) -> None:
    """Set the race to one that differs in what these widgets show; all others stay as they are."""
    st.session_state.race = race
    st.session_state.notes = []
    for widget in widgets:
        st.session_state.pop(KEY + widget, None)


def share() -> None:
    """Write the session's race into the address."""
    address.share("race", to_query(st.session_state.race))


def look_for(race: Race) -> str:
    """The situation that the race began as, and what to look for in it; empty if it began as none."""
    found = next((s for s in SITUATIONS if s.id == race.situation), None)
    return f"**{_(found.name)}**  {_(found.look_for)}" if found else ""


def styles(race: Race) -> list[LaneStyle]:
    """The look of each lane."""
    return lane_styles(LOOKS, [lane.optimizer for lane in race.lanes])


def lane_names(race: Race) -> list[str]:
    """The name of each lane: its optimizer's, and where one runs twice, what sets it apart."""
    names = [_(optimizers.find(lane.optimizer).name) for lane in race.lanes]
    out = []
    for lane, name in zip(race.lanes, names, strict=True):
        twins = [other for other in race.lanes if other.optimizer == lane.optimizer]
        if len(twins) > 1:
            hypers = optimizers.find(lane.optimizer).hypers
            differ = [h for h in hypers if len({setting(t.hyper, h) for t in twins}) > 1]
            if race.rate is not None:
                differ = [h for h in differ if h.name != "learning_rate"]
            marks = [f"{SIGNS.get(h.name, h.name)}={setting(lane.hyper, h):.4g}" for h in differ]
            marks += schedule_marks(race, lane, twins)
            if len({t.clipped for t in twins}) > 1 and race.clip != "off":
                marks.append(_("clipped") if lane.clipped else _("not clipped"))
            name = " ".join([name, *marks])
        out.append(name)
    return out


def schedule_marks(race: Race, lane: Lane, others: Sequence[Lane]) -> list[str]:
    """What sets the schedule of a lane apart from that of others: its name, and the knobs if they have it, too."""
    name, values = race.schedule_of(lane)
    schedules = [race.schedule_of(other) for other in others]
    marks = [_(SCHEDULES[name].name)] if {other for other, _values in schedules} != {name} else []
    same = [values for other, values in schedules if other == name]
    differ = [h for h in SCHEDULES[name].hypers if len({setting(other, h) for other in same}) > 1]
    return marks + [f"{_(h.label)} {setting(values, h):.4g}" for h in differ]


SIGNS = {"learning_rate": "α", "momentum": "ρ", "decay": "β", "b1": "β₁", "b2": "β₂", "eps": "ε", "weight_decay": "λ"}


# ---- what the widgets say --------------------------------------------------------------------------------------------


def read(race: Race) -> Race:
    """The race as the widgets set it; what has no widget at the moment is as in ``race``.

    Apart from drawing them, so that the picture need not wait for the sidebar.
    """
    said = st.session_state
    landscape = landscapes.find(race.landscape)
    x, y = (_number(axis, value) for axis, value in zip("xy", race.begin, strict=True))
    one_rate = said.get(f"{KEY}shared", race.rate is not None)
    schedule = said.get(f"{KEY}schedule", race.schedule)
    schedule_hyper = race.schedule_hyper if schedule == race.schedule else Values()
    numbers = {h.name: _number(h.name, getattr(race, h.name)) for h in NUMBERS}
    return replace(
        race,
        **numbers | {h.name: int(numbers[h.name]) for h in NUMBERS if h.whole},
        shape=_read_knobs(race.shape, landscape.hypers, f"{landscape.id}."),
        start=None if (x, y) == landscape.start else (x, y),
        rate=_number("rate", RATE.default if race.rate is None else race.rate) if one_rate else None,
        lanes=tuple(_read_lane(number, lane) for number, lane in enumerate(race.lanes)),
        clip=said.get(f"{KEY}clip", race.clip),
        schedule=schedule,
        schedule_hyper=_read_knobs(schedule_hyper, SCHEDULES[schedule].hypers, f"{schedule}."),
        axis=said.get(f"{KEY}axis", race.axis),
        projector=said.get(f"{KEY}projector", race.projector),
    )


def _read_lane(number: int, lane: Lane) -> Lane:
    name = f"{number}.{lane.optimizer}"
    schedule = st.session_state.get(f"{KEY}{name}.schedule", lane.schedule)
    values = lane.schedule_hyper if schedule == lane.schedule else Values()
    hypers = SCHEDULES[schedule].hypers if schedule else ()
    return replace(
        lane,
        hyper=_read_knobs(lane.hyper, optimizers.find(lane.optimizer).hypers, f"{name}."),
        clipped=st.session_state.get(f"{KEY}{name}.clipped", lane.clipped),
        schedule=schedule,
        schedule_hyper=_read_knobs(values, hypers, f"{name}.{schedule}."),
    )


def _number(name: str, value: float) -> float:
    return float(st.session_state.get(KEY + name, value))


def _read_knobs(values: Values, hypers: Sequence[Hyper], prefix: str) -> Values:
    for hyper in hypers:
        values = with_knob(values, hyper, _number(prefix + hyper.name, setting(values, hyper)))
    return values


# ---- the sidebar ---------------------------------------------------------------------------------------------------


def controls(race: Race) -> None:
    """All controls of the race."""
    _presets()
    scene(race)
    _view(race)
    _upload()


def scene(race: Race) -> None:
    """Where the race takes place, who runs, and how far: what other pages that show the session's race need as well."""
    ground(KEY, race, lambda chosen: put(on_landscape(st.session_state.race, chosen)))
    st.divider()
    _lanes(race)
    st.divider()
    _run(race)


def _presets() -> None:
    ids = [situation.id for situation in SITUATIONS]
    names = {situation.id: _(situation.name) for situation in SITUATIONS}

    def choose() -> None:
        chosen = st.session_state.get(f"{KEY}situation")
        # A run that overtakes another is told again what that one was told.
        if chosen in ids and chosen != st.session_state.race.situation:
            put(staged(SITUATIONS[ids.index(chosen)]))
        elif chosen is None:
            st.session_state.race = replace(st.session_state.race, situation="")
        st.session_state.notes = []

    key = f"{KEY}situation"
    # None is said, too: the browser would go on showing, and telling, what was chosen before.
    begin(key, st.session_state.race.situation if st.session_state.race.situation in ids else None)
    st.selectbox(
        _("Preset"),
        ids,
        index=None,
        placeholder=_("Choose a situation"),
        format_func=lambda i: names[i],
        key=key,
        on_change=choose,
        help=_("Each shows one thing, with a sentence on what to look for."),
    )


def _lanes(race: Race) -> None:
    shared = f"{KEY}shared"
    begin(shared, race.rate is not None)
    if st.toggle(_("One learning rate for all"), key=shared):
        knob(RATE, RATE.default if race.rate is None else race.rate, f"{KEY}rate")
    look(styles(race))
    for number, (lane, name) in enumerate(zip(race.lanes, lane_names(race), strict=True)):
        _lane(race, number, lane, name)
    _add(race)


def _lane(race: Race, number: int, lane: Lane, name: str) -> None:
    optimizer = optimizers.find(lane.optimizer)
    key = f"{KEY}{number}.{lane.optimizer}"
    rate = next((h for h in optimizer.hypers if h.name == "learning_rate"), None)
    row = st.container(key=f"{KEY}look.{number}", horizontal=True, vertical_alignment="center", gap="small")
    with row:
        if rate is not None and race.rate is None:
            knob(rate, setting(lane.hyper, rate), f"{key}.{rate.name}", label=rf"**{name}** $\alpha$")
        else:
            st.markdown(f"**{name}**")
    # What is behind a button is only made when it is open: closed, it would double the work of every rerun.
    help_text = _("All knobs of {name}").format(name=name)
    drawer = row.popover("", icon=":material/tune:", key=f"{key}.more", help=help_text, on_change="rerun")
    if drawer.open:
        with drawer:
            _drawer(race, number, lane, key)


def _drawer(race: Race, number: int, lane: Lane, key: str) -> None:
    """All about one runner: its rule, its other knobs, what can be done with it."""
    optimizer = optimizers.find(lane.optimizer)
    st.markdown(f"**{_(optimizer.name)}** ({optimizer.year})  \n{_(optimizer.summary)}")
    if optimizer.on_vectors:
        matrix = landscapes.find(race.landscape).slice is not None
        vector = _("on a point in the plane: {rule}").format(rule=_(optimizer.on_vectors))
        st.badge(_("here it moves a matrix") if matrix else vector, color="green" if matrix else "blue")
    st.latex(optimizer.equations)
    knobs((hyper for hyper in optimizer.hypers if hyper.name != "learning_rate"), lane.hyper, key)
    if race.clip != "off":
        switch = f"{key}.clipped"
        begin(switch, lane.clipped)
        st.toggle(_("Gradient clipping applies"), key=switch)
    own_schedule(f"{key}.", lane.schedule, lane.schedule_hyper, _("as all"))
    st.caption(optimizer.reference)
    twice, remove = st.columns(2)
    twice.button(_("Run twice"), key=f"{key}.twice", on_click=_duplicate, args=(number,))
    remove.button(_("Remove"), key=f"{key}.remove", on_click=_remove, args=(number,))
    if st.button(_("Under the microscope"), icon=":material/biotech:", key=f"{key}.microscope", width="stretch"):
        st.session_state.scope_asked = to_query(replace(race, lanes=(lane,)))
        st.switch_page("pages/microscope.py")


def look(looks: list[LaneStyle], key: str = "race-look") -> None:
    """Each lane's glyph and colour in front of its name, in containers of this key and the lane's number."""
    dark = st.context.theme.type == "dark"
    rules = "".join(
        f".st-key-{key}-{k} p strong::before"
        f" {{ content: '{GLYPHS[style.marker]} '; color: {style.dark if dark else style.light} }}"
        for k, style in enumerate(looks)
    )
    st.html(f"<style>{rules}</style>")


def _change_lanes(lanes: tuple[Lane, ...]) -> None:
    put(replace(st.session_state.race, lanes=lanes))


def _remove(number: int) -> None:
    lanes = st.session_state.race.lanes
    _change_lanes(lanes[:number] + lanes[number + 1 :])


def _duplicate(number: int) -> None:
    lanes = st.session_state.race.lanes
    _change_lanes(lanes[: number + 1] + lanes[number:])


def _add(race: Race) -> None:
    names = formulas.optimizer_names(*(lane.optimizer for lane in race.lanes))

    def add() -> None:
        chosen = st.session_state[f"{KEY}add"]
        if chosen in names:
            _change_lanes((*st.session_state.race.lanes, Lane(chosen)))

    full = len(race.lanes) >= MAX_LANES
    st.selectbox(
        _("Add an optimizer"),
        list(names),
        index=None,
        key=f"{KEY}add",
        placeholder=_("+ optimizer"),
        format_func=lambda i: names[i],
        on_change=add,
        label_visibility="collapsed",
        disabled=full,
    )


def _run(race: Race) -> None:
    knob(STEPS, race.steps, f"{KEY}steps")
    drawer = st.expander(_("Noise, clipping, schedule"), key=f"{KEY}run.more", on_change="rerun")
    if drawer.open:
        with drawer:
            conditions(KEY, race)
            knob(TOLERANCE, race.tolerance, f"{KEY}tolerance")  # what counts as arrived


def _view(race: Race) -> None:
    names = {key: _(name) for key, name in AXES.items()}
    key = f"{KEY}axis"
    begin(key, race.axis)
    st.segmented_control(_("Loss axis"), list(AXES), key=key, format_func=lambda i: names[i], required=True)
    projector(KEY, race)


def _upload() -> None:
    def read() -> None:
        file = st.session_state[f"{KEY}file"]
        if file is not None:
            race, notes = from_json(file.read(MAX_FILE + 1), st.session_state.race)
            put(race)
            st.session_state.notes = notes

    drawer = st.expander(_("Open a race from a file"), key=f"{KEY}file.more", on_change="rerun")
    if drawer.open:
        drawer.file_uploader(_("RunSpec JSON, as exported here"), key=f"{KEY}file", on_change=read)
