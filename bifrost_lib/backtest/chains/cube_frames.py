"""From frames of quotes to the arrays of a chain cube."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.backtest.chains.cube import BELIEVABLE, FIT, OPTIONAL, nobody_bids
from bifrost_lib.backtest.chains.earnings import earnings_arrays
from bifrost_lib.core.calendar import EXCHANGE_TZ, expiry_moments, is_session, session_close
from bifrost_lib.core.contracts import class_convention, trading_class_of
from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies import UNTRADABLE

Array = npt.NDArray[Any]
_NEEDED = ("expiry", "strike", "right", "bid", "ask")
_CLOSE = time(16)


@dataclass(frozen=True)
class _Contracts:
    """The distinct contracts in the cube's order, and which one each quote is of."""

    table: pd.DataFrame
    of_quote: Array

    @property
    def group(self) -> Array:
        keys = self.table[["expiry", "trading_class", "multiplier"]]
        new = (keys != keys.shift()).any(axis=1).to_numpy()
        found: Array = (np.cumsum(new) - 1).astype(np.int32)
        return found


def lay_out(
    chain: pd.DataFrame,
    symbol: str,
    *,
    actions: pd.DataFrame | None,
    conditions: pd.DataFrame | None,
    prices: pd.DataFrame | None,
    earnings: pd.DataFrame | None,
) -> dict[str, Any]:
    """Return the fields of a `ChainCube`; see `ChainCube.from_frame`."""
    for column in _NEEDED:
        if column not in chain.columns:
            raise InputError(f"chain.{column}", list(chain.columns), "this column to be present")
    if not len(chain):
        raise InputError("chain", "no rows", "at least one quote")
    moment_us, moment = np.unique(_moments(chain), return_inverse=True)
    day = _exchange_days(moment_us)
    session_day, session_moment = np.unique(day, return_index=True)
    session_moment = np.append(session_moment, len(moment_us)).astype(np.int64)
    session = np.searchsorted(session_day, day)
    contracts = _contracts(chain, symbol)
    spot = _median(_floats(chain, "spot"), moment, len(moment_us))
    fields = _rows(chain, contracts, moment, session, session_moment)
    return {
        "symbol": symbol,
        "session_day": session_day.astype(np.int32),
        "session_moment": session_moment,
        "moment_us": moment_us,
        "spot": spot,
        **_settlements(session_day, session_moment, spot, prices),
        **_contract_fields(contracts),
        **fields,
        **_actions(actions),
        **earnings_arrays(earnings),
        "conditions": _conditions(conditions, moment_us[session_moment[:-1]]),
    }


def _moments(chain: pd.DataFrame) -> Array:
    for name in ("moment", "ts"):
        if name in chain.columns:
            column = chain[name]
            if getattr(column.dtype, "tz", None) is None:
                raise InputError(f"chain.{name}", str(column.dtype), "aware moments, datetime64[us, UTC]")
            if column.isna().any():
                raise InputError(f"chain.{name}", "a missing moment", "the moment of every quote")
            found: Array = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[us]")
            return found.astype(np.int64)
    if "date" not in chain.columns:
        raise InputError("chain.ts", list(chain.columns), "a column moment, ts or date: when a quote was known")
    days, inverse = np.unique(chain["date"].to_numpy().astype("datetime64[D]"), return_inverse=True)
    closes = np.array([_close(day.item()).timestamp() for day in days])
    return (closes * 1e6).astype(np.int64)[inverse]


def _close(day: date) -> datetime:
    return session_close(day) if is_session(day) else datetime.combine(day, _CLOSE, EXCHANGE_TZ)


def _exchange_days(moment_us: Array) -> Array:
    local = pd.DatetimeIndex(moment_us.astype("datetime64[us]")).tz_localize("UTC").tz_convert(EXCHANGE_TZ)
    found: Array = local.tz_localize(None).to_numpy().astype("datetime64[D]").astype(np.int64)
    return found


def _floats(chain: pd.DataFrame, name: str) -> Array:
    if name not in chain.columns:
        return np.full(len(chain), np.nan)
    found: Array = chain[name].to_numpy(dtype=np.float64, na_value=np.nan)
    return found


def _contracts(chain: pd.DataFrame, symbol: str) -> _Contracts:
    expiry = chain["expiry"].to_numpy().astype("datetime64[D]")
    right = chain["right"].astype(str).to_numpy()
    if not np.isin(right, ["C", "P"]).all():
        raise InputError("chain.right", sorted(set(right) - {"C", "P"})[0], "C or P")
    classes = chain["trading_class"].astype(str) if "trading_class" in chain else _classes(expiry, symbol)
    multiplier = _floats(chain, "multiplier") if "multiplier" in chain else np.full(len(chain), 100.0)
    keys = pd.DataFrame(
        {
            "expiry": expiry.astype("datetime64[s]"),
            "trading_class": np.asarray(classes),
            "multiplier": multiplier,
            "is_put": right == "P",
            "strike": _floats(chain, "strike"),
        }
    )
    if not (keys["strike"] > 0).all():
        raise InputError("chain.strike", float(keys["strike"].min()), "numbers > 0")
    names = list(keys.columns)
    of_quote = keys.groupby(names, sort=True).ngroup().to_numpy()
    first = np.unique(of_quote, return_index=True)[1]
    table = keys.iloc[first].reset_index(drop=True)
    return _Contracts(table.join(_habits(chain.iloc[first], table)), of_quote)


def _classes(expiry: Array, symbol: str) -> Array:
    days, inverse = np.unique(expiry, return_inverse=True)
    return np.array([trading_class_of(symbol, day.item()) for day in days])[inverse]


def _habits(first: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    conventions = {name: class_convention(name) for name in table["trading_class"].unique()}
    of_class = table["trading_class"].map(conventions)
    words = {
        name: first[name].astype(str).to_numpy() if name in first else [getattr(one, name) for one in of_class]
        for name in ("settlement", "style")
    }
    return pd.DataFrame(
        {"is_am": np.asarray(words["settlement"]) == "AM", "is_american": np.asarray(words["style"]) == "american"}
    )


def _contract_fields(contracts: _Contracts) -> dict[str, Any]:
    table, group = contracts.table, contracts.group
    expiry = table["expiry"].to_numpy().astype("datetime64[D]")
    is_am = table["is_am"].to_numpy(dtype=bool)
    classes, codes = np.unique(table["trading_class"].to_numpy(dtype=str), return_inverse=True)
    return {
        "classes": tuple(str(name) for name in classes),
        "class_code": codes.astype(np.int16),
        "expiry_day": expiry.astype(np.int64).astype(np.int32),
        "expires_us": expiry_moments(expiry, is_am).astype(np.int64),
        "strike": table["strike"].to_numpy(),
        "is_call": ~table["is_put"].to_numpy(dtype=bool),
        "is_am": is_am,
        "is_american": table["is_american"].to_numpy(dtype=bool),
        "multiplier": table["multiplier"].to_numpy(),
        "group": group,
        "group_first": np.searchsorted(group, np.arange(group[-1] + 2)).astype(np.int64),
    }


def _rows(
    chain: pd.DataFrame, contracts: _Contracts, moment: Array, session: Array, session_moment: Array
) -> dict[str, Any]:
    count = len(contracts.table)
    row_key, row = np.unique(session[moment] * count + contracts.of_quote, return_inverse=True)
    row_session, row_contract = row_key // count, (row_key % count).astype(np.int32)
    widths = np.diff(session_moment)
    row_end = np.cumsum(widths[row_session])
    row_quote = row_end - widths[row_session]
    place = row_quote[row] + moment - session_moment[session[moment]]
    _check_unique(chain, place)
    total = int(row_end[-1])
    group = contracts.group[row_contract]
    new = np.append(True, (np.diff(row_session) != 0) | (np.diff(group) != 0))
    sg_first = np.flatnonzero(new)
    sg_session, sg_group = row_session[sg_first], group[sg_first]
    sg_end = np.cumsum(widths[sg_session])
    sg_forward_start = sg_end - widths[sg_session]
    entry = (np.cumsum(new) - 1)[row]
    at = sg_forward_start[entry] + moment - session_moment[session[moment]]
    return {
        "session_row": np.searchsorted(row_session, np.arange(len(widths) + 1)).astype(np.int64),
        "row_contract": row_contract,
        "row_quote": row_quote,
        "sg_session": sg_session.astype(np.int32),
        "sg_group": sg_group.astype(np.int32),
        "sg_row": np.append(sg_first, len(row_key)).astype(np.int64),
        "sg_forward_start": sg_forward_start,
        "forward": _median(_floats(chain, "forward"), at, int(sg_end[-1])),
        **_quotes(chain, place, total),
    }


def _check_unique(chain: pd.DataFrame, place: Array) -> None:
    order = np.argsort(place, kind="stable")
    again = np.flatnonzero(np.diff(place[order]) == 0)
    if len(again):
        names = [name for name in ("moment", "ts", "date", "expiry", "strike", "right") if name in chain.columns]
        twice = " ".join(str(value) for value in chain.iloc[int(order[again[0]])][names])
        raise InputError("chain", twice, "one quote a contract and moment")


def _quotes(chain: pd.DataFrame, place: Array, total: int) -> dict[str, Any]:
    bid, ask, delta = (_floats(chain, name) for name in ("bid", "ask", "delta"))
    unwanted = nobody_bids(bid, ask)
    fit = np.isfinite(ask) & (bid <= ask) & (bid > 0)
    believable = fit | unwanted | ((bid == 0) & (ask == 0))
    if "quality" in chain.columns:
        quality = chain["quality"].astype(str).to_numpy()
        unwanted &= ~np.isin(quality, UNTRADABLE) | (quality == "one_sided")
        believable &= ~np.isin(quality, UNTRADABLE) | unwanted
        fit &= quality == "ok"
    bid = np.where(unwanted, 0.0, bid)
    if "delta" in chain.columns:
        fit &= np.isfinite(delta)
    flags = np.zeros(total, dtype=np.uint8)
    flags[place] = BELIEVABLE * believable + FIT * fit
    found = {"bid": (bid, np.float64), "ask": (ask, np.float64), "delta": (delta, np.float32)}
    found |= {name: (_floats(chain, name), np.float32) for name in OPTIONAL if name in chain.columns}
    arrays: dict[str, Any] = {"flags": flags}
    for name, (values, kind) in found.items():
        arrays[name] = np.full(total, np.nan, dtype=kind)
        arrays[name][place] = values
    return arrays


def _settlements(
    session_day: Array, session_moment: Array, spot: Array, prices: pd.DataFrame | None
) -> dict[str, Array]:  # fmt: skip
    first, last = np.full(len(session_day), np.nan), np.full(len(session_day), np.nan)
    for s in range(len(session_day)):
        known = spot[session_moment[s] : session_moment[s + 1]]
        known = known[np.isfinite(known)]
        if len(known):
            first[s], last[s] = known[0], known[-1]
    if prices is not None:
        days = prices["date"].to_numpy().astype("datetime64[D]").astype(np.int64)
        at = {int(day): row for row, day in enumerate(days)}
        for s, day in enumerate(session_day):
            if int(day) in at:
                opened, closed = prices["open"].iloc[at[int(day)]], prices["close"].iloc[at[int(day)]]
                first[s] = opened if np.isfinite(opened) else first[s]
                last[s] = closed if np.isfinite(closed) else last[s]
    return {"open_spot": first, "close_spot": last}


def _actions(actions: pd.DataFrame | None) -> dict[str, Array]:
    found: dict[str, Array] = {}
    for kind, figure in (("split", "split_ratio"), ("dividend", "dividend")):
        rows = actions[actions["kind"].astype(str) == kind].sort_values("ex_date") if actions is not None else None
        days = rows["ex_date"].to_numpy().astype("datetime64[D]") if rows is not None else np.empty(0, "datetime64[D]")
        values = rows["value"].to_numpy(dtype=np.float64) if rows is not None else np.empty(0)
        found |= {f"{kind}_day": days.astype(np.int64).astype(np.int32), figure: values}
    return found


def _conditions(conditions: pd.DataFrame | None, known_us: Array) -> dict[str, Array]:
    if conditions is None or not len(conditions):
        return {}
    rows = conditions.sort_values("ts", kind="stable")
    stamps = rows["ts"].dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[us]").astype(np.int64)
    at = np.searchsorted(stamps, known_us, side="right") - 1
    numbers = rows.select_dtypes("number")
    return {
        str(name): np.where(at >= 0, numbers[name].to_numpy(dtype=np.float64)[np.maximum(at, 0)], np.nan)
        for name in numbers.columns
    }


def _median(values: Array, place: Array, size: int) -> Array:
    # Rows of one moment say the same spot; where a source differs among them the middle one counts.
    found = np.full(size, np.nan)
    known = np.isfinite(values)
    medians = pd.Series(values[known]).groupby(place[known]).median()
    found[medians.index.to_numpy()] = medians.to_numpy()
    return found
