"""The strip of out-of-the-money options of one expiry that a variance index is made of, chosen by CBOE's rules."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.pricing.arguments import Floats, is_call, numbers

MINUTES_PER_YEAR = 525_600.0
MINUTES_PER_DAY = 1_440.0

_SIDES = ("call_bid", "call_ask", "put_bid", "put_ask")
_MIDS = ("call_mid", "put_mid")

Bools = npt.NDArray[np.bool_]


class StripTerm(TypedDict):
    """One expiry's arguments for a strip: bids and asks, or mids; see `strip_variance` for what they mean."""

    strike: npt.ArrayLike
    minutes: float
    rate: NotRequired[float]
    call_bid: NotRequired[npt.ArrayLike]
    call_ask: NotRequired[npt.ArrayLike]
    put_bid: NotRequired[npt.ArrayLike]
    put_ask: NotRequired[npt.ArrayLike]
    call_mid: NotRequired[npt.ArrayLike]
    put_mid: NotRequired[npt.ArrayLike]
    forward: NotRequired[float | None]


@dataclass(frozen=True)
class OptionStrip:
    """The options that count, by ascending strike.

    `tau` in years of 525,600 minutes; `forward` and `center_strike` (the last strike at or below the forward) in
    currency per share; `strike`, `mid` and `spacing` (half the distance between the neighbours) of each option. An
    expiry without a strip has empty arrays, NaN for what is unknown, and a `reason`.
    """

    tau: float
    rate: float
    forward: float = math.nan
    center_strike: float = math.nan
    reason: str = ""
    strike: Floats = field(default_factory=lambda: np.empty(0))
    mid: Floats = field(default_factory=lambda: np.empty(0))
    spacing: Floats = field(default_factory=lambda: np.empty(0))

    @property
    def growth(self) -> float:
        """What one unit of money becomes by settlement."""
        return math.exp(self.rate * self.tau)


def select_strip(term: StripTerm) -> OptionStrip:
    """Choose the strip of one expiry; the rules stand at `strip_variance`."""
    unknown = [name for name in term if name not in StripTerm.__annotations__]
    if unknown:
        raise UnknownNameError("term", unknown[0], StripTerm.__annotations__)
    tau, rate = _time_and_rate(term)
    strike, call, put = _quoted(term)
    forward = term.get("forward")
    if forward is None:
        forward = _forward(strike, call, put, math.exp(rate * tau))
    elif not _number("forward", forward) > 0:
        raise InputError("forward", forward, "a number > 0")
    if math.isnan(forward):
        return OptionStrip(tau, rate, reason="no strike has both options quoted")
    center = int(np.searchsorted(strike, forward, side="right")) - 1
    if center < 0:
        return OptionStrip(tau, rate, forward, reason="no strike at or below the forward")
    at_center = float(strike[center])
    middle = 0.5 * (call[center] + put[center])
    if math.isnan(middle):
        return OptionStrip(tau, rate, forward, at_center, reason="an option at the center strike is not quoted")
    puts = _until_two_gaps(put[:center][::-1])[::-1]
    calls = _until_two_gaps(call[center + 1 :])
    if not puts.any() or not calls.any():
        return OptionStrip(tau, rate, forward, at_center, reason="one side of the center strike has no quotes")
    used = np.concatenate([puts, [True], calls])
    mid = np.concatenate([put[:center], [middle], call[center + 1 :]])[used]
    return OptionStrip(tau, rate, forward, at_center, "", strike[used], mid, _spacing(strike[used]))


def strip_terms(
    *,
    strike: npt.ArrayLike,
    right: Any,
    bid: npt.ArrayLike,
    ask: npt.ArrayLike,
    minutes: npt.ArrayLike,
    rate: npt.ArrayLike = 0.0,
    days: float = 30.0,
) -> tuple[StripTerm, StripTerm]:
    """Take from a chain the two expiries around a horizon, as terms for `vix_index` and `skew_index`.

    Parameters
    ----------
    strike, right, bid, ask : array_like (n,)
        One row per option: currency per share, and "C" or "P".
    minutes : array_like (n,)
        Minutes to settlement, > 0; it tells expiries apart.
    rate : array_like (n,) or float
        Continuous annual decimal; an expiry's first row speaks for all.
    days : float
        The horizon, days of 1,440 minutes.

    Returns
    -------
    tuple of two StripTerm
        The last expiry at or before the horizon and the first one after it; without one of them, the two nearest, from
        which an index extrapolates.

    Raises
    ------
    InputError
        If fewer than two expiries are given, an option is given twice, or shapes differ; ``error.name`` says which.

    Notes
    -----
    A missing bid or ask is NaN and stays NaN in the term.
    """
    given = {"strike": strike, "bid": bid, "ask": ask, "minutes": minutes, "rate": rate}
    arrays = {name: numbers(name, value) for name, value in given.items()} | {"right": is_call(right)}
    try:
        rows = dict(zip(arrays, np.broadcast_arrays(*(np.atleast_1d(a) for a in arrays.values())), strict=True))
    except ValueError:
        raise InputError("shape", [array.shape for array in arrays.values()], "arrays of one length") from None
    times = np.unique(rows["minutes"])
    if len(times) < 2 or not (times > 0).all():
        raise InputError("minutes", minutes, "numbers > 0 of at least two expiries")
    after = int(np.clip(np.searchsorted(times, days * MINUTES_PER_DAY, side="right"), 1, len(times) - 1))
    near, far = (_term({k: v[rows["minutes"] == times[i]] for k, v in rows.items()}) for i in (after - 1, after))
    return near, far


def _term(rows: dict[str, npt.NDArray[Any]]) -> StripTerm:
    strikes, place = np.unique(rows["strike"], return_inverse=True)
    table = np.full((2, 2, len(strikes)), np.nan)
    if len(np.unique(2 * place + rows["right"])) != len(place):
        raise InputError("strike", rows["strike"], "each strike once for each right and expiry")
    table[rows["right"], 0, place] = rows["bid"]
    table[rows["right"], 1, place] = rows["ask"]
    return {
        "strike": strikes,
        "put_bid": table[0, 0],
        "put_ask": table[0, 1],
        "call_bid": table[1, 0],
        "call_ask": table[1, 1],
        "minutes": float(rows["minutes"][0]),
        "rate": float(rows["rate"][0]),
    }


def _time_and_rate(term: StripTerm) -> tuple[float, float]:
    minutes, rate = (_number(name, term.get(name, default)) for name, default in (("minutes", math.nan), ("rate", 0.0)))
    if not 0 < minutes < math.inf:
        raise InputError("minutes", minutes, "minutes to settlement > 0")
    if not math.isfinite(rate):
        raise InputError("rate", rate, "a finite continuous annual decimal")
    return minutes / MINUTES_PER_YEAR, rate


def _number(name: str, value: Any) -> float:
    array = numbers(name, value)
    if array.ndim:
        raise InputError(name, value, "one number")
    return float(array)


def _quoted(term: StripTerm) -> tuple[Floats, Floats, Floats]:
    # Ascending strikes, and the mids of calls and puts: NaN where an option has no bid, or its ask is below the bid.
    sides, mids = [n for n in _SIDES if n in term], [n for n in _MIDS if n in term]
    if (len(sides), len(mids)) not in ((4, 0), (0, 2)):
        raise InputError("quotes", sides + mids, f"either {', '.join(_SIDES)} or {', '.join(_MIDS)}")
    names = ("strike", *sides, *mids)
    columns = {name: np.atleast_1d(numbers(name, term.get(name, math.nan))) for name in names}
    strike = columns["strike"]
    for name, column in columns.items():
        if column.ndim != 1 or column.shape != strike.shape:
            raise InputError(name, column.shape, f"one number for each strike, of which there are {strike.size}")
    order = np.argsort(strike)
    if not (strike > 0).all() or not (np.diff(strike[order]) > 0).all():
        raise InputError("strike", strike, "numbers > 0, each once")
    ascending = {name: column[order] for name, column in columns.items()}
    found = [_mid(ascending[f"{side}_bid"], ascending[f"{side}_ask"]) for side in ("call", "put") if sides]
    found = found or [np.where(ascending[name] > 0, ascending[name], np.nan) for name in _MIDS]
    return ascending["strike"], found[0], found[1]


def _mid(bid: Floats, ask: Floats) -> Floats:
    return np.where((bid > 0) & (ask >= bid), 0.5 * (bid + ask), np.nan)


def _forward(strike: Floats, call: Floats, put: Floats, growth: float) -> float:
    gap = call - put
    if np.isnan(gap).all():
        return math.nan
    nearest = int(np.nanargmin(np.abs(gap)))
    return float(strike[nearest] + growth * gap[nearest])


def _until_two_gaps(outward: Floats) -> Bools:
    quoted: Bools = ~np.isnan(outward)
    double_gap = ~quoted[1:] & ~quoted[:-1]
    if double_gap.any():
        quoted[int(np.argmax(double_gap)) :] = False
    return quoted


def _spacing(strike: Floats) -> Floats:
    steps = np.diff(strike)
    return np.concatenate([steps[:1], 0.5 * (steps[1:] + steps[:-1]), steps[-1:]])
