"""``bifrost strategy``: what it prints, and one line for each mistake."""

from __future__ import annotations

import json

import pytest

from bifrost_lib.cli import run
from bifrost_lib.strategies import CATALOG, read_document


def printed(capsys, *arguments, status=0):
    assert run(["strategy", *map(str, arguments)]) == status
    return capsys.readouterr()


def test_the_list_names_every_strategy_with_view_and_legs(capsys):
    listed = json.loads(printed(capsys, "list", "--json").out)
    assert [one["name"] for one in listed] == list(CATALOG)
    for one in listed:
        assert one["view"] == CATALOG[one["name"]].view
        assert [(leg["right"], leg["qty"]) for leg in one["legs"]] == [
            (leg.right, leg.qty) for leg in CATALOG[one["name"]].legs
        ]
    assert "iron_condor" in printed(capsys, "list").out


def test_a_strategy_is_shown_in_words_and_as_a_document(capsys):
    words = printed(capsys, "show", "wheel").out
    assert "after assignment go on with covered_call" in words
    for form in ("--yaml", "--json"):
        assert read_document(printed(capsys, "show", "Iron Condor", form).out) == CATALOG["iron_condor"]


def test_a_document_of_ones_own_is_begun_checked_and_not_overwritten(capsys, tmp_path):
    file = tmp_path / "mine.yaml"
    printed(capsys, "new", "mine", "--like", "jade_lizard", "-o", file)
    found = json.loads(printed(capsys, "validate", file, "--json").out)
    assert (found["valid"], found["name"], found["sha256"]) == (True, "mine", CATALOG["jade_lizard"].sha256)
    assert "mine is valid" in printed(capsys, "validate", file).out
    assert "does not exist yet" in printed(capsys, "new", "mine", "-o", file, status=1).err
    assert read_document(printed(capsys, "new", "iron_condor").out).legs == CATALOG["iron_condor"].legs


def test_the_schema_is_printed(capsys):
    assert json.loads(printed(capsys, "schema").out)["title"] == "StrategyDocument"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name: a", "bifrost: view: got nothing, expected what one must believe to want it, in words"),
        ("legs: [", "bifrost: document: got 'line "),
    ],
)
def test_a_mistake_is_one_line_and_exit_one(capsys, tmp_path, text, line):
    file = tmp_path / "wrong.yaml"
    file.write_text(text, encoding="utf-8")
    told = printed(capsys, "validate", file, status=1)
    assert told.err.startswith(line)
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert json.loads(printed(capsys, "validate", file, "--json", status=1).out)["valid"] is False


def test_unknown_names_and_files_are_one_line_too(capsys):
    assert "did you mean 'iron_condor'?" in printed(capsys, "show", "iron_condr", status=1).err
    assert "No such file" in printed(capsys, "validate", "/nowhere/mine.yaml", status=1).err
    assert "No such file" in printed(capsys, "show", "./mine.yaml", status=1).err
    assert "one of them" in printed(capsys, "show", "wheel", "--yaml", "--json", status=1).err
