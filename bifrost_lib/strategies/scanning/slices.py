"""A chain cut into expiries: the quotes of each that can be traded on paper, and its lognormal distribution."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.pricing import price

if TYPE_CHECKING:
    from bifrost_lib.strategies.documents.entry import Entry

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_FLOATS = (
    "strike", "bid", "ask", "mid", "iv", "delta", "gamma", "theta", "vega", "open_interest", "volume",
    "forward", "rate", "div_yield", "spot", "tau", "dte", "multiplier",
)  # fmt: skip


@dataclass(frozen=True)
class Filters:
    """Which quotes may become legs.

    `min_open_interest` and `min_volume` are in contracts, `max_relative_spread` is (ask - bid) / mid. A filter that
    is set also excludes quotes for which the figure is not known.
    """

    min_open_interest: float = 0.0
    min_volume: float = 0.0
    max_relative_spread: float | None = None

    def stricter(self, entry: Entry) -> Filters:
        """Return filters that also ask what a document's entry asks of its legs."""
        spreads = [most for most in (self.max_relative_spread, entry.max_spread) if most is not None]
        return Filters(
            min_open_interest=max(self.min_open_interest, entry.min_open_interest or 0.0),
            min_volume=max(self.min_volume, entry.min_volume or 0.0),
            max_relative_spread=min(spreads, default=None),
        )


@dataclass(frozen=True)
class ExpirySlice:
    """The usable quotes of one expiry and class, sorted by strike; arrays have shape (n,).

    `vol` is the at-the-money volatility at the forward, which with `forward` and `tau` makes the lognormal
    distribution of the price at expiry.
    """

    expiry: date
    trading_class: str
    multiplier: float
    dte: int
    tau: float
    spot: float
    forward: float
    rate: float
    div_yield: float
    vol: float
    is_call: Bools
    columns: dict[str, Floats]
    usable: Bools

    @property
    def total_vol(self) -> float:
        """Log standard deviation of the price at expiry."""
        return self.vol * float(np.sqrt(self.tau))

    @cached_property
    def expected(self) -> Floats:
        """What each quote's option is expected to pay at this expiry, per share; shape (n,)."""
        return np.asarray(
            price(spot=self.forward, strike=self.columns["strike"], tau=1.0, vol=self.total_vol, right=self.is_call)
        )

    def carry_to(self, later: ExpirySlice) -> tuple[float, float]:
        """Return the rate, and the dividend yield that the two forwards imply, from this expiry to a later one."""
        growth = math.log(later.forward / self.forward) / (later.tau - self.tau)
        return later.rate, later.rate - growth

    def rows(self, right: str) -> npt.NDArray[np.int64]:
        """Return the positions of the usable quotes of `right`, in order of strike."""
        return np.flatnonzero(self.usable & (self.is_call == (right == "C")))


def cut_chain(
    chain: pd.DataFrame, *, dte: tuple[int, int], filters: Filters
) -> tuple[list[ExpirySlice], Counter[str], dict[str, str]]:
    """Cut the expiries of a chain whose days to expiry lie in `dte`, both ends included.

    Returns
    -------
    slices : list of ExpirySlice
        In order of expiry.
    excluded : Counter
        Quotes that cannot become legs, by reason: a quality other than ok, or a filter.
    skipped : dict
        Expiries without a distribution, and why.
    """
    table = _table(chain, dte)
    usable, excluded = _usable(table, filters)
    skipped: dict[str, str] = {}
    slices: list[ExpirySlice] = []
    for start, end in pairwise(table.bounds):
        found = _slice(table, usable, start, end)
        if isinstance(found, str):
            skipped[f"{table.expiry[start]} {table.trading_class(start)}"] = found
        else:
            slices.append(found)
    return slices, excluded, skipped


@dataclass(frozen=True)
class _Table:
    """Rows of a chain as arrays, those of one expiry, class and multiplier adjacent and in order of strike."""

    columns: dict[str, Floats]
    expiry: npt.NDArray[np.datetime64]
    class_codes: npt.NDArray[np.integer[Any]]
    classes: list[str]
    is_call: Bools
    is_ok: Bools

    @property
    def bounds(self) -> list[int]:
        """Where each group starts, and the end of the last."""
        keys = (self.expiry, self.class_codes, self.columns["multiplier"])
        new = np.logical_or.reduce([key[1:] != key[:-1] for key in keys])
        inner = (np.flatnonzero(new) + 1).tolist()
        return [0, *inner, len(self.expiry)] if len(self.expiry) else []

    def trading_class(self, row: int) -> str:
        return self.classes[int(self.class_codes[row])]


def _table(chain: pd.DataFrame, dte: tuple[int, int]) -> _Table:
    # Once out of pandas: a scan of many symbols would spend its time in frames otherwise.
    chain = chain.copy(deep=False)
    chain.attrs = {}
    days, classes = chain["dte"].to_numpy(), chain["trading_class"].cat
    expiry, codes = chain["expiry"].to_numpy().astype("datetime64[D]"), classes.codes.to_numpy()
    # An expiry may hold two classes (SPX, SPXW) with different settlement, and adjusted contracts.
    order = np.lexsort([chain["strike"].to_numpy(), chain["multiplier"].to_numpy(), codes, expiry])
    order = order[(days[order] >= dte[0]) & (days[order] <= dte[1])]
    return _Table(
        columns={name: chain[name].to_numpy(dtype=np.float64)[order] for name in _FLOATS},
        expiry=expiry[order],
        class_codes=codes[order],
        classes=[str(name) for name in classes.categories],
        is_call=(chain["right"] == "C").to_numpy(dtype=bool)[order],
        is_ok=(chain["quality"] == "ok").to_numpy(dtype=bool)[order],
    )


def _usable(table: _Table, filters: Filters) -> tuple[Bools, Counter[str]]:
    columns, excluded = table.columns, Counter[str]()
    known = columns["mid"] > 0
    for name in ("mid", "iv", "delta"):
        known &= np.isfinite(columns[name])
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = (columns["ask"] - columns["bid"]) / columns["mid"]
    checks: list[tuple[str, Bools]] = [("quality", table.is_ok), ("no mid, iv or delta", known)]
    # Without a filter an unknown figure is no reason to leave a quote out; with one it is.
    if filters.min_open_interest > 0:
        checks.append(("open interest", columns["open_interest"] >= filters.min_open_interest))
    if filters.min_volume > 0:
        checks.append(("volume", columns["volume"] >= filters.min_volume))
    if filters.max_relative_spread is not None:
        checks.append(("relative spread", spread <= filters.max_relative_spread))
    usable = np.ones(len(known), dtype=bool)
    for reason, passed in checks:
        if lost := int((usable & ~passed).sum()):
            excluded[reason] += lost
        usable &= passed
    return usable, excluded


def _slice(table: _Table, everything: Bools, start: int, end: int) -> ExpirySlice | str:
    usable = everything[start:end]
    columns = {name: values[start:end] for name, values in table.columns.items()}
    is_call = table.is_call[start:end]
    if not usable.any():
        return "no quote is usable"
    facts = {name: _median(columns[name][usable]) for name in ("spot", "forward", "rate", "div_yield", "tau")}
    if not (facts["tau"] > 0 and np.isfinite(list(facts.values())).all()):
        return "spot, forward, rate or time to expiry is not known"
    return ExpirySlice(
        expiry=table.expiry[start].item(),
        trading_class=table.trading_class(start),
        multiplier=float(columns["multiplier"][0]),
        dte=int(_median(columns["dte"][usable])),
        vol=_vol_at(facts["forward"], columns, is_call, usable),
        is_call=is_call,
        columns=columns,
        usable=usable,
        **facts,
    )


def _median(values: Floats) -> float:
    # numpy's own takes several times as long on the few quotes of an expiry.
    known = np.sort(values[np.isfinite(values)])
    return float(known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2.0 if len(known) else math.nan


def _vol_at(forward: float, columns: dict[str, Floats], is_call: Bools, usable: Bools) -> float:
    # Out-of-the-money quotes carry the least noise: puts below the forward, calls above, linear in log strike.
    strike, iv = columns["strike"], columns["iv"]
    chosen = usable & (is_call == (strike >= forward))
    chosen = chosen if chosen.any() else usable
    return float(np.interp(np.log(forward), np.log(strike[chosen]), iv[chosen]))
