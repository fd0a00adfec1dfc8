"""A simulated history of option chains, the same to the bit for the same arguments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.calendar import sessions
from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.sim.market.chains import open_market
from bifrost_lib.sim.market.paths import ANCHOR, beats, simulate_through
from bifrost_lib.sim.market.surface import atm_variance
from bifrost_lib.sim.market.universe import SIMULATED, SimulatedUnderlying

FIRST, LAST = ANCHOR, date(2026, 9, 30)
SEED = 235
MONTH = timedelta(days=30)

Floats = npt.NDArray[np.float64]


def simulated_history(
    *,
    seed: int = SEED,
    symbols: Sequence[str] = tuple(SIMULATED),
    start: date = FIRST,
    end: date = LAST,
    quoted_from: date | None = None,
    whole_from: date | None = None,
    intraday: int = 1,
) -> Iterator[pd.DataFrame]:
    """Simulate option chains at every session's close from `start` to `end`, and each half hour of the last ones.

    Parameters
    ----------
    seed : int
        >= 0. The same seed gives the same quotes, whatever other symbols are asked for.
    symbols : sequence of str
        Fictional underlyings, from ``SIM`` (fund), ``SIMX`` (index), ``SIMT`` (stock).
    start, end : date
        First and last day, both included; days without a session are left out.
    quoted_from : date, optional
        The sessions before it only lead up to it: nothing of them is returned.
    whole_from : date, optional
        Of the sessions before it only round strikes within reach, of expiries within half a year, are quoted, as a
        year of whole chains is large. Default: every chain is whole.
    intraday : int
        >= 0. How many of the last sessions are quoted each half hour.

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
        If there is no session between `start` and `end`, or `seed` or `intraday` is negative.

    Notes
    -----
    Spot follows a stochastic volatility with leverage; the stock also jumps on the night of its results, which its
    options price in before. Implied volatilities lie on a surface without arbitrage, American options carry the value
    of early exercise, and the dividend yield is continuous.

    From the anchor on (`FIRST`) the path is walked forward, and what lies before it leads up to it, with a turmoil in
    the spring; a history that starts after the anchor has a path of its own.

    A bid of 0 with size 0 stands in the far wings, where nobody bids, as in a real chain; `last` is NaN for a contract
    that has not traded in the session. A longer history repeats the closes of a shorter one with the same `start`.
    """
    _check_symbols(symbols)
    for name, number in (("seed", seed), ("intraday", intraday)):
        if number < 0:
            raise InputError(name, number, "an integer >= 0")
    days = _sessions(start, end)
    sparse, silent = (sum(day < begin for day in days) if begin else 0 for begin in (whole_from, quoted_from))
    return _frames(symbols, days, seed, silent=silent, sparse=sparse, intraday=intraday)


def _frames(
    symbols: Sequence[str], days: Sequence[date], seed: int, *, silent: int, sparse: int, intraday: int
) -> Iterator[pd.DataFrame]:
    steps = beats(days)
    markets = [
        open_market(SIMULATED[symbol], days, steps, seed=seed, sparse=sparse, intraday=intraday) for symbol in symbols
    ]
    for session in range(silent, len(days)):
        for market in markets:
            yield market.frame(session)


def simulated_closes(symbol: str, *, seed: int = SEED, start: date = FIRST, end: date = LAST) -> pd.DataFrame:
    """Return what a vendor would know of an underlying at each close of `simulated_history` with the same `start`.

    Returns
    -------
    DataFrame
        ts (aware, of the close), close (currency per share) and iv: the implied volatility at the money over 30 days
        that the path's own surface has, decimal, annual.

    Raises
    ------
    UnknownNameError, InputError
        As of `simulated_history`.
    """
    _check_symbols([symbol])
    days, underlying = _sessions(start, end), SIMULATED[symbol]
    steps = beats(days)
    path = simulate_through(underlying, days, steps, seed=seed)
    last = list({step.session: index for index, step in enumerate(steps)}.values())
    ts = pd.Series([steps[index].moment for index in last], dtype="datetime64[us, UTC]")
    return pd.DataFrame({"ts": ts, "close": path.spot[last], "iv": _month_vol(underlying, days, path.vol[last])})


def _month_vol(underlying: SimulatedUnderlying, days: Sequence[date], vol: Floats) -> Floats:
    # Results of a day are ahead of its close, those of the day on which the month ends are not.
    reported = np.array(underlying.earnings_days(days[0], days[-1] + MONTH), dtype="datetime64[D]")
    dates = np.array(days, dtype="datetime64[D]")
    events = np.searchsorted(reported, dates + np.timedelta64(MONTH)) - np.searchsorted(reported, dates)
    tau = np.full(len(days), MONTH.days / 365)
    theta = atm_variance(underlying, tau=tau, vol=vol, events=events.astype(np.float64))
    return np.asarray(np.sqrt(theta / tau))


def _check_symbols(symbols: Sequence[str]) -> None:
    for symbol in symbols:
        if symbol not in SIMULATED:
            raise UnknownNameError("symbol", symbol, SIMULATED)


def _sessions(start: date, end: date) -> list[date]:
    days = sessions(start, end)
    if not days:
        raise InputError("end", end, f"a day with a session between it and {start}")
    return days
