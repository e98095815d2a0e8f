"""Computing a map: kept for whoever asks next, with a bar while it lasts, given up when something else is asked."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from descent.engine import Progress
from ui.language import _

Found = TypeVar("Found")
MOST = 32  # maps that are kept
SOON = 0.3  # seconds without a bar

_kept: OrderedDict[Hashable, Any] = OrderedDict()
_keeping = Lock()


def computed(key: Hashable, work: Callable[[Progress], Found], place: DeltaGenerator | None = None) -> Found:
    """What ``work`` finds, which ``key`` determines: computed once, with a bar at ``place`` if it takes long.

    ``work`` is to tell the progress it is handed, now and then and in the thread it was called in, which share is done.
    That is where Streamlit ends a run that has been overtaken by another: the work ends with it, and nothing is kept.
    """
    with _keeping:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    place = place or st.empty()
    begun = time.monotonic()

    def progress(share: float) -> None:
        if time.monotonic() - begun > SOON:
            place.progress(share, _("Computing … {percent} %").format(percent=round(100 * share)))

    found = work(progress)
    place.empty()
    with _keeping:
        _kept[key] = found
        while len(_kept) > MOST:
            _kept.popitem(last=False)
    return found


def several(parts: int, progress: Progress) -> Callable[[int], Progress]:
    """The progress of each of several equal parts of one work."""
    return lambda part: lambda share: progress((part + share) / parts)
