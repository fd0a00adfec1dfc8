"""What all pages share, whoever draws them: the logo, and light or dark as the viewer chose."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from bifrost_lib.views.palette import THEMES

THEME_COOKIE = "bf-theme"
LOGO = Path(str(files("bifrost_lib.views").joinpath("bifrost.svg")))


def theme_of(cookies: Mapping[str, str]) -> str:
    """Return the theme that a viewer's browser asked for; light until it has."""
    wanted = cookies.get(THEME_COOKIE, "light")
    return wanted if wanted in THEMES else "light"


@cache
def theme_script() -> str:
    """Return the script that every page begins with: it keeps the choice, and names ``bifrostThemes`` to follow it."""
    return files("bifrost_lib.views").joinpath("theme.js").read_text(encoding="utf-8")


@cache
def page_icon() -> str:
    """Return the logo as an address that asks no server."""
    return "data:image/svg+xml," + quote(LOGO.read_text(encoding="utf-8"))
