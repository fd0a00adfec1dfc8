"""HTML that carries its own style, for notebooks, reports and pages."""

from __future__ import annotations

from dataclasses import dataclass, field

from bifrost_lib.views.palette import style_sheet, theme_palette


@dataclass(frozen=True)
class Html:
    """A fragment that notebooks display; `body` alone goes where the style sheet already is."""

    body: str = field(repr=False)
    theme: str = "light"

    def _repr_html_(self) -> str:
        return f"<style>{style_sheet()}</style><div class='bf-root bf-{self.theme}'>{self.body}</div>"


def page_html(body: str, *, theme: str) -> Html:
    """Wrap a fragment after checking the theme."""
    theme_palette(theme)
    return Html(body=body, theme=theme)


def notice(kind: str, title: str, text: str) -> str:
    """Return the block that stands where content would be: `kind` is empty, loading or error."""
    from html import escape

    role = "alert" if kind == "error" else "status"
    return (
        f"<div class='bf-notice bf-notice-{escape(kind)}' role='{role}'><strong>{escape(title)}</strong>"
        f"<span>{escape(text)}</span></div>"
    )
