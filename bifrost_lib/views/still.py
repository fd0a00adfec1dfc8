"""A page of widgets as plain HTML: what a browser can show before any script has come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, singledispatch
from html import escape
from importlib.resources import files
from typing import Any

import ipywidgets as widgets

from bifrost_lib.views.picture import Room, room_only


def still_page(draw: Callable[[], widgets.Widget]) -> str:
    """Return what a page shows, with the style sheet that it needs until the widgets' own has come.

    Parameters
    ----------
    draw : callable
        Returns the page as `finder_page` and `builder_page` do.

    Notes
    -----
    Nothing in it can be used: controls stand where the page's own will stand, and show what those will show. Pictures
    that need a script are not drawn, and their room is left blank.
    """
    with room_only():
        return f"<style>{_style()}</style>{still(draw())}"


@cache
def _style() -> str:
    return files("bifrost_lib.views").joinpath("still.css").read_text(encoding="utf-8")


@singledispatch
def still(shown: widgets.Widget) -> str:
    """Return one widget, and what is in it; of a kind that is not known, the place that it takes."""
    return _element("div", shown, "", "")


@still.register(widgets.Box)
def _box(shown: widgets.Box) -> str:
    way = {widgets.HBox: "widget-hbox", widgets.VBox: "widget-vbox"}.get(type(shown), "")
    return _element("div", shown, f"widget-box {way}", "".join(still(child) for child in shown.children))


@still.register(widgets.HTML)
def _html(shown: widgets.HTML) -> str:
    return _inline(shown, "widget-html", f"<div class='widget-html-content'>{shown.value}</div>")


@still.register(widgets.Text)
def _text(shown: widgets.Text) -> str:
    written = f"value='{_safe(shown.value)}' placeholder='{_safe(shown.placeholder)}'"
    return _inline(shown, "widget-text", f"<input type='text' {written}>")


@still.register(widgets.Dropdown)
def _dropdown(shown: widgets.Dropdown) -> str:
    return _inline(shown, "widget-dropdown", f"<select><option>{_safe(shown.label)}</option></select>")


@still.register(widgets.Button)
def _button(shown: widgets.Button) -> str:
    kind = f"jupyter-button widget-button {f'mod-{shown.button_style}' if shown.button_style else ''}"
    return _element("button", shown, kind, _safe(shown.description), "disabled" if shown.disabled else "")


@still.register(widgets.ToggleButtons)
def _toggle_buttons(shown: widgets.ToggleButtons) -> str:
    width = f" style='width: {_safe(shown.style.button_width)}'" if shown.style.button_width else ""
    buttons = "".join(
        f"<button class='jupyter-button widget-toggle-button{' mod-active' if place == shown.index else ''}'{width}>"
        f"{_safe(label)}</button>"
        for place, label in enumerate(_labels(shown))
    )
    return _inline(shown, "widget-toggle-buttons", f"<div>{buttons}</div>")


@still.register(widgets.IntSlider)
def _slider(shown: widgets.IntSlider) -> str:
    return _sliding(shown, [_share(shown.value, shown)], str(shown.value) if shown.readout else "")


@still.register(widgets.IntRangeSlider)
def _range_slider(shown: widgets.IntRangeSlider) -> str:
    low, high = shown.value
    return _sliding(shown, [_share(low, shown), _share(high, shown)], f"{low} \N{EN DASH} {high}")


@still.register(widgets.SelectionSlider)
def _selection_slider(shown: widgets.SelectionSlider) -> str:
    labels = _labels(shown)
    return _sliding(shown, [(shown.index or 0) / max(len(labels) - 1, 1)], labels[shown.index or 0])


@still.register(Room)
def _room(shown: Room) -> str:
    return _element("div", shown, "bf-still-picture", shown.still or "<span class='bf-still-wait'></span>")


def _sliding(shown: widgets.Widget, places: Sequence[float], readout: str) -> str:
    first = places[0] if len(places) > 1 else 0.0
    filled = f"<i style='left: {first:.2%}; width: {places[-1] - first:.2%}'></i>" if len(places) > 1 else ""
    handles = "".join(f"<b style='left: {place:.2%}'></b>" for place in places)
    said = f"<div class='widget-readout'>{_safe(readout)}</div>" if readout else ""
    track = f"<div class='slider-container'><div class='bf-still-track'>{filled}{handles}</div></div>"
    return _inline(shown, "widget-slider widget-hslider", track + said)


def _share(value: float, slider: Any) -> float:
    return float((value - slider.min) / max(slider.max - slider.min, 1))


def _labels(shown: Any) -> list[str]:
    return [str(label) for label in shown._options_labels]


def _inline(shown: widgets.Widget, kind: str, content: str) -> str:
    return _element("div", shown, f"widget-inline-hbox {kind}", content)


def _element(tag: str, shown: Any, kind: str, content: str, more: str = "") -> str:
    classes = " ".join(["jupyter-widgets", kind.strip(), *shown._dom_classes])
    return f"<{tag} class='{_safe(classes)}' style='{_layout(shown.layout)}' {more}>{content}</{tag}>"


def _layout(layout: widgets.Layout) -> str:
    told = ((name, getattr(layout, name)) for name in layout.keys if not name.startswith("_"))
    return "; ".join(f"{name.replace('_', '-')}: {_safe(str(value))}" for name, value in told if value is not None)


def _safe(text: str) -> str:
    return escape(str(text), quote=True)
