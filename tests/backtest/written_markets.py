"""Small markets that are written down quote by quote."""

from __future__ import annotations

from typing import Any

import pandas as pd

from bifrost_lib.backtest import ChainCube

Quotes = dict[str, tuple[float, float]]


def chain(days: dict[str, tuple[float, Quotes]], **columns: Any) -> pd.DataFrame:
    """Return a frame from day -> (spot, contract -> (bid, ask)), such as "2024-02-16 95P"; a day may have a time.

    Deltas are made up: 0.5 at the spot and 0.1 less for each 5 % out of the money.
    """
    rows = []
    for when, (spot, quotes) in days.items():
        at = pd.Timestamp(when if " " in when else f"{when} 16:00", tz="America/New_York").tz_convert("UTC")
        for contract, (bid, ask) in quotes.items():
            expiry, text = contract.split()
            strike, right = float(text[:-1]), text[-1]
            out = (strike / spot - 1.0) * (1.0 if right == "C" else -1.0)
            delta = min(max(0.5 - 2.0 * out, 0.01), 0.99) * (1.0 if right == "C" else -1.0)
            rows.append((at, pd.Timestamp(expiry), strike, right, bid, ask, delta, spot))
    names = ["ts", "expiry", "strike", "right", "bid", "ask", "delta", "spot"]
    return pd.DataFrame(rows, columns=names).assign(**columns)


def cube(days: dict[str, tuple[float, Quotes]], *, symbol: str = "XYZ", **given: Any) -> ChainCube:
    """Return the cube of `chain`; words go to its columns, frames to `ChainCube.from_frame`."""
    frames = {name: given.pop(name) for name in ("actions", "conditions", "prices", "earnings") if name in given}
    return ChainCube.from_frame(chain(days, **given), symbol=symbol, **frames)


def actions(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Return corporate actions from (day, kind, value)."""
    frame = pd.DataFrame(rows, columns=["ex_date", "kind", "value"])
    return frame.assign(ex_date=pd.to_datetime(frame["ex_date"]))


def earnings(*rows: tuple[str, str, str | None, str]) -> pd.DataFrame:
    """Return what was learnt of earnings from (moment in New York, fiscal period, day, time of day)."""
    frame = pd.DataFrame(rows, columns=["known_at", "fiscal_period", "report_date", "time_of_day"])
    known = [pd.Timestamp(at, tz="America/New_York").tz_convert("UTC") for at in frame["known_at"]]
    return frame.assign(known_at=known, report_date=pd.to_datetime(frame["report_date"]))
