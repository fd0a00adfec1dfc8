"""Which contracts of a chain to hold on market-data lines, what that leaves unknown, and how true the estimate is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from bifrost_lib.core.errors import InputError
from bifrost_lib.microstructure import HeldOutError, LineChoice, calibrate_surface, choose_lines, held_out_error
from bifrost_lib.workflows.chains import read_chain
from bifrost_lib.workflows.desk import Desk

COLUMNS = ("expiry", "strike", "right", "bid", "ask", "iv")


@dataclass(frozen=True)
class LinePlan:
    """A choice of contracts for a budget of lines; errors are of implied volatility, decimal.

    Attributes
    ----------
    contracts : DataFrame
        What to hold, the most telling first: ``COLUMNS``.
    expected_before, expected_after : float
        Root mean squared error of the surface at the strikes not held, weighted by vega, as the model expects it
        without any line and with these.
    measured : float
        The same error measured on the chain's own quotes that were not held.
    within_spread : float
        Share of those quotes whose bid and ask hold the estimate.
    near_money : float
        The measured error when the same number of lines holds the strikes nearest the money.
    """

    symbol: str
    as_of: datetime
    source: str
    contracts: pd.DataFrame
    strikes: int
    expected_before: float
    expected_after: float
    measured: float
    within_spread: float
    near_money: float

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as JSON-ready data."""
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in self.contracts.itertuples(index=False)]
        facts = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "contracts"}
        return facts | {"lines": len(rows), "contracts": rows}


def plan_lines(desk: Desk, symbol: str, *, lines: int = 50, at: datetime | None = None) -> LinePlan:
    """Choose the contracts whose quotes tell most about those that are not held.

    Parameters
    ----------
    desk : Desk
    symbol : str
    lines : int
        Market-data lines to spend, >= 1.
    at : datetime, aware, optional
        As-of time. Default: the newest stored moment.

    Raises
    ------
    NoDataError
        If no chain is known, or it has too few quotes.
    InputError
        If there are as many lines as quotes: then nothing is left to estimate.
    """
    if lines < 1:
        raise InputError("lines", lines, "a whole number >= 1")
    chain = read_chain(desk, symbol, at=at)
    model = calibrate_surface(chain)
    choice = choose_lines(chain, lines, model=model)
    if len(choice.held) < lines:
        raise InputError("lines", lines, f"fewer than the {len(choice.held)} quotes that the chain of {symbol} has")
    found, simple = held_out_error(chain, choice), _near_money(chain, choice)
    return LinePlan(
        symbol=symbol.upper(),
        as_of=chain.attrs["as_of"],
        source=chain.attrs["source"],
        contracts=chain.iloc[choice.held][list(COLUMNS)],
        strikes=found.strikes,
        expected_before=choice.expected_before,
        expected_after=choice.expected_after,
        measured=found.rmse,
        within_spread=found.within_spread,
        near_money=simple.rmse,
    )


def _near_money(chain: pd.DataFrame, choice: LineChoice) -> HeldOutError:
    """Measure what as many lines tell that hold the out-of-the-money quotes nearest the forward."""
    distance = (chain["strike"] / chain["forward"] - 1).abs().to_numpy()
    outside = ((chain["strike"] >= chain["forward"]) == (chain["right"] == "C")) & (chain["quality"] == "ok")
    places = pd.Series(distance).where(outside.to_numpy()).nsmallest(len(choice.held)).index.tolist()
    nearest = choose_lines(chain, len(places), model=choice.model, forced=places)
    return held_out_error(chain, nearest)
