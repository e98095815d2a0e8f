"""Controls made from declarations: one `Hyper`, one widget."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

import streamlit as st

from descent.hyper import Hyper
from descent.spec import Values
from ui.language import _
from ui.race import setting, with_knob

# Round numbers in a decade: what a hand would set on a logarithmic dial. All stops travel to the browser whenever the
# widget is drawn, so a dial over many decades has fewer.
FINE = (1, 1.1, 1.25, 1.4, 1.6, 1.8, 2, 2.25, 2.5, 2.8, 3.2, 3.6, 4, 4.5, 5, 5.6, 6.3, 7, 8, 9)
MIDDLE = (1, 1.25, 1.6, 2, 2.5, 3.2, 4, 5, 6.3, 8)
COARSE = (1, 2, 5)


@lru_cache(maxsize=256)
def ladder(low: float, high: float, extra: float) -> list[float]:
    """Round numbers from ``low`` to ``high`` in logarithmic steps, and ``extra`` among them."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    round_numbers = FINE if len(decades) <= 4 else MIDDLE if len(decades) <= 9 else COARSE
    stops = {float(f"{m}e{d}") for d in decades for m in round_numbers}
    return sorted({stop for stop in stops if low <= stop <= high} | {low, high, extra})


@lru_cache(maxsize=8192)
def text(value: float) -> str:
    """A knob's value as people write it."""
    return f"{value:.4g}".replace("e-0", "e-").replace("e+0", "e")


def grain(hyper: Hyper) -> float:
    """The step of a linear knob's slider."""
    if hyper.whole:
        return 1.0
    step = 10.0 ** (math.floor(math.log10(hyper.high - hyper.low)) - 2)
    return step / 10 if hyper.high <= 1 else step


def knob(hyper: Hyper, value: float, key: str, *, label: str | None = None, disabled: bool = False) -> float:
    """The widget of one knob, at ``value``; returns what it is set to.

    ``value`` counts when the widget appears; from then on its own state (``st.session_state[key]``) does.
    """
    symbol = f"${hyper.symbol}$" if hyper.symbol else ""
    name = label or f"{_(hyper.label)} {symbol}".strip()
    help_text = _(hyper.help)
    if hyper.scale == "switch":
        begin(key, bool(value))
        return float(st.toggle(name, key=key, help=help_text, disabled=disabled))
    if hyper.scale == "log":
        begin(key, float(value))
        stops = ladder(hyper.low, hyper.high, float(st.session_state[key]))
        return float(st.select_slider(name, stops, key=key, format_func=text, help=help_text, disabled=disabled))
    if hyper.scale == "integer":
        begin(key, int(value))
        return float(st.slider(name, int(hyper.low), int(hyper.high), key=key, help=help_text, disabled=disabled))
    begin(key, float(value))
    return float(
        st.slider(
            name,
            float(hyper.low),
            float(hyper.high),
            step=grain(hyper),
            format="%.4g",
            key=key,
            help=help_text,
            disabled=disabled,
        )
    )


def knobs(hypers: Iterable[Hyper], values: Values, key: str) -> Values:
    """The widgets of several knobs, at ``values``; returns those that are not at their default."""
    for hyper in hypers:
        values = with_knob(values, hyper, knob(hyper, setting(values, hyper), f"{key}.{hyper.name}"))
    return values


def begin(key: str, value: object) -> None:
    """Give a widget that is about to appear its first value."""
    if key not in st.session_state:
        st.session_state[key] = value


def forget(key: str) -> None:
    """Let all widgets whose keys begin so begin anew, whatever they said."""
    for name in [name for name in st.session_state if str(name).startswith(key)]:
        del st.session_state[name]


def pick(
    label: str, options: Sequence[str], names: dict[str, str], value: str, key: str, help: str | None = None
) -> str:
    """A choice of one of ``options``, shown by their names."""
    begin(key, value)
    return st.selectbox(label, options, key=key, format_func=lambda option: names[option], help=help)
