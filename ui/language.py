"""The language of a session: from the URL, else the browser's; English is the source of every message."""

from __future__ import annotations

import gettext
import io
from contextvars import ContextVar
from functools import cache
from pathlib import Path

import streamlit as st
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES = Path(__file__).resolve().parent.parent / "locales"
LANGUAGES = {"en": "English", "zh": "中文"}
CATALOGUES = {"zh": "zh_CN"}


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The translations into a language, compiled from its .po file; the source itself for English."""
    if language not in CATALOGUES:
        return gettext.NullTranslations()
    with open(LOCALES / CATALOGUES[language] / "LC_MESSAGES" / "descent_lab.po", "rb") as file:
        messages = read_po(file, locale=CATALOGUES[language])
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def preferred() -> str:
    """The language of the browser, if it is one of ours; else English."""
    locale = (st.context.locale or "").lower()
    return "zh" if locale.startswith("zh") else "en"


# The session knows its language; asking it a thousand times a run is what this saves.
_language: ContextVar[str | None] = ContextVar("language", default=None)


def language() -> str:
    """The session's language."""
    known = _language.get()
    if known is None:
        known = st.session_state.get("language") or preferred()
        _language.set(known)
    return known


def choose_language() -> None:
    """At the start of a run: the session's language, which a new session takes from the URL or the browser."""
    asked = st.query_params.get("lang")
    if "language" not in st.session_state:
        st.session_state.language = asked if asked in LANGUAGES else preferred()
    _language.set(st.session_state.language)


def _(message: str) -> str:
    """``message`` in the session's language."""
    return catalogue(language()).gettext(message) if message else ""


def spoken() -> dict[str, str]:
    """What a link says so that who follows it reads the same language; nothing if the browser asks for it anyway."""
    return {"lang": language()} if "lang" in st.query_params or language() != preferred() else {}
