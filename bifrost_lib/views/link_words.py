"""What a page's address says, word by word; whatever does not look as it should is refused by its name."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import parse_qs

from bifrost_lib.core.clock import parse_moment
from bifrost_lib.core.errors import InputError


def link_words(query: str) -> dict[str, str]:
    """Return the words of a query string by name; of a name that stands twice, the last one."""
    return {name: texts[-1] for name, texts in parse_qs(query).items()}


def matching(name: str, text: str, pattern: str, expected: str) -> str:
    """Return `text` if all of it looks like `pattern`.

    Raises
    ------
    InputError
        If it does not; ``error.name`` is `name`.
    """
    if not re.fullmatch(pattern, text):
        raise InputError(name, text, expected)
    return text


def symbol_word(text: str) -> str:
    """Return the underlying that a word names, as it is written everywhere.

    Raises
    ------
    InputError
        If it is no symbol.
    """
    return matching("symbol", text.upper(), r"[A-Z0-9.^]{1,12}", "a symbol")


def moment_word(text: str) -> datetime:
    """Return the moment of a word, in which an address turned the offset's + into a blank.

    Raises
    ------
    InputError
        If it is no aware moment.
    """
    return parse_moment(text.replace(" ", "+"))
