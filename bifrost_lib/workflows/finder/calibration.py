"""Did our 70 % trades win 70 %? Recommendations that have expired, held against what they promised."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib import store
from bifrost_lib.analytics import (
    ExpectedValueCheck,
    ForecastScores,
    Recalibration,
    check_expected_values,
    out_of_sample,
    recalibrate,
    reliability_curve,
    score_forecasts,
)
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import UnknownNameError
from bifrost_lib.strategies import PopCorrection, strategy_named
from bifrost_lib.workflows.desk import Desk

#: Probabilities of a profit that recommendations carry, and the expected profit of the same distribution.
MEASURES = {"pop": "ev", "pop_surface": "ev_surface", "pop_real_world": "ev_real_world"}
#: Of settled recommendations, before a scan ranks by what they say.
FEWEST_OUTCOMES = 50
#: A recommendation that was marked later than this after its scan was marked knowing what came.
HINDSIGHT = timedelta(days=1)


@dataclass(frozen=True)
class CalibrationReport:
    """How true probabilities and expectations were.

    Attributes
    ----------
    at, strategy, symbol, measure
        What was asked for; None is all.
    recommended, open, settled, scored, hindsight : int
        Recommendations; those still held; those that ended; those that expired with a result and a forecast; and how
        many of these were marked more than a day after their scan.
    scores : ForecastScores or None
        None where nothing can be scored yet.
    curve : DataFrame
        See `analytics.reliability_curve`.
    by_strategy, by_symbol, by_measure : dict of ForecastScores
    expected : ExpectedValueCheck or None
    recalibration : Recalibration
        What the outcomes say about the next forecast.
    corrected : ForecastScores or None
        Of forecasts recalibrated with nothing but the outcomes known when they were made.
    managed : dict
        How they ended by their exits: `n`, `win_rate`, `pnl`.
    outcomes : DataFrame
        One row per scored recommendation.
    """

    at: datetime
    strategy: str | None
    symbol: str | None
    measure: str
    recommended: int
    open: int
    settled: int
    scored: int
    hindsight: int
    scores: ForecastScores | None
    curve: pd.DataFrame
    by_strategy: dict[str, ForecastScores]
    by_symbol: dict[str, ForecastScores]
    by_measure: dict[str, ForecastScores]
    expected: ExpectedValueCheck | None
    recalibration: Recalibration
    corrected: ForecastScores | None
    managed: dict[str, Any]
    outcomes: pd.DataFrame

    def as_dict(self) -> dict[str, Any]:
        """Return the report under stable keys, ready for JSON once NaN is null."""
        names = ("at", "strategy", "symbol", "measure", "recommended", "open", "settled", "scored", "hindsight")
        groups = ("by_strategy", "by_symbol", "by_measure")
        return {
            **{name: getattr(self, name) for name in names},
            "scores": asdict(self.scores) if self.scores else None,
            "curve": self.curve.to_dict("records"),
            **{name: {key: asdict(one) for key, one in getattr(self, name).items()} for name in groups},
            "expected_value": asdict(self.expected) if self.expected else None,
            "recalibration": asdict(self.recalibration),
            "recalibrated": asdict(self.corrected) if self.corrected else None,
            "managed": self.managed,
        }


def calibration_report(
    desk: Desk,
    *,
    at: datetime | None = None,
    strategy: str | None = None,
    symbol: str | None = None,
    measure: str = "pop",
) -> CalibrationReport:
    """Hold recommendations whose first expiry had passed at `at` against what they promised.

    Parameters
    ----------
    desk : Desk
    at : datetime, aware, optional
        Nothing that ended later counts. Default: now.
    strategy, symbol : str, optional
        Only these.
    measure : {"pop", "pop_surface", "pop_real_world"}
        Which probability is judged.

    Raises
    ------
    UnknownNameError
        If there is no such measure, or nobody has recommended a strategy of that name and the catalogue has none.

    Notes
    -----
    A probability of a profit at expiry is judged at expiry, whether or not an exit closed the position before; what the
    exits made of it is in `managed`. Profits are before commissions, as are the forecasts.
    """
    if measure not in MEASURES:
        raise UnknownNameError("measure", measure, MEASURES)
    at = as_utc(at) if at is not None else desk.clock.now()
    symbol = symbol.upper() if symbol else None
    known = store.list_recommendations(desk.store, at=at, strategy=strategy, symbol=symbol)
    if strategy is not None and known.empty:  # another word for one of the catalogue, or a slip
        strategy = strategy_named(strategy).name
        known = store.list_recommendations(desk.store, at=at, strategy=strategy, symbol=symbol)
    held = known[known["expiry_pnl"].notna()].assign(won=lambda frame: (frame["expiry_pnl"] > 0).astype(float))
    scored = held[held[measure].notna()]
    ended = known[known["state"] == "settled"]
    late = scored["recommended"] - scored["at"] > HINDSIGHT
    return CalibrationReport(
        at=at,
        strategy=strategy,
        symbol=symbol,
        measure=measure,
        recommended=len(known),
        open=int((known["state"] == "open").sum()),
        settled=len(ended),
        scored=len(scored),
        hindsight=int(late.sum()),
        scores=_scores(scored, measure),
        curve=reliability_curve(scored[measure], scored["won"]) if len(scored) else pd.DataFrame(),
        by_strategy=_by(scored, "strategy", measure),
        by_symbol=_by(scored, "symbol", measure),
        by_measure={name: found for name in MEASURES if (found := _scores(held[held[name].notna()], name))},
        expected=_expected(scored, MEASURES[measure]),
        recalibration=recalibrate(scored[measure], scored["won"]),
        corrected=_corrected(scored, measure),
        managed={
            "n": len(ended),
            "win_rate": float((ended["pnl"] > 0).mean()) if len(ended) else None,
            "pnl": float(ended["pnl"].sum()),
        },
        outcomes=scored.drop(columns=["document", "score_parts"]).reset_index(drop=True),
    )


def recalibrated_pop(
    desk: Desk, pop: npt.ArrayLike, *, at: datetime, strategy: str | None = None, measure: str = "pop"
) -> npt.NDArray[np.float64]:
    """Return probabilities of a profit corrected by every outcome that was known at `at`; few outcomes correct little.

    Parameters
    ----------
    desk : Desk
    pop : array_like
    at : datetime, aware
    strategy : str, optional
        Learn from this strategy's outcomes on top of what all of them say.
    measure : {"pop", "pop_surface", "pop_real_world"}
        Which probability `pop` is.

    Returns
    -------
    ndarray
        `pop` itself where nothing has ended yet.
    """
    return _learned(desk, at=at, strategy=strategy, measure=measure)(pop)


def pop_correction(desk: Desk, *, at: datetime, strategy: str | None = None) -> PopCorrection:
    """Return what the outcomes that were known at `at` say about ``pop``; the arguments are as in `recalibrated_pop`.

    How many they are is in `PopCorrection.outcomes`; fewer than `FEWEST_OUTCOMES` are nothing to rank by.
    """
    found = _learned(desk, at=at, strategy=strategy, measure="pop")
    return PopCorrection(found.intercept, found.slope, found.n)


def _learned(desk: Desk, *, at: datetime, strategy: str | None, measure: str) -> Recalibration:
    if measure not in MEASURES:
        raise UnknownNameError("measure", measure, MEASURES)
    known = store.list_recommendations(desk.store, at=as_utc(at))
    past = known[known["expiry_pnl"].notna() & known[measure].notna()]
    won = (past["expiry_pnl"] > 0).astype(float)
    general = recalibrate(past[measure], won)
    own = past["strategy"] == strategy
    if not own.any():
        return general
    special = recalibrate(general(past.loc[own, measure]), won[own])
    # One after the other they are of the same form.
    intercept = special.intercept + special.slope * general.intercept
    return Recalibration(intercept, special.slope * general.slope, general.n)


def _scores(frame: pd.DataFrame, measure: str) -> ForecastScores | None:
    return score_forecasts(frame[measure], frame["won"]) if len(frame) else None


def _by(frame: pd.DataFrame, column: str, measure: str) -> dict[str, ForecastScores]:
    groups = frame.groupby(column, sort=True, observed=True)
    return {str(name): score_forecasts(part[measure], part["won"]) for name, part in groups}


def _expected(frame: pd.DataFrame, ev: str) -> ExpectedValueCheck | None:
    known = frame[frame[ev].notna()]
    return check_expected_values(known[ev], known["expiry_pnl"]) if len(known) else None


def _corrected(frame: pd.DataFrame, measure: str) -> ForecastScores | None:
    if not len(frame):
        return None
    forecasts = out_of_sample(
        frame[measure],
        frame["won"],
        made=frame["at"].to_numpy(dtype="datetime64[us]"),
        known=frame["expires"].to_numpy(dtype="datetime64[us]"),
    )
    return score_forecasts(forecasts, frame["won"])
