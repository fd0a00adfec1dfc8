"""A desk's backtests without a desk: runs, a study with its grid, and its hold-out, from frames made by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from apps.panel.backtest_desk import Grid, Saved
from apps.panel.backtest_questions import Question, Shelved
from bifrost_lib.backtest import Result
from bifrost_lib.core.errors import NoDataError, UnknownNameError
from bifrost_lib.strategies import strategy_named
from bifrost_lib.workflows.backtests import LibraryAnswer

from .backtest_frames import CAPITAL, STATISTICS, bands_of, equity_of, grid_of, trades_and_legs

NOW = datetime(2026, 9, 17, 15, tzinfo=UTC)


class Still:
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOW


def result() -> Result:
    trades, legs = trades_and_legs()
    equity = equity_of(trades)
    return Result(
        document_hash="5f" * 32, symbols=("SIM",), start=date(2025, 10, 1), end=date(2026, 9, 16), fills="realistic",
        capital=CAPITAL, code_version="0", chains="ab" * 32, trades=trades, legs=legs, equity=equity,
        skipped={"max_active": 204}, statistics=dict(STATISTICS), bands=bands_of(equity),
    )  # fmt: skip


class FakeSource:
    """What the page asks of the desk, from memory."""

    def __init__(self, *, runs: int = 3, symbols: int = 2) -> None:
        self.desk: Any = SimpleNamespace(clock=Still())
        self._count, self._symbols = runs, symbols
        self._result = result()

    def symbols(self) -> pd.DataFrame:
        first, last = pd.Timestamp("2025-10-01T20:00Z"), pd.Timestamp("2026-09-16T20:00Z")
        return pd.DataFrame(
            {"symbol": ["SIM", "SIMX"], "source": "simulated", "first_ts": first, "last_ts": last}
        ).head(self._symbols)

    def runs(self) -> pd.DataFrame:
        ts = pd.date_range("2026-09-17T13:00Z", periods=3, freq="-2h")
        frame = pd.DataFrame(
            {
                "run_id": [3, 2, 1], "ts": ts, "strategy": ["iron_condor", "bull_put_spread", "covered_call"],
                "symbols": [["SIM"], ["SIMX"], ["SIM"]], "start_day": date(2025, 10, 1), "end_day": date(2026, 9, 16),
                "fills": ["realistic", "worst", "mid"], "trades": [46, 51, 12], "pnl": [4_211.0, -1_904.0, 830.0],
                "sharpe": [0.69, -0.4, float("nan")],
            }
        )  # fmt: skip
        return frame.head(self._count)

    def saved(self, run: str) -> Saved:
        if run not in set(map(str, self.runs()["run_id"])):
            raise UnknownNameError("run", run, ["1", "2", "3"])
        parts = {"delta": -400.0, "gamma": -2_200.0, "theta": 6_200.0, "vega": 900.0, "unexplained": -289.0}
        return Saved(run, "iron_condor", self._result, strategy_named("iron_condor"), parts, simulated=True)

    def studies(self) -> pd.DataFrame:
        created = pd.Timestamp("2026-09-10T14:00Z")
        frame = pd.DataFrame(
            {
                "name": ["calm puts", "condors", "earnings"], "symbols": [["SIM"], ["SIM", "SIMX"], ["SIMX"]],
                "start_day": date(2025, 10, 1), "end_day": date(2026, 9, 16), "holdout_start": date(2026, 7, 1),
                "holdout_end": date(2026, 9, 16), "created": created, "created_by": "ada",
                "frozen": [pd.NaT, created, created], "frozen_by": [None, "ada", "ada"], "looks": [0, 1, 3],
                "sets_tried": [36, 36, 400],
            }
        )  # fmt: skip
        return frame.head(self._count)

    def looks(self, study: str) -> pd.DataFrame:
        count = {"condors": 1, "earnings": 3}.get(study, 0)
        return pd.DataFrame(
            {
                "number": range(1, count + 1), "ts": pd.Timestamp("2026-09-12T14:00Z"), "who": "ada",
                "purpose": "does it hold", "document_hash": "5f" * 32,
            },
            index=range(count),
        )  # fmt: skip

    def grid(self, study: str) -> Grid:
        draw = np.random.default_rng(1)
        splits = pd.DataFrame({"in_sample": draw.normal(1.5, 0.3, 200), "out_of_sample": draw.normal(0.3, 0.8, 200)})
        figures = {
            "trials": 36, "effective_trials": 7.2, "sharpe": 1.34, "expected_sharpe": 0.9, "probabilistic_sharpe": 0.93,
            "deflated_sharpe": 0.71, "pbo": 0.34, "loss_probability": 0.41, "mean_out_of_sample": 0.31,
        }  # fmt: skip
        names = ("legs.short_put.rule.target", "exits.take_profit.share", "dte.target")
        return Grid("1", grid_of(), names, figures, splits)

    def libraries(self) -> dict[str, Shelved]:
        if not self._count:
            return {}
        strategies = ("bull_put_spread", "iron_condor", "long_call")
        return {"income": Shelved("income", ("SIM", "SIMX"), strategies), "old": Shelved("old", ("SIMX",), ())}

    def answer(self, question: Question) -> LibraryAnswer:
        if question.iv_rank == "low":
            raise NoDataError("backtested trade", iv_rank="low")
        table = answer_of(question)
        enough = table["priced"] >= question.least_trades
        symbols = pd.DataFrame({
            "symbol": ["SIM", "SIMX"], "distance": [0.0, 1.31] if question.like else float("nan"), "iv": [0.21, 0.38],
            "realized_vol": [0.18, 0.33], "skew": [0.041, float("nan")], "term_slope": [0.012, -0.004],
            "vol_of_iv": [0.9, 1.2], "spread": [0.021, 0.048],
        })  # fmt: skip
        found = table[enough].sort_values(question.order, ascending=False).reset_index(drop=True)
        facts = (question.library, question.sample, question.iv_rank, question.trend, NOW)
        return LibraryAnswer(found, symbols, int((~enough).sum()), *facts)

    def is_simulated(self, _: list[str]) -> bool:
        return True

    def sheet(self, saved: Saved) -> str:
        from bifrost_lib.views.backtests import Sheet, sheet_page

        found = saved.result
        frames = {"trades": found.trades, "legs": found.legs, "equity": found.equity, "bands": found.bands}
        told = {"statistics": found.statistics, "attribution": saved.attribution, "sources": ["simulated"]}
        return str(sheet_page(Sheet("Iron condor on SIM", "a year", found.capital, **frames, **told)))


def answer_of(question: Question) -> pd.DataFrame:
    """What worked by hand: one that is above zero, some that may be luck, one below zero, and one with few trades."""
    draw, count = np.random.default_rng(3), 24
    mean = np.concatenate([[0.062], draw.normal(0.01, 0.02, count - 3), [-0.07, 0.02]])
    half = np.concatenate([[0.03], draw.uniform(0.03, 0.09, count - 3), [0.05, float("nan")]])
    priced = np.concatenate([draw.integers(30, 220, count - 1), [9]])
    strategies = ["bull_put_spread", "iron_condor", "long_call"]
    return pd.DataFrame({
        "strategy": [question.strategy or strategies[place % 3] for place in range(count)],
        "parameters": [{} if place % 3 == 2 else {"dte.target": 30 + 15 * (place % 2), "exits.take_profit.share": 0.5}
                       for place in range(count)],
        "symbols": 2, "priced": priced, "win_rate": 0.68, "win_rate_low": 0.57, "win_rate_high": 0.77,
        "return_mean": mean, "return_low": mean - half, "return_high": mean + half, "pnl_mean": 1_000 * mean,
        "pnl_worst": -1_240.0, "days_mean": 17.0, "sharpe": mean / 0.2,
        "deflated_sharpe": np.where(np.isnan(half), np.nan, np.clip(0.5 + 8 * mean, 0, 1)),
        "probabilistic_sharpe": np.clip(0.6 + 6 * mean, 0, 1), "overfitting": 0.66, "return_mean_in": mean + 0.02,
    })  # fmt: skip
