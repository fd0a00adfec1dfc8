"""A chain as points of a volatility surface: one per expiry and strike, which its call and put share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.errors import InputError, NoDataError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

EXPIRY = ["expiry", "trading_class", "settlement", "multiplier"]
COLUMNS = (*EXPIRY, "strike", "right", "forward", "tau", "bid", "ask", "iv", "quality")
#: Quoted volatilities that a half spread of more than this share of them leaves open say nothing.
LEAST_KNOWN = 0.5


@dataclass(frozen=True)
class TermVol:
    """At-the-money volatility by time to expiry: `log_tau` ascending, `log_vol` beside it."""

    log_tau: tuple[float, ...]
    log_vol: tuple[float, ...]

    def at(self, tau: Floats) -> Floats:
        """Return the volatility at `tau` years; beyond the ends that of the end."""
        return np.exp(np.interp(np.log(tau), self.log_tau, self.log_vol))


@dataclass(frozen=True)
class Quotes:
    """A chain's contracts, by row (n,), and the points (m,) that they lie on.

    `point` is -1 where a contract has no place (no forward, expired). `log_iv` is NaN and `relative_noise` infinite for
    a contract whose quote tells no volatility. `best` is the row that speaks for a point: its out-of-the-money side, -1
    where that is not quoted, since an in-the-money volatility says more about the forward than about the surface.
    `level` is a point's volatility: as quoted, or as its nearest quoted neighbours of the expiry have it.
    """

    log_iv: Floats
    relative_noise: Floats
    in_the_money: Bools
    point: Ints
    best: Ints
    expiry: Ints
    log_moneyness: Floats
    tau: Floats
    level: Floats
    vega: Floats

    @property
    def informed(self) -> Ints:
        """The points that a quote tells about."""
        return np.flatnonzero(self.best >= 0)


def term_vol(chain: pd.DataFrame) -> TermVol:
    """Read the at-the-money volatility of every expiry from its four quotes nearest to the forward.

    Raises
    ------
    NoDataError
        If no quote tells a volatility.
    """
    row = _rows(chain)
    k = np.abs(np.log(row["strike"] / row["forward"]))
    found: dict[float, float] = {}
    for code in np.unique(row["expiry"][row["known"]]):
        of = np.flatnonzero(row["known"] & (row["expiry"] == code))
        nearest = of[np.lexsort((row["strike"][of], row["is_call"][of], k[of]))][:4]
        found[float(np.log(np.median(row["tau"][nearest])))] = float(np.log(np.median(row["iv"][nearest])))
    if not found:
        raise NoDataError("implied volatility", rows=len(chain), hint="sweep the chain once before lines are chosen")
    return TermVol(tuple(sorted(found)), tuple(found[log_tau] for log_tau in sorted(found)))


def read_quotes(chain: pd.DataFrame, term: TermVol) -> Quotes:
    """Place the contracts of a chain on a surface; a point's volatility is `term`'s where it is not quoted."""
    row = _rows(chain)
    tau, strike, forward = row["tau"], row["strike"], row["forward"]
    placed = (tau > 0) & (strike > 0) & (forward > 0)
    place = np.full(len(tau), -1, dtype=np.int64)
    keys = np.stack([row["expiry"][placed], strike[placed]], axis=1)
    points, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    place[placed] = inverse.ravel()
    first = np.flatnonzero(placed)[first]
    log_iv = np.where(row["known"], np.log(np.where(row["known"], row["iv"], 1.0)), np.nan)
    k = np.log(strike / forward)
    in_the_money = np.where(row["is_call"], k < 0, k > 0)
    half = 0.5 * (row["ask"] - row["bid"])
    vega = _vega(forward, k, np.where(row["known"], row["iv"], np.nan), tau)
    with np.errstate(divide="ignore", invalid="ignore"):
        noise = half / vega / row["iv"]
    useful = row["known"] & placed & (noise < LEAST_KNOWN)
    noise, log_iv = np.where(useful, noise, np.inf), np.where(useful, log_iv, np.nan)
    best = _best(place, useful & ~in_the_money, noise, len(points))
    expiry = points[:, 0].astype(np.int64)
    level = _levels(expiry, k[first], np.where(best >= 0, log_iv[best], np.nan), term.at(tau[first]))
    vega = _vega(forward[first], k[first], level, tau[first])
    return Quotes(log_iv, noise, in_the_money, place, best, expiry, k[first], tau[first], level, vega)


def _rows(chain: pd.DataFrame) -> dict[str, Any]:
    for column in COLUMNS:
        if column not in chain.columns:
            raise InputError(f"chain.{column}", list(chain.columns), "this column to be present")
    names = ("strike", "forward", "tau", "bid", "ask", "iv")
    row: dict[str, Any] = {name: chain[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in names}
    row["expiry"] = chain.groupby(EXPIRY, observed=True, sort=True).ngroup().to_numpy()
    row["is_call"] = (chain["right"] == "C").to_numpy()
    quoted = (row["bid"] > 0) & (row["ask"] > row["bid"]) & (chain["quality"] == "ok").to_numpy()
    row["known"] = quoted & (row["iv"] > 0) & (row["forward"] > 0) & (row["tau"] > 0) & np.isfinite(row["iv"])
    return row


def _best(place: Ints, outside: Bools, noise: Floats, points: int) -> Ints:
    best = np.full(points, -1, dtype=np.int64)
    rows = np.flatnonzero(outside)
    rows = rows[np.argsort(-noise[rows], kind="stable")]  # what is written last stays: the least noisy
    best[place[rows]] = rows
    return best


def _levels(expiry: Ints, k: Floats, log_iv: Floats, at_money: Floats) -> Floats:
    level = np.log(at_money)
    for code in np.unique(expiry):
        of = np.flatnonzero(expiry == code)  # ascending in strike, as the points are
        quoted = of[np.isfinite(log_iv[of])]
        if len(quoted):
            level[of] = np.interp(k[of], k[quoted], log_iv[quoted])
    return np.exp(level)


def _vega(forward: Floats, k: Floats, vol: Floats, tau: Floats) -> Floats:
    # Undiscounted, per 1.00 vol: what a price says about a volatility.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        total = vol * np.sqrt(tau)
        d1 = -k / total + total / 2
        vega = forward * np.sqrt(tau / (2 * np.pi)) * np.exp(-0.5 * d1 * d1)
    return np.asarray(vega)
