"""Made-up chains of any size, as frames and as the csv files that vendors deliver."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from bifrost_lib.core.calendar import session_close, sessions
from bifrost_lib.core.vocabulary import QUOTE_COLUMNS, VOCABULARY
from bifrost_lib.pricing import price

SYMBOL = "BNCH"
EXPIRIES, STRIKES = 20, 250  # x 2 rights = the 10,000 contracts of a large chain
SPOT, RATE, DIV_YIELD = 500.0, 0.03, 0.01


def moments(count: int) -> list[pd.Timestamp]:
    """Return `count` moments of observation, five minutes apart, from the open of a session on."""
    days = sessions(date(2024, 1, 2), date(2024, 12, 31))
    every = [
        pd.Timestamp(session_close(day)) - timedelta(minutes=5 * step) for day in days for step in range(70, -1, -1)
    ]
    if count > len(every):
        raise ValueError(f"at most {len(every)} moments")
    return every[:count]


def chain_at(ts: pd.Timestamp, *, contracts: int = 2 * EXPIRIES * STRIKES) -> pd.DataFrame:
    """Return a chain of European prices on a smile, quoted two cents wide; one row per contract."""
    strikes_count = contracts // (2 * EXPIRIES)
    strikes = np.linspace(0.6 * SPOT, 1.4 * SPOT, strikes_count).round(1)
    days = np.arange(1, EXPIRIES + 1) * 14 + 360
    expiries = np.array([np.datetime64("2024-01-05") + int(day) for day in days])
    expiry, strike, right = (
        grid.ravel() for grid in np.meshgrid(expiries, strikes, np.array(["P", "C"]), indexing="ij")
    )
    tau = (expiry - np.datetime64(ts.date())) / np.timedelta64(365, "D")
    spot = SPOT * (1.0 + 0.02 * np.sin(ts.value / 4e15))
    vol = 0.2 + 0.15 * np.log(strike / spot) ** 2 - 0.05 * np.log(strike / spot)
    fair = price(spot=spot, strike=strike, tau=tau, vol=vol, right=right, rate=RATE, div_yield=DIV_YIELD)
    return pd.DataFrame(
        {
            "ts": ts.strftime("%Y-%m-%dT%H:%M:%SZ"), "symbol": SYMBOL, "expiry": expiry.astype(str),
            "strike": strike, "right": right,
            "bid": np.maximum(fair - 0.01, 0.0).round(2), "ask": (fair + 0.01).round(2),
            "volume": (strike * 7 % 101).astype(int), "open_interest": (strike * 13 % 1009).astype(int),
            "spot": round(spot, 2),
        }
    )  # fmt: skip


def quotes_at(ts: pd.Timestamp, *, contracts: int = 2 * EXPIRIES * STRIKES) -> pd.DataFrame:
    """Return the chain of `chain_at` as a feed delivers it: QUOTE_COLUMNS, sorted, puts before calls."""
    chain = chain_at(ts, contracts=contracts).assign(
        trading_class=SYMBOL, style="european", settlement="PM", multiplier=100.0
    )
    chain = chain.reindex(columns=list(QUOTE_COLUMNS)).astype({name: VOCABULARY[name].dtype for name in QUOTE_COLUMNS})
    keys = pd.DataFrame({"expiry": chain["expiry"], "strike": chain["strike"], "call": chain["right"] == "C"})
    return chain.loc[keys.sort_values(["expiry", "strike", "call"]).index].reset_index(drop=True)


def write_csv(path: Path, *, rows: int, skip: int = 0) -> int:
    """Write a csv of at least `rows` quotes to `path`, from moment `skip` on, and return how many."""
    written = 0
    with path.open("wb") as sink:
        for frame in _frames(rows, skip):
            table = pa.Table.from_pandas(frame, preserve_index=False)
            pa_csv.write_csv(table, sink, pa_csv.WriteOptions(include_header=written == 0, quoting_style="none"))
            written += len(frame)
    return written


def _frames(rows: int, skip: int) -> Iterator[pd.DataFrame]:
    count = -(-rows // (2 * EXPIRIES * STRIKES))
    yield from map(chain_at, moments(skip + count)[skip:])
