"""The live stages: linked pictures, each as one Streamlit component: the race's, the microscope's, the maps', the
schedules'.

The still part of a picture (surface, axes, words, look) is sent once and remembered by the browser; after that
only what changed is sent. A browser that does not have it, after a reconnect say, asks for it.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import plotly
import streamlit as st
from streamlit.components.v2 import component

from ui.stage import desk, wire
from ui.stage.payload import pack

HERE = Path(__file__).resolve().parent
STATIC = HERE.parent.parent / "static"  # what Streamlit serves under app/static/
SCRIPTS = (
    "payload.js",
    "ink.js",
    "pictures.js",
    "scene.js",
    "player.js",
    "live.js",
    "stage.js",
    "slots.js",
    "microscope.js",
    "maps.js",
    "charts.js",
    "schedules.js",
)

LOADER = """
// Plotly and the stage are static files, fetched once; this loader is all that travels with each value.
let loading;
export default function (component) {
  const base = new URL("app/static/", document.baseURI);
  loading ??= new Promise((resolve, reject) => {
    if (window.Plotly) return resolve();
    const script = document.createElement("script");
    script.src = new URL("%(plotly)s", base);
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  }).then(() => import(new URL("%(stage)s", base).href));
  let close = () => {};
  loading.then((stage) => (close = stage.mount(component)));
  return () => close();
}
"""


@cache
def script() -> str:
    """The stage's own sources in one piece, as plain JavaScript."""
    return "\n".join((HERE / name).read_text("utf-8") for name in SCRIPTS)


def css() -> str:
    """The stage's style sheet."""
    return (HERE / "stage.css").read_text("utf-8")


@cache
def publish() -> dict[str, str]:
    """Put what browsers load into the static folder, under names that change with the content."""
    style = f"const STYLE = {orjson.dumps(css()).decode()};\n"
    mount = (HERE / "mount.js").read_text("utf-8")
    module = f"{script()}\n{style}{mount}\nexport {{ mount }};\n".encode()
    bundle = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    names = {
        "plotly": f"plotly-{plotly.__version__}.min.js",
        "stage": f"stage-{hashlib.sha256(module).hexdigest()[:12]}.js",
    }
    STATIC.mkdir(exist_ok=True)
    for name, content in ((names["plotly"], bundle.read_bytes), (names["stage"], lambda: module)):
        if not (STATIC / name).exists():
            # Another process may be doing the same: a file appears whole or not at all.
            part = STATIC / f".{name}.{os.getpid()}"
            part.write_bytes(content())
            part.replace(STATIC / name)
    return names


@cache
def _component(kind: str = "stage") -> Callable[..., Any]:
    return component(
        f"descent_{kind}",
        html=f'<div class="descent-root" data-stage="{kind}"></div>',
        js=LOADER % publish(),
        isolate_styles=False,
    )


def show(
    key: str,
    still: Callable[[], dict[str, Any]],
    identity: Any,
    moving: dict[str, Any],
    on_start: Callable[[], None] | None,
    on_address: Callable[[], None],
    *,
    kind: str = "stage",
    answer: desk.Answer | None = None,
    **more: Callable[[], None],
) -> None:
    """Draw a stage.

    Args:
        key: of the component, and of its state in the session.
        still: makes what rests (figures, words, look); called only when the browser has not got it.
        identity: plain values that determine ``still``.
        moving: what changes with every run: runs, start, texts.
        on_start: called when a start point was dragged; `st.session_state[key].start` has "point" and "done". None:
            there is none to drag.
        on_address: called when the browser went back or forth; `st.session_state[key].address` is the query.
        kind: "stage" is the race's, "microscope" the microscope's, "maps" the maps', "schedules" the schedules',
            "charts" shows figures side by side.
        answer: how the stage's questions are answered from now on, without a rerun.
        more: ``on_<name>`` for what else a stage of this kind tells.
    """
    sent: list[str] = st.session_state.setdefault(f"{key}.sent", [])
    message = _message(key, identity, moving)
    name, scene = message["wire"], message["scene"]

    if answer:
        st.session_state[f"{key}.desk"] = desk.open_desk(name, answer)

    def resend() -> None:
        sent.clear()
        wire.cut(name)

    if scene not in sent:
        message["still"] = still()
        sent.append(scene)
        del sent[:-8]  # the browser keeps the last twelve
    packed = pack(message)
    data = {"wire": name, "turn": message["turn"]} if wire.send(name, packed) else packed
    callbacks: dict[str, Callable[[], None]] = {"on_address_change": on_address, "on_missing_change": resend}
    callbacks |= {"on_start_change": on_start} if on_start else {}
    callbacks |= {f"{event}_change": callback for event, callback in more.items()}
    _component(kind)(key=key, data=data, **callbacks)


def _message(key: str, identity: Any, moving: dict[str, Any]) -> dict[str, Any]:
    """A message to a stage, without its still part.

    No two are equal: Streamlit would send the second as a reference to the first, which a browser that was interrupted
    may have dropped; then the page breaks ("Cached ForwardMsg MISS").
    """
    scene = hashlib.sha256(orjson.dumps(identity)).hexdigest()[:16]
    name = st.session_state.setdefault(f"{key}.wire", secrets.token_urlsafe(16))
    turn = st.session_state[f"{key}.turn"] = st.session_state.get(f"{key}.turn", 0) + 1
    return {"scene": scene, "turn": turn, "wire": name, **moving}


def send_ahead(key: str, still: dict[str, Any], identity: Any, moving: dict[str, Any]) -> None:
    """Show what is there of a picture that `show` will complete; to a stage that has no wire yet, nothing is sent."""
    message = _message(key, [*identity, "ahead"], moving)
    wire.send(message["wire"], pack(message | {"still": still, "ahead": True}))


def standalone(message: dict[str, Any], title: str) -> str:
    """A page that needs no server and no network: Plotly, the stage and one message, all inside."""
    bundle = (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_text("utf-8")
    data = base64.b64encode(pack(message)).decode()
    safe = re.sub(r"[<>&\"]", "", title)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{safe}</title>
<style>
body {{ margin: 12px; background: #fff }}
body {{ --st-background-color: #fff; --st-text-color: #1d2733; --st-primary-color: #0072b2 }}
@media (prefers-color-scheme: dark) {{
  body {{ background: #0f141d; --st-background-color: #0f141d; --st-text-color: #e6ebf2 }}
}}
{css()}</style></head>
<body><div class="descent-root"></div>
<script>{bundle}</script>
<script>{script()}
const stage = new Stage(document.querySelector(".descent-root"), () => {{}});
stage.alone = true;
unpack(Uint8Array.from(atob("{data}"), (c) => c.charCodeAt(0))).then((message) => stage.show(message));
</script></body></html>
"""
