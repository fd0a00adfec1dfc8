"""What components of the live pages have in common: a browser can draw them before anything else is loaded."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, ClassVar

from panel.custom import JSComponent


@cache
def asset(name: str, package: str = "bifrost_lib.views.live") -> str:
    """Return the text of a style sheet, script or template of a package."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


class Part(JSComponent):
    """A component whose script is on the page already: what Panel sends is one line that calls it.

    Attributes
    ----------
    _module : str
        JavaScript with one ``export function render({ model })``, the last thing in it.
    """

    _module: ClassVar[str] = ""
    _esm = ""
    __abstract = True

    def __init_subclass__(cls, **given: Any) -> None:
        cls._esm = f'export function render({{ model }}) {{ return bifrost.draw("{cls.__name__}", model) }}'
        super().__init_subclass__(**given)

    def drawn(self) -> dict[str, Any]:
        """Return what the component shows, by attribute."""
        return {name: getattr(self, name) for name in type(self).param if name not in JSComponent.param}


def part_scripts() -> dict[str, dict[str, Any]]:
    """Return script and style sheets of every component that this process knows, by name."""
    return {
        one.__name__: {
            "script": one._module.replace("export function render", "return function render"),
            "styles": [str(sheet) for sheet in one._stylesheets],
        }
        for one in Part.__subclasses__()
    }
