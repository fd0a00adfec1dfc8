"""Recommendations that are scored afterwards: marked from a scan, marked to market daily, settled when they end."""

from __future__ import annotations

import getpass
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from bifrost_lib import store
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies import QuoteBoard, StrategyDocument
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.finder.following import (
    Entry,
    Follower,
    Seen,
    candidate_hash,
    entry_of,
    mark_moments,
)
from bifrost_lib.workflows.finder.scans import ScanResult

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MarkReport:
    """What a round of marking did: marks with a value, days without one by reason, and what was settled."""

    at: datetime
    followed: int
    marked: int
    unmarked: dict[str, int]
    settled: int
    pnl: float

    def as_dict(self) -> dict[str, Any]:
        """Return the report under stable keys."""
        return dict(vars(self))


def recommend(
    desk: Desk,
    scan: ScanResult,
    rows: Sequence[int | Mapping[str, Any]] | None = None,
    *,
    by: str | None = None,
    origin: str = "user",
    recommended: datetime | None = None,
) -> list[int]:
    """Remember candidates of a scan as recommendations; return their keys.

    Parameters
    ----------
    desk : Desk
    scan : ScanResult
    rows : sequence of int or mapping, optional
        Ranks, or records of the scan. Default: the first one alone.
    by : str, optional
        Who recommends. Default: who runs this process.
    origin : {"user", "schedule"}
    recommended : datetime, aware, optional
        When. Default: now. One that is marked after the fact says so by this moment.

    Raises
    ------
    InputError
        If a rank is not in the scan; nothing is stored.

    Notes
    -----
    The same structure of the same scan and document is remembered once, whoever recommends it first.
    """
    records = {record["rank"]: record for record in scan.candidates.records()}
    ranks = [1] if rows is None else [row if isinstance(row, int) else int(row["rank"]) for row in rows]
    for rank in ranks:
        if rank not in records:
            raise InputError("rows", rank, f"ranks from 1 to {len(records)}")
    board = QuoteBoard(scan.chain)
    entries = [_promised(scan, records[rank], board) for rank in ranks]
    return store.save_recommendations(
        desk.store,
        scan.symbol,
        entries,
        at=scan.at,
        strategy=scan.strategy.name,
        document=scan.strategy.model_dump(mode="json"),
        document_hash=scan.strategy.sha256,
        recommended=recommended or max(desk.clock.now(), scan.at),
        by=by or getpass.getuser(),
        origin=origin,
    )


def recommender(desk: Desk, *, by: str | None, role: str | None) -> Callable[[ScanResult, int], str] | None:
    """Return what the button of a page does for its viewer; None where he may not recommend.

    Parameters
    ----------
    desk : Desk
    by : str or None
        The viewer's name at the hub; None is who runs this process.
    role : str or None
        The viewer's role at the hub. None where there is no hub: the database alone decides then.

    Returns
    -------
    callable or None
        ``remember(scan, rank)`` stores the candidate of `rank` and says so.
    """
    if role is not None and not store.may_enter(role, "strategy_history"):
        return None

    def remember(scan: ScanResult, rank: int) -> str:
        key = recommend(desk, scan, [rank], by=by)[0]
        return f"recommendation {key}: marked daily, scored when it ends"

    return remember


def _promised(scan: ScanResult, record: Mapping[str, Any], board: QuoteBoard) -> dict[str, Any]:
    entry = entry_of(scan.symbol, scan.at, scan.strategy, record, board)
    return {
        **record,
        "legs": [dict(leg) for leg in entry.legs],
        "candidate_hash": candidate_hash(entry.legs),
        "expires": entry.expires,
    }


def mark_recommendations(desk: Desk, at: datetime | None = None) -> MarkReport:
    """Mark every open recommendation to market at each session's close until `at`, and settle those that ended.

    Days that were missed are made good, each with what was known on it, so that it does not matter how late this runs.
    A recommendation ends when an exit of its document is due at a mark, or at its first expiry; one that cannot be
    valued or settled honestly stays open, and each day says why.

    Parameters
    ----------
    desk : Desk
    at : datetime, aware, optional
        Nothing later is used. Default: now. If `at` is no close and there is a newer chain than at the last mark, it is
        marked at `at` too.
    """
    at = as_utc(at) if at is not None else desk.clock.now()
    follower, told = Follower(desk), _Told()
    marks = store.strategy_marks(desk.store, at=at)
    last = marks.groupby("history_id")[["ts", "as_of"]].max()
    for row in store.list_recommendations(desk.store, at=at, state="open").to_dict("records"):
        key, entry = int(row["history_id"]), _remembered(row)
        known = last.loc[key] if key in last.index else None
        seen = _follow(follower, entry, at, known)
        store.append_marks(desk.store, [_mark(key, one) for one in seen])
        told.add(seen)
        if seen and seen[-1].is_end:
            end = seen[-1]
            store.settle_recommendation(
                desk.store, key, settled=end.ts, reason=end.exit, pnl=end.pnl, value=end.value, spot=end.spot,
                carried=end.carried,
            )  # fmt: skip
    _judge_at_expiry(desk, follower, at)
    report = MarkReport(at, told.followed, told.marked, told.unmarked, told.settled, told.pnl)
    log.info("%s", report)
    return report


def _judge_at_expiry(desk: Desk, follower: Follower, at: datetime) -> None:
    """Note of every settled recommendation what holding it to its expiry made: what its probability was about."""
    settled = store.list_recommendations(desk.store, at=at, state="settled")
    for row in settled[settled["expiry_pnl"].isna() & (settled["expires"] <= at)].to_dict("records"):
        held = follower.settle(_remembered(row), at)
        if held.is_end:
            store.note_expiry(desk.store, int(row["history_id"]), pnl=held.pnl)


class _Told:
    """Counts what became of each."""

    def __init__(self) -> None:
        self.followed = self.marked = self.settled = 0
        self.unmarked: dict[str, int] = {}
        self.pnl = 0.0

    def add(self, seen: Sequence[Seen]) -> None:
        self.followed += 1
        self.marked += sum(not one.reason for one in seen)
        for one in seen:
            if one.reason:
                self.unmarked[one.reason] = self.unmarked.get(one.reason, 0) + 1
        if seen and seen[-1].is_end:
            self.settled += 1
            self.pnl += float(seen[-1].pnl)


def _follow(follower: Follower, entry: Entry, at: datetime, last: Any) -> list[Seen]:
    """Return the marks that are missing until `at`, the last of which may be an end."""
    begun = entry.at if last is None else max(entry.at, last["ts"].to_pydatetime())
    seen: list[Seen] = []
    for moment in mark_moments(begun, min(at, entry.expires)):
        if moment < entry.expires:
            seen.append(follower.see(entry, moment))
            if seen[-1].is_end:
                return seen
    if at >= entry.expires:
        return [*seen, follower.settle(entry, at)]
    if at > begun and (not seen or seen[-1].ts < at):
        newest = seen[-1].as_of if seen else (None if last is None or pd.isna(last["as_of"]) else last["as_of"])
        extra = follower.see(entry, at)
        if extra.as_of is not None and (newest is None or extra.as_of > newest) and extra.as_of > entry.at:
            seen.append(extra)
    return seen


def _remembered(row: Mapping[Any, Any]) -> Entry:
    return Entry(
        symbol=row["symbol"],
        at=row["at"].to_pydatetime(),
        legs=tuple(row["legs"]),
        premium=row["premium"],
        multiplier=row["multiplier"],
        max_profit=_bounded(row["max_profit"]),
        max_loss=_bounded(row["max_loss"]),
        document=StrategyDocument(**row["document"]),
    )


def _bounded(value: float) -> float | None:
    return None if math.isnan(value) else value


def _mark(key: int, seen: Seen) -> store.Mark:
    known = {name: getattr(seen, name) for name in ("value", "pnl", "spot", "iv", "delta")}
    numbers = {name: None if math.isnan(value) else value for name, value in known.items()}
    if seen.reason:
        numbers = dict.fromkeys(("value", "pnl"), None) | {"spot": numbers["spot"]}
    return store.Mark(key, seen.ts, seen.as_of, reason=seen.reason or None, **numbers)
