"""Invented news about the simulated underlyings: results, dividends, and how each session ended."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np

from bifrost_lib.core.calendar import exchange_date, session_open
from bifrost_lib.sim.exchange import Headline
from bifrost_lib.sim.market.noise import key_of
from bifrost_lib.sim.market.payouts import amount_on, ex_dates
from bifrost_lib.sim.market.profiles import Profile
from bifrost_lib.sim.market.published import published
from bifrost_lib.sim.market.trail import LATEST_YEAR, OLDEST_YEAR, Trail

#: Codes such as real providers have, and names that no provider has.
PROVIDERS: list[tuple[str, str]] = [
    ("BZ", "Simulated Breaking News"),
    ("FLY", "Simulated Street Notes"),
    ("DJ-N", "Simulated Market Wire"),
]
_LARGE_MOVE = 2.0  # deviations of a day's return
_ANNOUNCED = timedelta(days=21)  # before the ex-date


def headlines_between(profile: Profile, trail: Trail, start: datetime, end: datetime, *, seed: int) -> list[Headline]:
    """Return what was published about an underlying in [start, end], newest first."""
    trail.extend(end.year)
    told = *_results(profile, trail, start, end), *_dividends(profile, trail, start, end), *_closes(trail, start, end)
    found = [one for one in told if start <= one[0] <= end]
    found.sort(key=lambda one: one[0], reverse=True)
    return [_headline(trail.underlying.symbol, *one, seed=seed) for one in found]


def _results(profile: Profile, trail: Trail, start: datetime, end: datetime) -> Iterator[tuple[datetime, str, str]]:
    seconds = published(trail.underlying.earnings_months, OLDEST_YEAR, LATEST_YEAR)
    low, high = bisect_left(seconds, start.timestamp()), bisect_right(seconds, end.timestamp())
    for second in seconds[low:high]:
        before, after = trail.at(np.array([second - 60.0, second + 60.0]))[0]
        move = after / before - 1
        word = "beat" if move > 0 else "miss"
        yield (
            datetime.fromtimestamp(second, UTC),
            f"{profile.long_name}: quarterly results {word} what was expected",
            f"The simulated results of {trail.underlying.symbol} {word} expectations; shares move {move:+.1%} at once.",
        )


def _dividends(profile: Profile, trail: Trail, start: datetime, end: datetime) -> Iterator[tuple[datetime, str, str]]:
    if trail.underlying.div_yield == 0.0:
        return
    for day in ex_dates(profile, exchange_date(start), exchange_date(end + _ANNOUNCED)):
        told = session_open(day) - _ANNOUNCED
        amount = amount_on(profile, trail, day, exchange_date(told))
        yield (
            told,
            f"{profile.long_name} declares a dividend of {amount:.2f} USD",
            f"{trail.underlying.symbol} will pay {amount:.2f} USD a share; it trades without it from {day} on.",
        )


def _closes(trail: Trail, start: datetime, end: datetime) -> Iterator[tuple[datetime, str, str]]:
    times = trail.times
    first = max(bisect_left(times.closes, start.timestamp() - 3600), 1)
    last = bisect_right(times.closes, end.timestamp())
    if last <= first:
        return
    sessions = np.arange(first - 1, last)
    moves = np.diff(np.log(trail.close(sessions)))
    usual = trail.underlying.vol / np.sqrt(252)
    for session, move in zip(range(first, last), moves.tolist(), strict=True):
        word = "rises" if move > 0 else "falls"
        how = "in heavy trading" if abs(move) > _LARGE_MOVE * usual else "by the close"
        yield (
            datetime.fromtimestamp(times.closes[session] + 600, UTC),
            f"{trail.underlying.symbol} {word} {abs(move):.1%} {how}",
            f"{trail.underlying.symbol} closes at {trail.close(session):.2f} in the simulated market, {move:+.1%}.",
        )


def _headline(symbol: str, ts: datetime, headline: str, text: str, *, seed: int) -> Headline:
    key = key_of(seed, symbol, int(ts.timestamp()), headline)
    provider = PROVIDERS[key % len(PROVIDERS)][0]
    return Headline(
        ts=ts, provider=provider, article_id=f"{provider}${key & 0xFFFFFFFF:08x}", headline=headline, text=text
    )
