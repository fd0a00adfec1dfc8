"""Parameters are read from the notebook and checked by name and by type."""

from __future__ import annotations

import pytest

from bifrost_lib.core.errors import FileFormatError, InputError, UnknownNameError
from bifrost_lib.workflows import read_assignments
from bifrost_lib.workflows.reporting import list_reports, report_named
from bifrost_lib.workflows.reporting.parameters import checked_parameters, read_parameters

CELL = """symbols = []  # underlyings
top = 10  # rows
share = 0.5  # of all
fine = True  # yes or no
name = "x"  # text # with a hash
dte = [20, 60]  # days
at = None  # moment
more = None  # anything
"""


def checked(**given):
    return checked_parameters(read_parameters(CELL), given)


def test_names_defaults_and_help_come_from_the_cell():
    found = {one.name: one for one in read_parameters(CELL)}
    assert found["dte"].default == [20, 60]
    assert (found["top"].help, found["name"].help) == ("rows", "text # with a hash")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("symbols", "SIM,SIMX", ["SIM", "SIMX"]),
        ("symbols", '["SIM"]', ["SIM"]),
        ("symbols", "", []),
        ("top", "3", 3),
        ("share", "1", 1.0),
        ("fine", "no", False),
        ("name", "a=b", "a=b"),
        ("dte", "5,9", [5, 9]),
        ("at", "none", None),
        ("at", "2026-09-30T16:00-04:00", "2026-09-30T20:00:00+00:00"),
        ("at", "2026-09-30", "2026-10-01T03:59:59+00:00"),  # the end of that day in New York
        ("more", "null", None),
        ("more", "text", "text"),
    ],
)
def test_texts_are_read_in_the_type_of_the_default(name, text, value):
    found = checked(**{name: text})[name]
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("top", "three"),
        ("top", 2.5),
        ("top", True),
        ("share", "inf"),
        ("fine", "perhaps"),
        ("dte", "a,b"),
        ("dte", "[1"),
        ("symbols", 3),
        ("name", 3),
        ("at", "2026-09-30T16:00"),  # without an offset
        ("at", "2026-13-45"),
    ],
)
def test_another_type_is_refused_by_name(name, value):
    with pytest.raises(InputError) as caught:
        checked(**{name: value})
    assert caught.value.name == name


def test_an_unknown_name_is_told_with_the_nearest():
    with pytest.raises(UnknownNameError) as caught:
        checked(symbol="SIM")
    assert caught.value.nearest == "symbols"


def test_assignments_are_split_at_the_first_sign():
    assert read_assignments(["name=a=b", "top = 3"]) == {"name": "a=b", "top": "3"}
    for wrong in (["top"], ["=3"], ["a b=3"], ["top=1", "top=2"]):
        with pytest.raises(InputError) as caught:
            read_assignments(wrong)
        assert caught.value.name == "-p"


def test_the_desk_has_its_four_reports_each_with_an_as_of_time():
    found = {report.name: report for report in list_reports()}
    assert set(found) >= {"daily_open", "daily_close", "weekly_review", "data_quality"}
    for report in found.values():
        assert report.title and report.about and report.plan.after
        assert {"symbols", "at"} <= {one.name for one in report.parameters}
        assert all(one.help for one in report.parameters)


def test_an_unknown_report_is_told_with_the_nearest():
    with pytest.raises(UnknownNameError) as caught:
        report_named("daily_clos")
    assert caught.value.nearest == "daily_close"


def test_a_notebook_whose_parameters_are_no_literals_is_named(reports):
    folder = reports("odd", parameters="top = len('x')")
    with pytest.raises(FileFormatError) as caught:
        list_reports(folder)
    assert caught.value.path == folder / "odd.ipynb"
