"""Choosing one of many strategies: under headings, and narrowed by a few letters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as widgets

_HEADING = "#"


class StrategyPicker:
    """A list under headings, and a field whose letters narrow it; the only one that is left is chosen.

    Parameters
    ----------
    strategies : mapping of str to str
        Names, and what one must believe about the market to want each; both are searched.
    value : str
        What is chosen first; it stays offered whatever is searched for. ``""`` is nothing.
    headings : mapping of str to str
        Under which heading each name stands; names without one come first.
    prompt : str
        How nothing is called, where it may be chosen.
    """

    def __init__(
        self,
        strategies: Mapping[str, str],
        *,
        value: str,
        headings: Mapping[str, str] | None = None,
        prompt: str = "",
        width: str = "220px",
    ) -> None:
        self._strategies, self._headings, self._prompt = dict(strategies), dict(headings or {}), prompt
        if value and value not in self._strategies:
            self._strategies[value] = ""
        self._value, self._is_listing = value, False
        self._then: list[Callable[[], None]] = []
        self.search = widgets.Text(placeholder="find", layout={"width": "74px"})
        self.choice = widgets.Dropdown(options=self._offered(""), value=value, layout={"width": width})
        self.box = widgets.HBox([self.search, self.choice])
        self.box.add_class("bf-picker")
        self.search.observe(self._searched, names="value")
        self.choice.observe(self._chosen, names="value")

    @property
    def value(self) -> str:
        """The name that is chosen."""
        return self._value

    def on_change(self, then: Callable[[], None]) -> None:
        """Call `then` after another name was chosen."""
        self._then.append(then)

    def reset(self) -> None:
        """Choose nothing, and offer everything again; nobody is called."""
        self._value = self.search.value = ""
        self._list(self._offered(""))

    def _searched(self, change: dict[str, Any]) -> None:
        options = self._offered(change["new"])
        names = [name for _, name in options if name and not name.startswith(_HEADING)]
        found = [name for name in names if self._matches(name, change["new"])]
        self._list(options)
        if change["new"] and len(found) == 1:
            self.choice.value = found[0]

    def _list(self, options: list[tuple[str, str]]) -> None:
        self._is_listing = True  # the list's own choice of its first line is nobody's wish
        self.choice.options = options
        self.choice.value = self._value
        self._is_listing = False

    def _chosen(self, change: dict[str, Any]) -> None:
        if self._is_listing or change["new"] == self._value:
            return
        if change["new"] is None or change["new"].startswith(_HEADING):
            self._list(list(self.choice.options))
            return
        self._value = change["new"]
        for then in self._then:
            then()

    def _offered(self, letters: str) -> list[tuple[str, str]]:
        groups: dict[str, list[str]] = {}
        for name in sorted(self._strategies):
            if name == self._value or self._matches(name, letters):
                groups.setdefault(self._headings.get(name, ""), []).append(name)
        lines = [(self._prompt, "")] if self._prompt else []
        for heading in sorted(groups):
            if heading:
                lines.append((f"\N{EM DASH} {_title(heading)} \N{EM DASH}", f"{_HEADING}{heading}"))
            lines += [(_title(name), name) for name in groups[heading]]
        return lines

    def _matches(self, name: str, letters: str) -> bool:
        text = f"{name.replace('_', ' ')} {self._strategies[name]}".lower()
        return all(word in text for word in letters.lower().replace("_", " ").split())


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()
