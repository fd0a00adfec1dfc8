"""Colours of the light and the dark theme, once, for charts and for style sheets."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files

from bifrost_lib.core.errors import UnknownNameError

FONT = "Inter, 'Segoe UI', 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif"


@dataclass(frozen=True)
class Palette:
    """One theme. Profit and loss differ in lightness as well as in hue, so they stay apart for colour-blind eyes."""

    page: str
    panel: str
    raised: str
    line: str
    text: str
    muted: str
    accent: str
    profit: str
    loss: str
    now: str
    warn: str
    simulated: str


THEMES: dict[str, Palette] = {
    "light": Palette(
        page="#f3f5f8",
        panel="#ffffff",
        raised="#eef2f7",
        line="#d8dee8",
        text="#17202c",
        muted="#5b6878",
        accent="#1d5fbf",
        profit="#0d7f5f",
        loss="#c0342b",
        now="#1d5fbf",
        warn="#9a6400",
        simulated="#7a3fb5",
    ),
    "dark": Palette(
        page="#0e1218",
        panel="#161c25",
        raised="#202835",
        line="#2d3746",
        text="#e4e9f0",
        muted="#97a4b5",
        accent="#6aa9ff",
        profit="#3fc79a",
        loss="#ff7b6e",
        now="#6aa9ff",
        warn="#f0b64a",
        simulated="#c79bff",
    ),
}


def theme_palette(theme: str) -> Palette:
    """Return the colours of ``light`` or ``dark``."""
    if theme not in THEMES:
        raise UnknownNameError("theme", theme, THEMES)
    return THEMES[theme]


@cache
def style_sheet() -> str:
    """Return the style sheet of pages and tables, with both themes' colours as CSS variables."""
    rules = files("bifrost_lib.views").joinpath("page.css").read_text(encoding="utf-8")
    themes = [f".bf-{name} {{ {_variables(palette)} color-scheme: {name}; }}" for name, palette in THEMES.items()]
    return "\n".join([*themes, rules])


def page_colours() -> str:
    """Return both themes' colours as CSS variables of the whole page; ``data-theme=dark`` on its root chooses."""
    light, dark = (_variables(THEMES[name]) for name in ("light", "dark"))
    return f":root {{ {light} color-scheme: light; }}\n:root[data-theme=dark] {{ {dark} color-scheme: dark; }}\n"


def _variables(palette: Palette) -> str:
    return " ".join(f"--bf-{name}: {colour};" for name, colour in asdict(palette).items()) + f" --bf-font: {FONT};"
