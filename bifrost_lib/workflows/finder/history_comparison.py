"""A candidate beside its own past: the same document on the same symbol, on every stored day before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from bifrost_lib.analytics import market_conditions
from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.core.intervals import wilson_interval
from bifrost_lib.strategies import EarningsCalendar
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.earnings import EarningsHistory, earnings_facts, earnings_history
from bifrost_lib.workflows.finder.past_entries import near_expiry, past_entries
from bifrost_lib.workflows.finder.scans import ScanResult

#: Fewer past entries than this say more about luck than about the strategy.
FEWEST = 20
_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
_CONDITIONS = ("iv_rank", "skew", "term_slope")
_THIRDS = ("low", "middle", "high")


@dataclass(frozen=True)
class PastComparison:
    """What a document did on a symbol until `at`, ready to be put beside today's candidates.

    Attributes
    ----------
    symbol, strategy, at
    entries : DataFrame
        See `past_entries`; one row per stored session, whether or not it ended, and `through_earnings`: whether a
        report that was known then came before the near expiry, None where none of them was known.
    today : dict
        `iv_rank`, `skew` and `term_slope` at `at`; NaN where not known.
    earnings : EarningsCalendar or None
        The reports that were known at `at`.
    """

    symbol: str
    strategy: str
    at: datetime
    entries: pd.DataFrame
    today: dict[str, float]
    earnings: EarningsCalendar | None = None

    def beside(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the comparison of one candidate under stable keys; NaN is what cannot be known.

        Keys
        ----
        ``n`` past entries that ended, ``independent`` of them not overlapping in time, ``days`` sessions looked at,
        ``entered``, ``first``, ``last`` (dates), ``is_enough`` (n >= 20), ``outcome`` (win rate with its interval, mean
        and quantiles of profit in currency, mean return on max loss, ways to end), ``percentile`` of today's
        ``premium`` (as a share of the spot), ``pop`` and ``score`` among past entries, ``like_today`` (outcomes of
        entries in today's third of `iv_rank`, `skew`, `term_slope`), ``earnings`` (the next report's `day`,
        `time_of_day` and `days` to it or the `reason` why not, whether it comes before the near expiry, `through`, and
        the outcomes of past entries of which the same was true, `like_today`), and ``hindrances`` by count.
        """
        entered = self.entries[self.entries["legs"].notna()]
        ended = entered[entered["pnl"].notna()]
        known = self.entries["session"]
        hindrances = self.entries.loc[self.entries["pnl"].isna(), "hindrance"].dropna()
        return {
            "n": len(ended),
            "independent": independent_entries(ended),
            "days": len(self.entries),
            "entered": len(entered),
            "first": known.min() if len(known) else None,
            "last": known.max() if len(known) else None,
            "is_enough": len(ended) >= FEWEST,
            "outcome": _outcome(ended),
            "percentile": self._percentiles(record, entered),
            "like_today": {name: self._third(name, ended) for name in _CONDITIONS},
            "earnings": self._earnings(record, ended),
            "hindrances": {str(why)[:120]: int(count) for why, count in hindrances.value_counts().head(3).items()},
        }

    def _percentiles(self, record: Mapping[str, Any], entered: pd.DataFrame) -> dict[str, float]:
        now = {"premium": record["premium"] / record["spot"], "pop": record["pop"], "score": record["score"]}
        past = {"premium": entered["premium"] / entered["spot"], "pop": entered["pop"], "score": entered["score"]}
        return {name: _percentile(past[name].to_numpy(dtype=float), float(value)) for name, value in now.items()}

    def _earnings(self, record: Mapping[str, Any], ended: pd.DataFrame) -> dict[str, Any]:
        facts = earnings_facts(self.earnings, self.at)
        through = None
        if self.earnings is not None:
            through = self.earnings.until(near_expiry(record["legs"]), exchange_date(self.at)) is not None
        alike = ended[[one is not None and one == through for one in ended["through_earnings"]]]
        return facts | {"through": through, "like_today": _outcome(alike)}

    def _third(self, name: str, ended: pd.DataFrame) -> dict[str, Any]:
        """Return the outcomes of entries whose condition lay in the same third of its past as today's does."""
        now, past = self.today.get(name, float("nan")), ended[name].dropna()
        if np.isnan(now) or len(past) < FEWEST:
            why = "today's is not known" if np.isnan(now) else f"{len(past)} past entries, fewer than {FEWEST}"
            return {"now": now, "n": 0, "reason": why}
        edges = past.quantile([1 / 3, 2 / 3]).to_numpy()
        place = int(np.searchsorted(edges, now))
        alike = ended[np.searchsorted(edges, ended[name].to_numpy()) == place]
        low, high = ([-np.inf, *edges][place], [*edges, np.inf][place])
        return {"now": now, "third": _THIRDS[place], "low": low, "high": high, "n": len(alike), **_outcome(alike)}


def compare_with_past(desk: Desk, scan: ScanResult, *, most_new: int | None = None) -> PastComparison:
    """Return the past of a scan's document on its symbol; put each candidate beside it by `PastComparison.beside`.

    Computed once per document, symbol and stored session, then kept: a first look walks through up to a year, or with
    `most_new` through so many sessions of it, evenly spaced.
    """
    entries = past_entries(desk, scan.symbol, scan.strategy, at=scan.at, most_new=most_new)
    history = pd.Series(entries["iv"].to_numpy(), index=pd.DatetimeIndex(entries["at"]))
    now = market_conditions(scan.chain, history=history, at=scan.at)
    today = {name: float(getattr(now, name)) for name in _CONDITIONS}
    learnt = earnings_history(desk, scan.symbol, at=scan.at)
    through = pd.Series([_through(row, learnt) for row in entries[["at", "legs"]].to_dict("records")], dtype=object)
    entries = entries.assign(through_earnings=through)
    return PastComparison(scan.symbol, scan.strategy.name, scan.at, entries, today, scan.earnings)


def _through(entry: Mapping[Any, Any], learnt: EarningsHistory) -> bool | None:
    calendar = learnt.known_at(entry["at"])
    if calendar is None or not isinstance(entry["legs"], list):
        return None
    return calendar.until(near_expiry(entry["legs"]), exchange_date(entry["at"])) is not None


def histories(
    desk: Desk,
    scan: ScanResult,
    records: Sequence[Mapping[str, Any]] | None = None,
    *,
    most_new: int | None = None,
) -> list[dict[str, Any]]:
    """Return the comparison of each candidate of a scan with its own past, in the order of `records`."""
    past = compare_with_past(desk, scan, most_new=most_new)
    return [past.beside(record) for record in (scan.candidates.records() if records is None else records)]


def _outcome(ended: pd.DataFrame) -> dict[str, Any]:
    if not len(ended):
        return {"n": 0}
    pnl, wins = ended["pnl"], int((ended["pnl"] > 0).sum())
    low, high = wilson_interval(wins, len(ended))
    reasons = ended["exit_reason"].value_counts()
    on_risk = (pnl / ended["max_loss"])[ended["max_loss"] > 0]
    return {
        "n": len(ended),
        "win_rate": wins / len(ended),
        "win_low": low,
        "win_high": high,
        "promised": float(ended["pop"].mean()),
        "pnl_mean": float(pnl.mean()),
        "pnl_quantiles": {f"{level:g}": float(pnl.quantile(level)) for level in _LEVELS},
        "return_on_risk": float(on_risk.mean()) if len(on_risk) else None,
        "ended_by": {str(reason): int(count) for reason, count in reasons.items()},
    }


def _percentile(past: np.ndarray[Any, Any], now: float) -> float:
    """Return the share of past values below `now`, ties counting half; NaN without any."""
    known = past[np.isfinite(past)]
    if not len(known) or not np.isfinite(now):
        return float("nan")
    return float(((known < now).sum() + 0.5 * (known == now).sum()) / len(known))


def independent_entries(ended: pd.DataFrame) -> int:
    """Count entries one after the other, each begun when the one before had ended."""
    ordered = ended.sort_values("at")
    count, free = 0, pd.Timestamp.min.tz_localize("UTC")
    for begun, end in zip(ordered["at"].tolist(), ordered["ended"].tolist(), strict=True):
        if begun >= free:
            count, free = count + 1, end
    return count
