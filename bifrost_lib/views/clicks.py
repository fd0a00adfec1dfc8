"""Clicks and edits inside plain HTML reach Python: one hidden field carries them, whatever was drawn."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets

log = logging.getLogger(__name__)

# A click says what its button stands for; an edit says it when the field is left, with what was typed.
_SAY = (
    "const e=event.target.closest('[data-say]');"
    "if(e&&!e.disabled&&(event.type==='change')===(e.tagName==='INPUT')){"
    "const t=e.closest('.bf-page').querySelector('.bf-clicks input');"
    "t.value=JSON.stringify([e.dataset.say,e.value||'',Date.now()]);"
    "t.dispatchEvent(new Event('input',{bubbles:true}))}"
)


class Clicks:
    """The field; `then` is called with what a button or an input stands for, and with what was typed."""

    def __init__(self, then: Callable[[str, str], None]) -> None:
        self._then = then
        self.field = widgets.Text()
        self.field.add_class("bf-clicks")
        self.field.observe(self._said, names="value")

    def _said(self, change: dict[str, Any]) -> None:
        try:
            word, typed, _ = json.loads(change["new"])
        except (ValueError, TypeError):
            log.warning("a click that says nothing: %r", change["new"][:80])
            return
        self._then(str(word), str(typed))


def clickable(body: str) -> str:
    """Wrap HTML whose buttons and inputs carry what they stand for (see `says`)."""
    said = escape(_SAY, quote=True)
    return f"<div onclick='{said}' onchange='{said}'>{body}</div>"


def says(word: str) -> str:
    """Return the attribute of a button or an input that stands for `word`."""
    return f"data-say='{escape(word, quote=True)}'"
