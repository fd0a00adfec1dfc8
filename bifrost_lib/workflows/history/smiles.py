"""Smiles and term structures of one underlying at several moments, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from bifrost_lib.core.errors import NoDataError
from bifrost_lib.workflows.chains import read_chain
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.live.changes import expiry_summary
from bifrost_lib.workflows.live.pictures import ChainPicture

#: Quotes whose delta is nearer to 0 or 1 say more about the tick than about volatility.
LEAST_DELTA = 0.02
TENORS_DAYS = (7, 30, 60, 90)


def smiles_through_time(desk: Desk, symbol: str, moments: Mapping[str, datetime], *, tenor_days: int) -> pd.DataFrame:
    """Read the smile of the expiration nearest to a tenor at each of several moments.

    Parameters
    ----------
    desk : Desk
    symbol : str
    moments : mapping of str to datetime
        Aware; under the names that the rows will have.
    tenor_days : int
        Calendar days.

    Returns
    -------
    DataFrame
        `when`, `ts`, `expiry`, `dte`, `strike`, `right`, `forward`, `moneyness` (strike over forward), `delta`, `iv`,
        sorted by moment and strike: good quotes, out of the money. A moment without a chain has no rows.

    Raises
    ------
    NoDataError
        If none of the moments has a smile.
    """
    parts = []
    for name, at in moments.items():
        chain = _chain(desk, symbol, at)
        if chain is None:
            continue
        outside = (chain["right"] == "C").to_numpy() == (chain["strike"] >= chain["forward"]).to_numpy()
        told = chain["delta"].abs().between(LEAST_DELTA, 1 - LEAST_DELTA).to_numpy() & chain["iv"].notna().to_numpy()
        chain = chain[outside & told & (chain["quality"] == "ok").to_numpy()]
        if chain.empty:
            continue
        dte = chain["dte"].to_numpy()
        near = chain[dte == dte[np.abs(dte - tenor_days).argmin()]]
        named = near.assign(when=name, moneyness=near["strike"] / near["forward"]).sort_values("strike")
        parts.append(named[[*_SMILE]])
    if not parts:
        raise NoDataError("smile", symbol=symbol.upper(), tenor_days=tenor_days, hint="no chosen session has a chain")
    joined: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return joined


_SMILE = ("when", "ts", "expiry", "dte", "strike", "right", "forward", "moneyness", "delta", "iv")


def terms_through_time(desk: Desk, symbol: str, moments: Mapping[str, datetime]) -> pd.DataFrame:
    """Read the term structure at each of several moments.

    Returns
    -------
    DataFrame
        `when`, `ts`, `expiry`, `dte` and `iv` (at the money, annual decimal), sorted by moment and expiry.

    Raises
    ------
    NoDataError
        If none of the moments has one.
    """
    parts = []
    for name, at in moments.items():
        chain = _chain(desk, symbol, at)
        if chain is None:
            continue
        facts = chain.attrs
        picture = ChainPicture(facts["symbol"], chain, facts["spot"], facts["as_of"], at, facts["source"])
        summary = expiry_summary(picture)
        known = summary[(summary["iv"].notna() & (summary["dte"] > 0)).to_numpy()]
        parts.append(known.assign(when=name)[["when", "ts", "expiry", "dte", "iv"]])
    if not any(len(part) for part in parts):
        raise NoDataError("term structure", symbol=symbol.upper(), hint="no chosen session has a chain")
    return pd.concat(parts, ignore_index=True)


def smile_summary(smiles: pd.DataFrame) -> pd.DataFrame:
    """Describe each smile: its volatility at the money and at 25 delta on both sides.

    Returns
    -------
    DataFrame
        `when`, `ts`, `expiry`, `dte`, `iv`, `put_25`, `call_25`, `skew` (put less call), NaN where the smile does not
        reach so far.
    """
    rows: list[dict[str, Any]] = []
    for name, rows_of in smiles.groupby("when", sort=False):
        first = rows_of.iloc[0]
        puts, calls = rows_of[rows_of["right"] == "P"], rows_of[rows_of["right"] == "C"]
        put, call = (_at(side["delta"].abs(), side["iv"], 0.25) for side in (puts, calls))
        level = _at(rows_of["moneyness"], rows_of["iv"], 1.0)
        facts = {name: first[name] for name in ("ts", "expiry", "dte")}
        rows.append({"when": name, **facts, "iv": level, "put_25": put, "call_25": call, "skew": put - call})
    return pd.DataFrame(rows)


def _at(places: pd.Series[float], values: pd.Series[float], place: float) -> float:
    x, y = places.to_numpy(), values.to_numpy()
    if not len(x) or not x.min() <= place <= x.max():
        return float("nan")
    order = np.argsort(x, kind="stable")
    return float(np.interp(place, x[order], y[order]))


def _chain(desk: Desk, symbol: str, at: datetime) -> pd.DataFrame | None:
    try:
        return read_chain(desk, symbol, at=at)
    except NoDataError:
        return None
