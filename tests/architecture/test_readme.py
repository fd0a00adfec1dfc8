"""README.md and REFERENCE.md say what is: commands, the picture of the floors, tables, settings and links."""

from __future__ import annotations

import ast
import importlib
import re
import shlex

import pytest
import typer.main
from sqlalchemy import text

from bifrost_lib.cli.app import build_app
from bifrost_lib.core.settings import SETTINGS
from bifrost_lib.store import Store

from .conftest import REPOSITORY
from .test_floors import FLOORS

README = (REPOSITORY / "README.md").read_text()
REFERENCE = (REPOSITORY / "bifrost_lib" / "REFERENCE.md").read_text()


def commands_of(page: str) -> list[str]:
    return re.findall(r"^    (\./bifrost .*?)(?:  +#.*)?$", page, re.MULTILINE)


def rows_of(page: str) -> list[list[str]]:
    rows = re.findall(r"^\|.*\|$", page, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_first_screen_has_exactly_two_commands() -> None:
    first_screen = README.split("\n## ")[0]
    assert re.findall(r"\./bifrost \w+", first_screen) == ["./bifrost up", "./bifrost test"]
    assert re.search(r"!\[[^]]+\]\([^)]+\.png\)", first_screen), "a picture of a result belongs there"


@pytest.mark.parametrize("line", sorted({*commands_of(README), *commands_of(REFERENCE)} - {"./bifrost test"}))
def test_every_command_parses(line: str) -> None:
    """The command line knows every word and option that these pages show."""
    group = typer.main.get_command(build_app())
    words = shlex.split(line)[1:]
    with group.make_context("bifrost", words, resilient_parsing=False) as context:
        name, command, rest = group.resolve_command(context, words)  # type: ignore[attr-defined]
        assert command is not None
        with command.make_context(name, rest, parent=context):
            pass


def test_every_command_is_shown_and_has_an_example() -> None:
    for command in build_app().registered_commands:
        assert command.callback is not None
        name = command.callback.__name__
        assert any(line.split()[1] == name for line in commands_of(REFERENCE)), f"REFERENCE.md lacks ./bifrost {name}"
        assert f"Example: bifrost {name}" in (command.callback.__doc__ or "")


def test_every_table_is_explained(store: Store) -> None:
    query = (
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition "
        "AND relnamespace = 'public'::regnamespace"
    )
    with store.engine.connect() as connection:
        made = set(connection.scalars(text(query))) - {"alembic_version"}
    explained = {name for row in rows_of(REFERENCE) for name in re.findall(r"`([a-z]+_[a-z]+|stocks)`", row[0])}
    assert explained == made


def test_the_floors_are_those_that_are_proved() -> None:
    drawn = [re.findall(r"`(\w+)`", row[1]) for row in rows_of(README) if row[0].isdigit()]
    assert [set(floor) for floor in drawn] == [set(floor) for floor in FLOORS]


def test_every_setting_is_explained_in_its_own_words() -> None:
    explained = {row[0].strip("`"): row[2] for row in rows_of(REFERENCE) if row[0].startswith("`BIFROST_")}
    explained.pop("BIFROST_HOME")
    assert explained == {setting.variable: setting.help for setting in SETTINGS}


def test_every_link_leads_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", README)
    missing = [target for target in targets if "://" not in target and not (REPOSITORY / target).exists()]
    assert missing == []


def test_every_import_works() -> None:
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(node.module or "")
                assert all(hasattr(module, alias.name) for alias in node.names)
