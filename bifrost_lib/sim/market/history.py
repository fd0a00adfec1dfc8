"""A small simulated history of option chains, the same to the bit for the same arguments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import pandas as pd

from bifrost_lib.core.calendar import sessions
from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.sim.market.chains import open_market
from bifrost_lib.sim.market.paths import beats
from bifrost_lib.sim.market.universe import SIMULATED

FIRST, LAST = date(2026, 7, 8), date(2026, 9, 30)
SEED = 235


def simulated_history(
    *,
    seed: int = SEED,
    symbols: Sequence[str] = tuple(SIMULATED),
    start: date = FIRST,
    end: date = LAST,
) -> Iterator[pd.DataFrame]:
    """Simulate option chains at every session's close from `start` to `end`, and each half hour of the last session.

    Parameters
    ----------
    seed : int
        >= 0. The same seed gives the same quotes, whatever other symbols are asked for.
    symbols : sequence of str
        Fictional underlyings, from ``SIM`` (fund), ``SIMX`` (index), ``SIMT`` (stock).
    start, end : date
        First and last day, both included; days without a session are left out.

    Returns
    -------
    iterator of pandas.DataFrame
        ``QUOTE_COLUMNS``, one frame per session and symbol, in order of time. A frame is sorted by trading_class, ts,
        expiry, strike and right with the put first. Prices in currency per share.

    Raises
    ------
    UnknownNameError
        For a symbol that is not simulated.
    InputError
        If there is no session between `start` and `end`, or `seed` is negative.

    Notes
    -----
    Spot follows a stochastic volatility with leverage; the stock also jumps on the night of its results, which its
    options price in before. Implied volatilities lie on a surface without arbitrage, American options carry the value
    of early exercise, and the dividend yield is continuous.

    A bid of 0 with size 0 stands in the far wings, where nobody bids, as in a real chain; `last` is NaN for a contract
    that has not traded in the session. A longer history repeats the closes of a shorter one with the same `start`.
    """
    for symbol in symbols:
        if symbol not in SIMULATED:
            raise UnknownNameError("symbol", symbol, SIMULATED)
    if seed < 0:
        raise InputError("seed", seed, "an integer >= 0")
    days = sessions(start, end)
    if not days:
        raise InputError("end", end, f"a day with a session between it and {start}")
    return _frames(symbols, days, seed)


def _frames(symbols: Sequence[str], days: Sequence[date], seed: int) -> Iterator[pd.DataFrame]:
    steps = beats(days)
    markets = [open_market(SIMULATED[symbol], days, steps, seed=seed) for symbol in symbols]
    for session in range(len(days)):
        for market in markets:
            yield market.frame(session)
