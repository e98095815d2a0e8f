"""Marking of words that people read.

Declarations (landscapes, optimizers, knobs) are made once, at import, while the language is chosen
for each session. So a declaration only *marks* its English words here, and `ui.language` translates
them where they are shown.
"""

from __future__ import annotations


def _(message: str) -> str:
    """Mark ``message`` for extraction into the catalogues in ``locales/``; return it unchanged."""
    return message
