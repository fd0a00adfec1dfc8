"""Studies: nothing of the days kept back is read before the choice, and each look after it is counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from bifrost_lib import backtest
from bifrost_lib.cli import studying
from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.core.errors import DocumentError, InputError, NoDataError, UnknownNameError
from bifrost_lib.core.settings import Settings
from bifrost_lib.store import list_looks, list_study_runs, open_store
from bifrost_lib.strategies import DteRange, strategy_named
from bifrost_lib.workflows.benchmarks.generated_cubes import generated_cube
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.studies import (
    HoldOutClosed,
    begin_study,
    check_not_kept_back,
    find_study,
    freeze_study,
    list_studies,
    look_at_study,
    run_study,
    search_study,
    study_cubes,
    tried_sets,
    walk_study,
)

CONDOR = strategy_named("iron_condor").model_copy(update={"dte": DteRange(1, 10, 30)})
GRID = {"exits.take_profit.share": [0.25, 0.5, 0.75], "dte.target": [7, 14]}
START, HOLDOUT, END = date(2008, 1, 2), date(2008, 4, 1), date(2008, 5, 30)
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
asked_for: list[tuple[date, date]] = []  # every range of days that the store was asked for


@pytest.fixture(scope="module")
def history():
    return generated_cube(days=105, expiries=4, strikes=41)


@pytest.fixture(scope="module")
def desk(database_settings: Settings) -> Iterator[Desk]:
    clock = SteppedClock(NOW)
    with Desk(settings=database_settings, clock=clock, store=open_store(database_settings, clock)) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _without_workers(history, monkeypatch):
    """Cubes from memory, and sweeps in this process: what goes to workers is the sweeps' own tests' business."""

    def chain_cube(store, symbol, *, start, end):
        asked_for.append((start, end))
        return history.between(start, end)

    monkeypatch.setattr("bifrost_lib.store.chain_cube", chain_cube, raising=False)
    asked_for.clear()


def swept(documents, cubes, *, client=None, home=None, progress=None, **options):
    results = [backtest.run(document, cubes, **options) for document in documents]
    daily = np.array([np.diff(result.equity["equity"], prepend=result.capital) for result in results])
    summary = pd.DataFrame({"pnl": [result.pnl for result in results]})
    sessions = results[0].equity["ts"].dt.tz_localize(None).to_numpy().astype("datetime64[D]")
    return SimpleNamespace(summary=summary, daily=daily, sessions=sessions)


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch):
    for module in ("searching", "tuning", "walking"):
        monkeypatch.setattr(f"bifrost_lib.workflows.studies.{module}.run_sweep", swept)


def begin(desk, name, **changed):
    usual = {"start": START, "end": END, "holdout_start": HOLDOUT, "grid": GRID}
    return begin_study(desk, name, CONDOR, ["bnch"], **(usual | changed))


def test_a_study_from_its_beginning_to_its_looks(desk):
    study = begin(desk, "condors")
    assert (study.symbols, study.last_visible, study.is_frozen) == (("BNCH",), date(2008, 3, 31), False)
    with pytest.raises(HoldOutClosed) as error:
        look_at_study(desk, "condors")
    assert (error.value.study, error.value.first, error.value.last) == ("condors", HOLDOUT, END)
    assert asked_for == [] and list_looks(desk.store, "condors").empty

    found = run_study(desk, "condors", client=object())
    assert asked_for == [(START, date(2008, 3, 31))]
    assert {*found.table.columns} == {*GRID, "pnl"} and len(found.table) == 6
    told = found.statistics
    assert found.documents[told["best"]["place"]] == found.best
    assert 0 <= told["deflated_sharpe"] <= 1 and 0 <= told["pbo"] <= 1 and 1 <= told["trials"] <= 6
    run_study(desk, "condors", client=object())
    assert list_study_runs(desk.store, "condors")["sets"].tolist() == [0, 6]  # the same sets are tried once

    frozen = freeze_study(desk, "condors", reason="the best")
    assert frozen.choice == found.best and frozen.frozen == NOW and frozen.sets_tried == 6
    with pytest.raises(InputError) as again:
        freeze_study(desk, "condors")
    assert again.value.name == "study"
    with pytest.raises(InputError):
        run_study(desk, "condors", client=object())

    asked_for.clear()
    first, second = (look_at_study(desk, "condors", purpose=why) for why in ("to decide", None))
    assert asked_for == [(START, END)] * 2
    assert (first.number, second.number) == (1, 2)
    assert first.result.start >= HOLDOUT and first.result.end <= END
    assert first.result.trades["opened"].min() >= pd.Timestamp(HOLDOUT, tz="UTC")
    assert "the first look" in str(first) and "no longer out of sample" in str(second)
    looks = list_looks(desk.store, "condors")
    assert looks["purpose"][0] == "to decide" and looks["purpose"].isna().tolist() == [False, True]
    assert looks["statistics"][0]["trades"] == first.result.statistics["trades"] > 0
    assert find_study(desk, "condors").looks == 2


@pytest.mark.parametrize("end", [HOLDOUT, END, date(2030, 1, 1)])
def test_no_read_through_a_study_reaches_the_days_kept_back(desk, end, request):
    name = f"closed{request.node.callspec.indices['end']}"
    begin(desk, name)
    for read in (lambda: study_cubes(desk, name, end=end), lambda: run_study(desk, name, end=end, client=object())):
        with pytest.raises(HoldOutClosed):
            read()
    cube = study_cubes(desk, name)["BNCH"]
    assert cube.end < HOLDOUT
    assert asked_for == [(START, date(2008, 3, 31))]
    freeze_study(desk, name, values={"exits.take_profit.share": 0.5, "dte.target": 14})
    with pytest.raises(HoldOutClosed):  # a look is the only way, because it counts
        study_cubes(desk, name, end=end)


def test_what_comes_later_changes_nothing_that_a_search_finds(desk, history, monkeypatch):
    begin(desk, "blind")
    before = run_study(desk, "blind", client=object())
    day = int(np.datetime64(HOLDOUT).astype("datetime64[D]").astype(int))
    later = history.session_moment[np.searchsorted(history.session_day, day)]
    spot = history.spot.copy()
    spot[later:] = 1e6
    from dataclasses import replace

    other = replace(history, spot=spot, known_sha256="")
    monkeypatch.setattr("bifrost_lib.store.chain_cube", lambda s, n, *, start, end: other.between(start, end))
    np.testing.assert_array_equal(run_study(desk, "blind", client=object()).result.daily, before.result.daily)


def test_walking_forward_stays_on_the_days_that_may_be_seen(desk):
    begin(desk, "walker")
    walked = walk_study(desk, "walker", train=20, test=10, client=object())
    windows = walked.windows
    assert windows["test_start"].gt(windows["train_end"]).all()
    assert windows["test_end"].max() < HOLDOUT
    assert len(walked.daily) == len({*walked.daily["date"]})
    assert walked.statistics["pnl"] == pytest.approx(walked.daily["pnl"].sum()) == pytest.approx(windows["pnl"].sum())
    (kept,) = list_study_runs(desk.store, "walker").to_dict("records")
    assert (kept["kind"], kept["sets"], kept["last_day"]) == ("walk_forward", 6, date(2008, 3, 31))
    begin(desk, "single", grid=None)
    with pytest.raises(InputError) as error:
        walk_study(desk, "single", train=20, test=10, client=object())
    assert "one with a grid" in error.value.expected


def test_the_documents_of_an_open_study_are_not_replayed_there_outside_of_it(desk):
    begin(desk, "fenced")
    ours = run_study(desk, "fenced", client=object()).documents[3]
    check_not_kept_back(desk, [ours], ["BNCH"], end=date(2008, 3, 31))
    check_not_kept_back(desk, [ours], ["OTHER"])
    check_not_kept_back(desk, [strategy_named("long_call")], ["BNCH"])
    with pytest.raises(HoldOutClosed):
        check_not_kept_back(desk, [CONDOR, ours], ["bnch"], end=END)


def test_days_that_another_study_looked_at_are_said_to_be_seen(desk):
    begin(desk, "early", grid=None)
    freeze_study(desk, "early")
    look_at_study(desk, "early")
    begin(desk, "late", grid=None, holdout_start=date(2008, 5, 1))
    freeze_study(desk, "late")
    assert look_at_study(desk, "late").seen_in["early"] == 1


def test_a_look_at_days_that_are_not_there_yet_is_none(desk):
    begin(desk, "future", grid=None, end=date(2008, 12, 31), holdout_start=date(2008, 12, 1))
    freeze_study(desk, "future")
    with pytest.raises(NoDataError):
        look_at_study(desk, "future")
    assert find_study(desk, "future").looks == 0


@pytest.mark.parametrize(
    ("changed", "name"),
    [({"holdout_start": START}, "holdout_start"), ({"holdout_start": date(2009, 1, 1)}, "holdout_start"),
     ({"grid": {"dte.aim": [3]}}, "grid"), ({"grid": {"dte.target": ["soon"]}}, "dte.target")],
)  # fmt: skip
def test_a_study_that_makes_no_sense_is_refused(desk, changed, name):
    with pytest.raises((InputError, DocumentError)) as error:
        begin(desk, "nonsense", **changed)
    assert error.value.name == name
    with pytest.raises(UnknownNameError):
        find_study(desk, "nonsense")


def test_a_choice_is_one_of_the_studys_documents(desk):
    begin(desk, "picky")
    with pytest.raises(InputError) as error:
        freeze_study(desk, "picky")
    assert error.value.name == "choice" and "study run picky" in str(error.value)
    for wrong in ({"choice": strategy_named("long_call")}, {"values": {"dte.target": 8}}):
        with pytest.raises(InputError):
            freeze_study(desk, "picky", **wrong)
    assert not find_study(desk, "picky").is_frozen


def test_ranges_are_searched_and_the_documents_in_them_kept_back(desk):
    ranges = {"exits.take_profit.share": {"low": 0.2, "high": 0.8}, "dte.target": [5, 7]}
    study = begin(desk, "ranged", grid=ranges)
    with pytest.raises(NoDataError):
        tried_sets(desk, study)
    found = search_study(desk, "ranged", sets=6, method="random", how={"folds": 2}, client=object())
    assert asked_for == [(START, date(2008, 3, 31))]  # nothing of the days kept back
    assert found.statistics["search"]["tried"] == len(found.documents) == 6
    assert list_study_runs(desk.store, "ranged")["sets"].tolist() == [6]
    assert tried_sets(desk, study) == (found.documents, found.assignments)  # what a page maps: a range has no grid
    # A document that lies in the ranges is the study's, whether it was tried or not; one beside them is not.
    for share, belongs in ((0.41, True), (0.9, False)):
        other = backtest.with_parameters(CONDOR, {"exits.take_profit.share": share, "dte.target": 7})
        assert (study.values_of(other) is not None) == belongs
        if belongs:
            with pytest.raises(HoldOutClosed):
                check_not_kept_back(desk, [other], ["BNCH"])
        else:
            check_not_kept_back(desk, [other], ["BNCH"])
    frozen = freeze_study(desk, "ranged")
    assert frozen.choice == found.best
    assert frozen.choice.sha256 == backtest.with_parameters(CONDOR, found.statistics["best"]["values"]).sha256
    with pytest.raises(InputError):
        search_study(desk, "ranged", client=object())
    begin(desk, "alone", grid=None)
    with pytest.raises(InputError, match="a grid"):
        search_study(desk, "alone", client=object())


def test_the_command_line_says_what_is_open_and_what_is_not(desk, monkeypatch, tmp_path):
    monkeypatch.setattr("bifrost_lib.workflows.open_desk", lambda: desk, raising=False)
    monkeypatch.setattr("bifrost_lib.workflows.studies.searching.reached", lambda desk, client: desk)
    grid = tmp_path / "grid.yaml"
    grid.write_text("exits.take_profit.share: [0.25, 0.5]\n")
    command = CliRunner()
    days = ["--symbol", "BNCH", "--start", "2008-01-02", "--end", "2008-05-30", "--holdout", "2008-04-01"]
    made = command.invoke(studying.app, ["new", "by_hand", "iron_condor", *days, "--grid", str(grid)])
    assert made.exit_code == 0, made.output
    assert "keeps 2008-04-01 to 2008-05-30 back" in made.output
    assert "by_hand" in command.invoke(studying.app, ["list"]).output
    assert "days kept back are closed" in command.invoke(studying.app, ["show", "by_hand"]).output
    closed = command.invoke(studying.app, ["look", "by_hand"])
    assert isinstance(closed.exception, HoldOutClosed)
    assert len(list_studies(desk)) >= 1
