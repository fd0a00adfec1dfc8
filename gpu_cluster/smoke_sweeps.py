"""A made-up market and many documents, for proving that a sweep on the GPU finds what the processor finds."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from bifrost_lib.backtest import ChainCube
from bifrost_lib.core.calendar import EXCHANGE_TZ, sessions
from bifrost_lib.pricing import greeks, price
from bifrost_lib.strategies import Exits, Roll, Sizing, StrategyDocument, Target, strategy_named

_FIRST, _LAST = date(2008, 1, 2), date(2025, 12, 31)
_LONGEST_DAYS = 63
_VOL, _RATE = 0.25, 0.03
#: One expiry and two, shares, and naked legs.
_NAMES = ("iron_condor", "short_strangle", "covered_call", "call_calendar", "put_ratio_spread")
_ROLLS = ((), (Roll("dte", 10.0),), (Roll("loss", 0.5),))


def made_up_cube(days: int) -> ChainCube:
    """Return so many daily chains of a share: expiries every other Friday for two months, puts and calls."""
    open_days = sessions(_FIRST, _LAST)[:days]
    spots = 100.0 * np.exp(np.cumsum(np.random.default_rng(7).normal(0.0, 0.012, len(open_days))))
    fridays = pd.date_range(_FIRST, _LAST, freq="2W-FRI")
    return ChainCube.from_frame(
        pd.concat([_chain(day, spot, fridays) for day, spot in zip(open_days, spots, strict=True)], ignore_index=True),
        symbol="MADE",
    )


def many_documents(count: int) -> list[StrategyDocument]:
    """Return so many documents, no two alike: structures of the catalogue with other exits, rolls and sizes."""
    levels = np.linspace(0.2, 0.9, max(round((count / len(_NAMES)) ** 0.5), 2)).tolist()
    every = itertools.product(levels, levels, _ROLLS, (1, 5), _NAMES)
    return [
        strategy_named(name).with_(
            exits=Exits(take_profit=Target(profit), stop=Target(2.0 * loss), roll=roll),
            sizing=Sizing(max_active=active),
        )
        for profit, loss, roll, active, name in itertools.islice(every, count)
    ]


def _chain(day: date, spot: float, fridays: pd.DatetimeIndex) -> pd.DataFrame:
    today = pd.Timestamp(day)
    listed = fridays[(fridays > today) & (fridays <= today + pd.Timedelta(days=_LONGEST_DAYS))]
    strikes = np.arange(np.floor(0.75 * spot), 1.25 * spot, 2.0)
    frame = pd.MultiIndex.from_product([listed, strikes, ["C", "P"]], names=["expiry", "strike", "right"]).to_frame(
        index=False
    )
    terms: dict[str, Any] = {
        "spot": spot, "strike": frame["strike"].to_numpy(), "vol": _VOL, "rate": _RATE,
        "tau": (frame["expiry"] - today).dt.days.to_numpy() / 365.0, "right": frame["right"].to_numpy(),
    }  # fmt: skip
    worth = price(**terms)
    close = pd.Timestamp(f"{day} 16:00", tz=EXCHANGE_TZ).tz_convert("UTC")
    return frame.assign(
        ts=close, spot=spot, bid=np.round(0.98 * worth, 2), ask=np.round(1.02 * worth + 0.01, 2),
        delta=greeks(**terms)["delta"],
    )  # fmt: skip
