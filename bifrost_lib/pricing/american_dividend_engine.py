"""From arrays of options on shares that pay cash to their values on two grids, and what these extrapolate to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.core.native import loop
from bifrost_lib.pricing.american_layout import GRID_ROWS
from bifrost_lib.pricing.arguments import Batch, Flags, Floats, numbers
from bifrost_lib.pricing.parts import in_parts

DIVIDEND_MODELS = ("spot", "escrowed")

# parts of the coarse grid, and steps in time for the whole life; the fine one has twice as many of both
SIZES = {"fast": (100, 40), "default": (200, 80), "accurate": (800, 320)}

_value_all = loop("bifrost_lib.pricing.american_dividend_loops", "value_all")


@dataclass(frozen=True)
class CashPayers:
    """American options, each argument (n,), on shares with one schedule of payments (m,), `when` ascending."""

    spot: Floats
    strike: Floats
    tau: Floats
    vol: Floats
    is_call: Flags
    rate: Floats
    div_yield: Floats
    when: Floats
    paid: Floats
    escrowed: bool
    accuracy: str

    @property
    def start(self) -> Floats:
        """What is lognormal: the spot, less the present value of the payments until expiry if they are escrowed."""
        if not self.escrowed:
            return self.spot
        worth = np.zeros_like(self.spot)
        for moment, amount in zip(self.when, self.paid, strict=True):
            growth = np.exp(-(self.rate - self.div_yield) * moment)
            worth += np.where(moment <= self.tau, amount * growth, 0.0)
        left: Floats = self.spot - worth
        return left

    @property
    def width(self) -> Floats:
        """The standard deviation by which grids are laid."""
        width: Floats = self.vol * np.sqrt(self.tau) + np.abs(self.rate - self.div_yield) * self.tau / 6.0
        return width

    @property
    def intrinsic(self) -> Floats:
        """What exercise is worth now."""
        value: Floats = np.maximum(np.where(self.is_call != 0, 1.0, -1.0) * (self.spot - self.strike), 0.0)
        return value

    def some(self, places: npt.NDArray[Any], **changes: Any) -> CashPayers:
        """The options at `places`, with other arguments where `changes` says so."""
        columns = ("spot", "strike", "tau", "vol", "is_call", "rate", "div_yield")
        return replace(self, **{name: getattr(self, name)[places] for name in columns} | changes)

    def values(self, width: Floats | None = None) -> Floats:
        """Return value, slope and slope of the slope by ln(start), (3, n); `width` keeps the grids of other options."""
        widths = self.width if width is None else width
        found = np.empty((3, self.spot.size))

        def run(rows: slice) -> int:
            found[:, rows] = self._extrapolated(rows, np.ascontiguousarray(widths[rows]))
            return 0

        in_parts(run, self.spot.size, least=1, block=1)
        return found

    def _extrapolated(self, rows: slice, width: Floats) -> Floats:
        parts, steps = SIZES[self.accuracy]
        columns = (self.spot, self.strike, self.tau, self.vol, self.is_call, self.rate, self.div_yield)
        some = [column[rows] for column in columns]
        coarse, fine = np.empty((2, 3, width.size))
        for halvings, values in ((0, coarse), (1, fine)):
            grid = np.empty((GRID_ROWS, (parts << halvings) + 1))
            _value_all(*some, width, self.when, self.paid, int(self.escrowed), steps, halvings, grid, values)
        best: Floats = fine + (fine - coarse) / 3.0
        return best


def cash_payers(given: Batch, dividend_taus: Any, dividends: Any, dividend_model: str, accuracy: str) -> CashPayers:
    """Check the schedule, and refuse escrows that are worth more than the spot."""
    if dividend_model not in DIVIDEND_MODELS:
        raise UnknownNameError("dividend_model", dividend_model, DIVIDEND_MODELS)
    if accuracy not in SIZES:
        raise UnknownNameError("accuracy", accuracy, SIZES)
    when, paid = _schedule(dividend_taus, dividends)
    s0, k, tau, vol, call, rate, q = (np.array(np.broadcast_to(column, given.size)) for column in given.columns)
    options = CashPayers(s0, k, tau, vol, call, rate, q, when, paid, dividend_model == "escrowed", accuracy)
    ruined = options.start <= 0.0
    if ruined.any():
        worth = options.spot - options.start
        raise InputError("dividends", float(worth[ruined][0]), "a present value below spot; or dividend_model='spot'")
    return options


def _schedule(dividend_taus: Any, dividends: Any) -> tuple[Floats, Floats]:
    when, paid = (_amounts(*given) for given in (("dividend_taus", dividend_taus), ("dividends", dividends)))
    if when.shape != paid.shape:
        raise InputError("dividends", f"{paid.size} amounts", f"as many as dividend_taus, {when.size}")
    if not (np.isfinite(when) & (when > 0.0)).all():
        raise InputError("dividend_taus", when, "years > 0")
    if not (np.isfinite(paid) & (paid >= 0.0)).all():
        raise InputError("dividends", paid, "amounts >= 0")
    moments, place = np.unique(when, return_inverse=True)
    return moments, np.bincount(place, weights=paid, minlength=moments.size).astype(np.float64)


def _amounts(name: str, values: Any) -> Floats:
    return numbers(name, values).reshape(-1)
