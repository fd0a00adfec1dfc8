"""The registry says what is served, for whom, and within which limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from bifrost_lib.core.errors import InputError
from bifrost_lib.workflows.hub import read_registry

ENTRY = """
pages:
  finder:
    title: Finder
    about: finds
    group: Strategies
    kind: {kind}
    path: finder.ipynb
    roles: [{role}]
    owner: research
    {limit}: 300
    memory_mb: 2048
"""


def write(
    folder: Path, *, kind: str = "voila", limit: str = "stale_after_s", role: str = "trader", notebook: bool = True
) -> Path:
    if notebook:
        (folder / "finder.ipynb").touch()
    registry = folder / "registry.yaml"
    registry.write_text(ENTRY.format(kind=kind, limit=limit, role=role), encoding="utf-8")
    return registry


def test_an_entry_is_read_with_its_limits(tmp_path: Path) -> None:
    (page,) = read_registry(write(tmp_path))
    assert (page.name, page.title, page.roles) == ("finder", "Finder", ("trader",))
    assert (page.stale_after_s, page.memory_mb) == (300, 2048)
    assert page.path == tmp_path / "finder.ipynb"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"limit": "stale_afer_s"}, "pages.finder"),
        ({"kind": "flask"}, "pages.finder.kind"),
        ({"notebook": False}, "pages.finder.path"),
        ({"role": "traders"}, "pages.finder.roles"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, change: dict[str, object], name: str) -> None:
    with pytest.raises(InputError) as caught:
        read_registry(write(tmp_path, **change))  # type: ignore[arg-type]
    assert caught.value.name == name
