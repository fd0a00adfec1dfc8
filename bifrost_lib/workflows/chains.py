"""Reading chains: what was quoted, as of a time."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pandas as pd

from bifrost_lib import store
from bifrost_lib.workflows.desk import Desk


def read_chain(
    desk: Desk, symbol: str, *, at: datetime | None = None, expiry: date | None = None, vendor: bool = False
) -> pd.DataFrame:
    """Return the option chain of `symbol` as it was known at `at`.

    Parameters
    ----------
    desk : Desk
    symbol : str
        Underlying symbol, in any case.
    at : datetime, optional
        Aware. Default: the newest stored moment of the symbol.
    expiry : date, optional
        Only this expiration.
    vendor : bool
        Also return what the vendor computed of each quote (``ib_iv``, ``ib_delta`` ...) and its market-data type.

    Returns
    -------
    DataFrame
        ``core.vocabulary.CHAIN_COLUMNS``, followed by ``VENDOR_COLUMNS`` if `vendor`, one row per contract that had
        not expired, sorted by expiry, strike and right. ``attrs`` hold ``symbol``, ``spot``, ``at``, ``as_of`` (the
        newest quote in it) and ``source``.

    Raises
    ------
    NoDataError
        If nothing was known; never an empty frame.
    """
    fresh = timedelta(seconds=desk.settings.max_age_s)
    frame = store.option_chain(desk.store.engine, symbol.upper(), at=at, expiry=expiry, fresh=fresh, vendor=vendor)
    frame.attrs |= {"symbol": symbol.upper(), "spot": _spot(frame)}
    return frame


def _spot(chain: pd.DataFrame) -> float:
    """Return the spot that most quotes of the newest moment were taken with.

    Sources can disagree about it: quotes count before rows that hold only a trade or an open interest.
    """
    known = chain[chain["spot"].notna()]
    if known.empty:
        return float("nan")
    newest = known[known["ts"] == known["ts"].max()]
    quoted = newest[newest["mid"].notna()]
    return float((quoted if len(quoted) else newest)["spot"].mode().iloc[0])


def list_symbols(desk: Desk) -> pd.DataFrame:
    """Return one row per stored underlying: symbol, source, first and last `ts`, sessions and rows."""
    return store.list_symbols(desk.store.engine)
