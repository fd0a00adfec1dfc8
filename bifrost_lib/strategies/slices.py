"""A chain cut into expiries: the quotes of each that can be traded on paper, and its lognormal distribution."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_FLOATS = (
    "strike", "bid", "ask", "mid", "iv", "delta", "gamma", "theta", "vega", "open_interest", "volume",
    "forward", "rate", "div_yield", "spot", "tau", "multiplier",
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
    days = chain["dte"].to_numpy()
    chain = chain[(days >= dte[0]) & (days <= dte[1])]
    excluded: Counter[str] = Counter()
    skipped: dict[str, str] = {}
    slices: list[ExpirySlice] = []
    for (expiry, trading_class, _), group in _groups(chain):
        usable = _usable(group, filters, excluded)
        found = _slice(group, usable, expiry, trading_class)
        if isinstance(found, str):
            skipped[f"{expiry} {trading_class}"] = found
        else:
            slices.append(found)
    return slices, excluded, skipped


def _groups(chain: pd.DataFrame) -> Iterator[tuple[tuple[date, str, float], pd.DataFrame]]:
    # An expiry may hold two classes (SPX, SPXW) with different settlement, and adjusted contracts.
    if chain.empty:
        return
    keys = ["expiry", "trading_class", "multiplier"]
    for _, group in chain.sort_values("strike", kind="stable").groupby(keys, observed=True, sort=True):
        expiry, trading_class, multiplier = (group[key].iloc[0] for key in keys)
        yield (pd.Timestamp(expiry).date(), str(trading_class), float(multiplier)), group


def _usable(group: pd.DataFrame, filters: Filters, excluded: Counter[str]) -> Bools:
    ok = np.asarray(group["quality"] == "ok", dtype=bool)
    mid = group["mid"].to_numpy(dtype=np.float64)
    known = np.isfinite(mid) & (mid > 0)
    for name in ("iv", "delta"):
        known &= np.isfinite(group[name].to_numpy(dtype=np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = (group["ask"] - group["bid"]).to_numpy(dtype=np.float64) / mid
    checks: list[tuple[str, Bools]] = [
        ("quality", ok),
        ("no mid, iv or delta", known),
        ("open interest", _at_least(group["open_interest"], filters.min_open_interest)),
        ("volume", _at_least(group["volume"], filters.min_volume)),
    ]
    if filters.max_relative_spread is not None:
        checks.append(("relative spread", spread <= filters.max_relative_spread))
    usable = np.ones(len(group), dtype=bool)
    for reason, passed in checks:
        if lost := int((usable & ~passed).sum()):
            excluded[reason] += lost
        usable &= passed
    return usable


def _at_least(column: pd.Series, least: float) -> Bools:
    # Without a filter an unknown figure is no reason to leave a quote out; with one it is.
    return np.asarray(column >= least, dtype=bool) if least > 0 else np.ones(len(column), dtype=bool)


def _slice(group: pd.DataFrame, usable: Bools, expiry: date, trading_class: str) -> ExpirySlice | str:
    columns = {name: group[name].to_numpy(dtype=np.float64) for name in _FLOATS}
    is_call = np.asarray(group["right"] == "C", dtype=bool)
    if not usable.any():
        return "no quote is usable"
    facts = {name: float(np.nanmedian(columns[name][usable])) for name in ("spot", "forward", "rate", "div_yield")}
    tau, dte = float(np.median(columns["tau"][usable])), int(np.median(group["dte"].to_numpy()[usable]))
    if not (tau > 0 and np.isfinite(list(facts.values())).all()):
        return "spot, forward, rate or time to expiry is not known"
    return ExpirySlice(
        expiry=expiry,
        trading_class=trading_class,
        multiplier=float(columns["multiplier"][0]),
        dte=dte,
        tau=tau,
        vol=_vol_at(facts["forward"], columns, is_call, usable),
        is_call=is_call,
        columns=columns,
        usable=usable,
        **facts,
    )


def _vol_at(forward: float, columns: dict[str, Floats], is_call: Bools, usable: Bools) -> float:
    # Out-of-the-money quotes carry the least noise: puts below the forward, calls above, linear in log strike.
    strike, iv = columns["strike"], columns["iv"]
    chosen = usable & (is_call == (strike >= forward))
    chosen = chosen if chosen.any() else usable
    order = np.argsort(strike[chosen], kind="stable")
    return float(np.interp(np.log(forward), np.log(strike[chosen][order]), iv[chosen][order]))
