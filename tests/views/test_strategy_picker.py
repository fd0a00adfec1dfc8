"""Ninety strategies under headings: a few letters narrow them, and only a choice is a choice."""

from __future__ import annotations

import pytest

from bifrost_lib.views.strategy_picker import StrategyPicker

BELIEFS = {"iron_condor": "range-bound", "call_calendar": "stays here", "put_calendar": "stays", "long_call": "rises"}
HEADINGS = {"iron_condor": "neutral", "call_calendar": "neutral", "put_calendar": "neutral", "long_call": "bullish"}


@pytest.fixture
def picker() -> StrategyPicker:
    return StrategyPicker(BELIEFS, value="iron_condor", headings=HEADINGS)


def labels(picker: StrategyPicker) -> list[str]:
    return [label for label, _ in picker.choice.options]


def test_names_stand_under_their_headings(picker: StrategyPicker) -> None:
    assert labels(picker) == [
        "\N{EM DASH} Bullish \N{EM DASH}", "Long call",
        "\N{EM DASH} Neutral \N{EM DASH}", "Call calendar", "Iron condor", "Put calendar",
    ]  # fmt: skip
    assert (picker.value, picker.choice.value) == ("iron_condor", "iron_condor")


def test_letters_narrow_the_list_without_choosing(picker: StrategyPicker) -> None:
    called: list[str] = []
    picker.on_change(lambda: called.append(picker.value))
    picker.search.value = "calen"
    assert labels(picker)[1:] == ["Call calendar", "Iron condor", "Put calendar"]
    assert called == []
    picker.search.value = "stays here"  # what one believes is searched too; one is left, so it is meant
    assert called == ["call_calendar"]
    picker.search.value = ""
    assert len(labels(picker)) == 6
    assert (picker.value, picker.choice.value) == ("call_calendar", "call_calendar")


def test_a_heading_cannot_be_chosen(picker: StrategyPicker) -> None:
    called: list[str] = []
    picker.on_change(lambda: called.append(picker.value))
    picker.choice.value = "#bullish"
    assert (called, picker.value, picker.choice.value) == ([], "iron_condor", "iron_condor")
    picker.choice.value = "long_call"
    assert called == ["long_call"]


def test_nothing_may_be_chosen_where_it_has_a_name() -> None:
    picker = StrategyPicker(BELIEFS, value="", prompt="choose a structure")
    assert labels(picker)[0] == "choose a structure"
    picker.choice.value = "long_call"
    picker.reset()
    assert (picker.value, picker.choice.value) == ("", "")
    assert StrategyPicker({}, value="my_own").value == "my_own"
