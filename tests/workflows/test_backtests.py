"""Backtests over the store: kept, repeated to the bit, and told on the command line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import text

from bifrost_lib.cli import run as run_command
from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.core.settings import Settings
from bifrost_lib.store import (
    FileKey,
    drop_user,
    ensure_user,
    ingestion,
    open_store,
    option_chain,
    save_corporate_actions,
    url_for,
)
from bifrost_lib.strategies import AtStrike, DteRange, Exits, Leg, StrategyDocument, strategy_named
from bifrost_lib.workflows import seed_simulated_history
from bifrost_lib.workflows.backtests import (
    Backtest,
    list_backtests,
    read_backtest,
    repeat_backtest,
    run_backtest,
    run_grid,
)
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.ingestion import ingest_paths
from bifrost_lib.workflows.studies import HoldOutClosed, begin_study

FIRST, LAST = date(2026, 8, 3), date(2026, 11, 6)
NOW = datetime(2026, 11, 7, 12, tzinfo=UTC)
CONDOR = strategy_named("iron_condor")


@pytest.fixture(scope="module")
def desk(database_settings: Settings) -> Iterator[Desk]:
    clock = SteppedClock(NOW)
    with Desk(settings=database_settings, clock=clock, store=open_store(database_settings, clock)) as opened:
        seed_simulated_history(opened, symbols=("SIM",), first=FIRST, last=LAST, whole_from=LAST)
        yield opened


@pytest.fixture(scope="module")
def kept(desk: Desk) -> Backtest:
    """A run with everything in it."""
    return run_backtest(desk, CONDOR, "sim", bands=True)


def test_a_run_is_kept_and_read_as_it_was(desk: Desk, kept: Backtest) -> None:
    assert kept.result.start == FIRST and kept.result.end == LAST
    assert len(kept.result.trades) >= 2 and kept.simulated
    assert kept.run_id is not None
    read = read_backtest(desk, kept.run_id)
    for name in ("trades", "legs", "equity", "bands"):
        pd.testing.assert_frame_equal(getattr(read.result, name), getattr(kept.result, name))
    assert read.document == kept.document and read.warnings == kept.warnings
    assert read.as_dict()["trades"] == kept.as_dict()["trades"]
    row = list_backtests(desk).set_index("run_id").loc[kept.run_id]
    assert (row["strategy"], row["symbols"], row["trades"]) == ("iron_condor", ["SIM"], len(kept.result.trades))
    assert not len(list_backtests(desk, at=NOW - timedelta(seconds=1)))


def test_a_kept_run_repeats_to_the_bit_whatever_became_known_later(desk: Desk, kept: Backtest) -> None:
    assert kept.run_id is not None
    assert repeat_backtest(desk, kept.run_id).differences == ()
    chain = option_chain(desk.store.engine, "SIM")
    later = chain["ts"].max() + pd.Timedelta(days=3)
    columns = [name for name in chain.columns if name not in ("mid", "tau", "dte")]
    with ingestion(desk.store, FileKey("later", "0", 0, "made up"), source="simulated") as writer:
        writer.append(chain[columns].assign(ts=later, bid=chain["bid"] * 3, ask=chain["ask"] * 3))
    clock = desk.clock
    assert isinstance(clock, SteppedClock)
    clock.advance(timedelta(days=4))
    assert run_backtest(desk, CONDOR, "SIM", save=False).result.end > LAST
    assert repeat_backtest(desk, kept.run_id).differences == ()


def test_a_run_whose_quotes_were_changed_says_so(desk: Desk) -> None:
    run = run_backtest(desk, CONDOR, "SIM", start=date(2026, 9, 1), end=date(2026, 9, 30)).run_id
    assert run is not None
    with desk.store.engine.begin() as connection:
        changed = "UPDATE option_snapshots SET bid = bid + %s WHERE ts BETWEEN '2026-09-02' AND '2026-09-03'"
        connection.exec_driver_sql(changed, (0.01,))
    from bifrost_lib.store import update_cube

    # A row changed behind the store's back leaves the directory as it was; only making the cube anew finds it.
    manifest = update_cube(desk.store, "SIM").folder / "manifest.json"
    manifest.unlink()
    assert "chains" in repeat_backtest(desk, run).differences
    with desk.store.engine.begin() as connection:
        connection.exec_driver_sql(changed, (-0.01,))
    manifest.unlink()
    update_cube(desk.store, "SIM")


# Tesla's shares were split three for one on 2022-08-25; these are their closes. Quotes of the options are written down
# here: on 08-22 nobody asks for the call, on 08-25 nobody asks for the put.
TESLA = """ts,symbol,expiry,strike,right,bid,ask,spot
2022-08-22T20:00:00Z,TSLA,2022-09-16,950,C,21.10,,869.74
2022-08-22T20:00:00Z,TSLA,2022-09-16,800,P,25.40,26.10,869.74
2022-08-23T20:00:00Z,TSLA,2022-09-16,950,C,27.05,27.55,889.36
2022-08-23T20:00:00Z,TSLA,2022-09-16,800,P,18.50,18.90,889.36
2022-08-24T20:00:00Z,TSLA,2022-09-16,950,C,26.20,26.80,891.29
2022-08-24T20:00:00Z,TSLA,2022-09-16,800,P,17.10,17.50,891.29
2022-08-25T20:00:00Z,TSLA,2022-09-16,316.67,C,8.70,8.95,296.07
2022-08-25T20:00:00Z,TSLA,2022-09-16,266.67,P,4.10,,296.07
2022-08-26T20:00:00Z,TSLA,2022-09-16,316.67,C,5.60,5.80,288.09
2022-08-26T20:00:00Z,TSLA,2022-09-16,266.67,P,5.90,6.10,288.09
"""


def _pairs_near_the_money(written: str) -> Iterator[str]:
    """Yield calls and puts that say where the forward is: at the spot."""
    for ts, spot in sorted({(row["ts"], float(row["spot"])) for row in csv.DictReader(io.StringIO(written))}):
        for strike in (round(spot * share) for share in (0.96, 0.98, 1.0, 1.02, 1.04)):
            put = 0.06 * spot + 0.5 * (strike - spot)
            for right, mid in (("P", put), ("C", put + spot - strike)):
                yield f"{ts},TSLA,2022-09-16,{strike},{right},{mid - 0.1:.2f},{mid + 0.1:.2f},{spot}"


def test_a_strangle_from_the_store_through_the_split_of_tesla_and_missing_asks(desk: Desk, tmp_path: Path) -> None:
    # Two legs give away 0.66 of the spread:
    #   08-23 sold at 27.55 - 0.66 * 0.50 = 27.22 and 18.90 - 0.66 * 0.40 = 18.636: 100 * 45.856 = 4585.60, less 1.30
    #   08-24 worth 26.20 + 0.66 * 0.60 = 26.596 and 17.10 + 0.66 * 0.40 = 17.364: 100 * 43.96 = 4396.00
    #   08-25 no price for the put: the mark of the day before stands, and the exit waits
    #   08-26 bought at 5.60 + 0.66 * 0.20 = 5.732 and 5.90 + 0.132 = 6.032: 300 * 11.764 = 3529.20, less 6 * 0.65
    # Naked, the call needs the more: 20 % of 889.36 less 60.64 out of the money, 117.232, and both premiums.
    (tmp_path / "tesla.csv").write_text(TESLA + "\n".join(_pairs_near_the_money(TESLA)), encoding="utf-8")
    ingest_paths(desk, [tmp_path / "tesla.csv"])
    split = {"symbol": ["TSLA"], "ex_date": pd.to_datetime(["2022-08-25"]), "kind": ["split"], "value": [3.0]}
    save_corporate_actions(desk.store.engine, pd.DataFrame(split).assign(source="made up"))
    strangle = StrategyDocument(
        name="by_hand",
        view="of the split",
        legs=(Leg("call", "C", -1, AtStrike(950.0, 949.0, 951.0)), Leg("put", "P", -1, AtStrike(800.0, 799.0, 801.0))),
        dte=DteRange(22, 24, 25),
        exits=Exits(days_in_trade=2),
    )
    found = run_backtest(desk, strangle, "TSLA", start=date(2022, 8, 22), end=date(2022, 8, 26), save=False).result
    [trade] = found.trades.to_dict("records")
    assert (trade["reason"], trade["carried"]) == ("days in trade", 1)
    assert (str(trade["opened"].date()), str(trade["closed"].date())) == ("2022-08-23", "2022-08-26")
    assert trade["premium"] == pytest.approx(4585.60)
    assert trade["commission"] == pytest.approx(8 * 0.65)
    assert trade["pnl"] == pytest.approx(4585.60 - 3529.20 - 5.20)
    assert trade["margin"] == pytest.approx(100 * (117.232 + 27.22 + 18.636))
    legs = found.legs[["strike", "qty", "close_strike", "close_qty"]].to_numpy().tolist()
    assert legs == [[950.0, -1, 316.67, -3], [800.0, -1, 266.67, -3]]
    assert found.legs["open_price"].tolist() == pytest.approx([27.22, 18.636])
    assert found.legs["close_price"].tolist() == pytest.approx([5.732, 6.032])
    held = 100_000 + 4585.60 - 4396.00 - 1.30
    assert found.equity["equity"].tolist()[2:] == pytest.approx([held, held, 100_000 + trade["pnl"]])
    assert found.equity["active"].tolist() == [0, 1, 1, 1, 0]
    assert found.skipped == {"no legs": 1, "max_active": 2, "no expiry": 1}


def test_who_may_only_read_runs_without_keeping(desk: Desk, tmp_path: Path) -> None:
    name = f"trader-{desk.store.address.database[-8:]}"  # type: ignore[index]
    ensure_user(desk.store, name, "trader")
    settings = {"BIFROST_HOME": str(tmp_path), "BIFROST_DATABASE_URL": url_for(desk.store, name)}
    from bifrost_lib.core.settings import load_settings

    read = load_settings(settings)
    with Desk(settings=read, clock=desk.clock, store=open_store(read, desk.clock)) as theirs:
        found = run_backtest(theirs, CONDOR, "SIM", end=LAST)
    drop_user(desk.store, name)
    assert found.run_id is None and len(found.result.trades)


def test_a_signal_gates_entries_and_knows_the_days_before_the_start(desk: Desk) -> None:
    start = date(2026, 10, 1)
    never = run_backtest(desk, CONDOR, "SIM", start=start, end=LAST, signal="close < 0", save=False).result
    always = run_backtest(desk, CONDOR, "SIM", start=start, end=LAST, signal="close > 0", save=False).result
    warm = run_backtest(desk, CONDOR, "SIM", start=start, end=LAST, signal="sma(30) > 0", save=False).result
    assert len(never.trades) == 0 and never.skipped["signal"] == len(never.equity)
    assert len(always.trades) == len(warm.trades) > 0 and always.start == start


def test_a_grid_says_how_much_of_its_best_is_luck(desk: Desk) -> None:
    grid = {"exits.take_profit.share": [0.25, 0.5, 0.75], "dte.target": [35, 45]}
    found = run_grid(desk, CONDOR, "SIM", grid, end=LAST)
    told = json.loads(json.dumps(found.as_dict(), default=str))
    assert len(told["sets"]) == told["statistics"]["sets"] == 6
    assert 0 <= found.statistics["pbo"] <= 1 and 0 <= found.statistics["deflated_sharpe"] <= 1
    alone = run_backtest(desk, found.documents[3], "SIM", end=LAST, save=False).result
    assert found.result.daily[3].sum() == pytest.approx(alone.pnl, abs=1e-6)


def test_days_that_a_study_keeps_back_stay_closed(desk: Desk) -> None:
    kept_back = date(2026, 10, 19)
    document = CONDOR.model_copy(update={"name": "kept_back", "exits": strategy_named("short_strangle").exits})
    begin_study(desk, "kept_back", document, symbols=["SIM"], start=FIRST, end=LAST, holdout_start=kept_back)
    with pytest.raises(HoldOutClosed):
        run_backtest(desk, document, "SIM")
    with pytest.raises(HoldOutClosed):
        run_grid(desk, document, "SIM", {"dte.target": [document.dte.target]})
    assert run_backtest(desk, document, "SIM", end=kept_back - timedelta(days=1), save=False).result.end < kept_back


@pytest.fixture
def say(desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run a command as a person does; return its status, what it printed, and what it complained of."""
    monkeypatch.setenv("BIFROST_HOME", str(desk.settings.home))
    monkeypatch.setenv("BIFROST_DATABASE_URL", str(desk.settings.database_url))
    monkeypatch.setenv("BIFROST_LOG_LEVEL", "ERROR")

    def run(*words: str) -> SimpleNamespace:
        status = run_command(["backtest", *words])
        told = capsys.readouterr()
        return SimpleNamespace(status=status, out=told.out, err=told.err)

    return run


def test_the_command_prints_what_programs_read(say: Callable[..., Any], tmp_path: Path) -> None:
    told = json.loads(say("iron_condor", "--symbol", "SIM", "--end", str(LAST), "--json", "--no-save").out)
    assert {"document_hash", "trades", "equity", "statistics", "bands", "warnings"} <= set(told)
    trade = told["trades"][0]
    assert set(trade) == {"opened", "closed", "reason", "legs", "premium", "pnl", "commission", "mae", "mfe"}
    leg = {"right", "qty", "strike", "expiry", "open_price", "close_price"}
    assert [set(one) for one in trade["legs"]] == [leg] * 4
    assert set(told["equity"][0]) == {"ts", "equity", "margin"}
    assert told["statistics"]["trades"] == len(told["trades"])

    rows = list(csv.DictReader(io.StringIO(say("iron_condor", "--symbol", "SIM", "--end", str(LAST), "--csv").out)))
    assert [float(row["pnl"]) for row in rows] == [one["pnl"] for one in told["trades"]]
    (tmp_path / "grid.yaml").write_text("exits.take_profit.share: [0.25, 0.5]\n")
    grid = say("iron_condor", "--symbol", "SIM", "--grid", str(tmp_path / "grid.yaml"), "--json")
    assert grid.err == "" and len(json.loads(grid.out)["sets"]) == 2


def test_a_search_tries_some_sets_of_ranges_and_repeats(say: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "ranges.yaml").write_text(
        "exits.take_profit.share: {low: 0.25, high: 0.75}\ndte.target: {low: 30, high: 45}\n"
    )
    asked = ("iron_condor", "--symbol", "SIM", "--end", str(LAST), "--grid", str(tmp_path / "ranges.yaml"))
    searched = say(*asked, "--search", "bayesian", "--sets", "12", "--seed", "3", "--json")
    told = json.loads(searched.out)
    assert searched.err == "" and told["search"] == told["search"] | {"method": "bayesian", "seed": 3, "asked": 12}
    assert all(0.25 <= one["parameters"]["exits.take_profit.share"] <= 0.75 for one in told["sets"])
    assert told["sets"][0]["value"] == max(one["value"] for one in told["sets"] if one["value"] is not None)
    assert {"deflated_sharpe", "pbo", "luck", "trials"} <= set(told["statistics"])
    assert json.loads(say(*asked, "--search", "bayesian", "--sets", "12", "--seed", "3", "--json").out) == told
    shown = say(*asked, "--search", "random", "--sets", "4").out
    assert "random search of" in shown and "better than luck" in shown and "seed 0" in shown.lower()
    refused = say(*asked)  # without a search a range needs steps
    assert refused.status != 0 and "a step" in refused.err


def test_the_command_shows_people_what_to_think_of_it(say: Callable[..., Any]) -> None:
    shown = say("iron_condor", "--symbol", "SIM", "--fills", "0.6", "--end", str(LAST), "--no-save").out
    for words in ("[SIMULATED]", "fills at 60%", "win rate", "95 % interval", "offset 1", "made up, and of no market"):
        assert words in shown


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["iron_condr", "--symbol", "SIM"], "did you mean 'iron_condor'?"),
        (["iron_condor", "--symbol", "SIMM"], "did you mean SIM?"),
        (["iron_condor", "--symbol", "SIM", "--start", "2027-01-04"], "its sessions are those of 2026-08-03 to"),
        (["iron_condor", "--symbol", "SIM", "--start", "2026-10-02", "--end", "2026-10-01"], "a date not before start"),
        (["iron_condor", "--symbol", "SIM", "--fills", "middle"], "mid, realistic, worst, or a fraction"),
        (["iron_condor", "--symbol", "SIM", "--cadence", "weekly"], "daily, or whole minutes"),
        (["iron_condor", "--symbol", "SIM", "--entry-time", "noon"], "a time of day such as 15:45"),
        (["iron_condor", "--symbol", "SIM", "--grid", "nowhere.yaml"], "No such file"),
        (["iron_condor", "--symbol", "SIM", "--search", "bayes"], "did you mean 'bayesian'?"),
        (["iron_condor", "--symbol", "SIM", "--search", "random"], "a --grid FILE"),
        (["iron_condor", "--symbol", "SIM", "--search", "random", "--figure", "sharp"], "did you mean 'sharpe'?"),
        (["iron_condor", "--symbol", "SIM", "--out", "sheet.pdf"], "a file .html"),
        (["iron_condor", "--symbol", "SIM", "--capital", "-1"], "capital"),
        (["iron_condor", "--symbol", "SIM", "--signal", "close >"], "signal"),
        (["iron_condor"], "--symbol"),
    ],
)
def test_what_is_wrong_is_one_clear_line(say: Callable[..., Any], words: list[str], complaint: str) -> None:
    told = say(*words)
    assert told.status != 0 and complaint in told.err
    assert len(told.err.strip().splitlines()) == 1 and not told.out


def test_runs_that_do_not_exist_are_said(desk: Desk) -> None:
    with pytest.raises(InputError) as raised:
        read_backtest(desk, 10**9)
    assert raised.value.name == "run"
    with pytest.raises(NoDataError):
        run_backtest(desk, CONDOR, "SIM", at=datetime(2026, 7, 1, tzinfo=UTC))
    with desk.store.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM backtest_runs WHERE start_day > end_day")) == 0
