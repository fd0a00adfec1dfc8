"""Which pages there are, for whom, and within which limits: `apps/registry.yaml`, read and checked."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from bifrost_lib.core.errors import InputError

REGISTRY = Path(__file__).resolve().parents[3] / "apps" / "registry.yaml"
KINDS = ("voila", "panel")
#: Who a person of the desk can be. What each may open is decided in `hub_config.roles`.
ROLES = ("quant", "trader", "operator", "admin")


@dataclass(frozen=True)
class Page:
    """One page of the registry, served at ``/services/<name>/``.

    Attributes
    ----------
    name, title, about, group : str
        `about` is one line for the home page, which lists pages by `group`.
    kind : {'voila', 'panel'}
    path : Path
        The notebook, or the module that draws the page.
    roles : tuple of str
        Which of `ROLES` it is made for.
    owner : str
    stale_after_s : float
        Seconds after which its data count as stale.
    memory_mb : int
        Cap of one viewer's process (voila) or of all viewers' (panel).
    shows : str
        CSS selector of what is on the page once it has data: tests and benchmarks wait for that.
    """

    name: str
    title: str
    about: str
    group: str
    kind: str
    path: Path
    roles: tuple[str, ...]
    owner: str
    stale_after_s: float
    memory_mb: int
    shows: str = ""


def read_registry(path: Path = REGISTRY) -> list[Page]:
    """Return the pages that `path` lists, in its order.

    Raises
    ------
    InputError
        If an entry lacks a key, has one that is unknown, or names a role, a kind or a file that does not exist.
    """
    import yaml

    entries = yaml.safe_load(path.read_text(encoding="utf-8"))["pages"]
    return [_page(name, entry, path.parent) for name, entry in entries.items()]


def _page(name: str, entry: dict[str, Any], folder: Path) -> Page:
    known = {field.name: field.default is MISSING for field in fields(Page) if field.name != "name"}
    needed = {key for key, is_needed in known.items() if is_needed}
    if not needed <= set(entry) <= set(known):
        raise InputError(f"pages.{name}", sorted(entry), f"the keys {', '.join(sorted(needed))}, and shows if any")
    page = Page(name=name, **{**entry, "path": folder / entry["path"], "roles": tuple(entry["roles"])})
    if page.kind not in KINDS:
        raise InputError(f"pages.{name}.kind", page.kind, " or ".join(KINDS))
    if not page.path.is_file():
        raise InputError(f"pages.{name}.path", str(page.path), "a file that exists")
    if not page.roles or not set(page.roles) <= set(ROLES):
        raise InputError(f"pages.{name}.roles", list(page.roles), f"some of {', '.join(ROLES)}")
    return page
