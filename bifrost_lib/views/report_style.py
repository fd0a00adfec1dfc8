"""The style of reports: light and dark by the reader's choice, and light on paper."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.resources import files

from bifrost_lib.views.palette import FONT, THEMES, style_sheet


@dataclass(frozen=True)
class ReportHtml:
    """A fragment of a report; follows the theme of whoever reads it."""

    body: str = field(repr=False)

    def _repr_html_(self) -> str:
        return f"<style>{report_style()}</style><div class='bf-root bf-auto'>{self.body}</div>"


@cache
def report_style() -> str:
    """Return the style sheet of reports, with the colours of both themes."""
    light, dark = (_variables(name) for name in ("light", "dark"))
    places = ":root, .bf-auto"
    rules = files("bifrost_lib.views").joinpath("report.css").read_text(encoding="utf-8")
    return "\n".join(
        [
            f"{places} {{ {light} }}",
            f"@media (prefers-color-scheme: dark) {{ {places} {{ {dark} }} }}",
            f":root[data-theme=light], :root[data-theme=light] .bf-auto {{ {light} }}",
            f":root[data-theme=dark], :root[data-theme=dark] .bf-auto {{ {dark} }}",
            # a notebook shows its own theme, whatever the system prefers
            f"[data-jp-theme-light=true] .bf-auto {{ {light} }} [data-jp-theme-light=false] .bf-auto {{ {dark} }}",
            style_sheet(),
            rules,
            # paper is white, also for readers of dark pages
            f"@media print {{ :root:root, :root:root .bf-auto {{ {light} }} }}",
        ]
    )


def _variables(theme: str) -> str:
    colours = " ".join(f"--bf-{name}: {colour};" for name, colour in asdict(THEMES[theme]).items())
    return f"{colours} --bf-font: {FONT}; --bf-name: {theme}; color-scheme: {theme};"
