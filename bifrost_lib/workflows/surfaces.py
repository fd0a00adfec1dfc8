"""From a chain to its volatility surface."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing import VolSurface, american_implied_vol, fit_surface, implied_vol

Floats = npt.NDArray[np.float64]

_USABLE = ("ok",)
_LEAST_BID = 0.05  # cheaper quotes say more about the tick than about volatility
_SIDES = ("bid", "ask", "mid")


def volatility_surface(chain: pd.DataFrame, *, arbitrage: str = "remove") -> VolSurface:
    """Fit a surface to the out-of-the-money quotes of a chain.

    Parameters
    ----------
    chain : DataFrame
        CHAIN_COLUMNS of one underlying, as `read_chain` returns it.
    arbitrage : {"remove", "allow"}
        As for `bifrost_lib.pricing.fit_surface`.

    Returns
    -------
    VolSurface

    Raises
    ------
    InputError
        If the chain holds several underlyings.
    NoDataError
        If no expiry has enough quotes.

    Notes
    -----
    Volatilities are solved anew from bid, ask and mid. American classes are de-Americanised: their volatility is the
    one at which an American option is worth the quote, given the rate and the dividend yield that put-call parity
    implies, so that calls and puts of one strike agree. Quotes are weighted by the width of their market.
    """
    if (symbols := list(chain["symbol"].unique())) and len(symbols) > 1:
        raise InputError("chain", symbols, "quotes of one underlying")
    quotes = _out_of_the_money(chain)
    sides = {side: _volatility(quotes, quotes[side].to_numpy()) for side in _SIDES}
    spread = sides["ask"] - sides["bid"]
    return fit_surface(
        tau=quotes["tau"].to_numpy(),
        forward=quotes["forward"].to_numpy(),
        strike=quotes["strike"].to_numpy(),
        iv=sides["mid"],
        iv_spread=np.where(spread > 0, spread, np.nan),
        arbitrage=arbitrage,
    )


def _out_of_the_money(chain: pd.DataFrame) -> pd.DataFrame:
    above = (chain["strike"] >= chain["forward"]).to_numpy()
    wanted = (chain["right"] == "C").to_numpy() == above
    fine = chain["quality"].isin(_USABLE) & (chain["bid"] >= _LEAST_BID) & (chain["tau"] > 0)
    known = chain["forward"].notna().to_numpy()
    chosen: pd.DataFrame = chain[wanted & fine.to_numpy() & known]
    return chosen


def _volatility(quotes: pd.DataFrame, price: Floats) -> Floats:
    terms: dict[str, Any] = {name: quotes[name].to_numpy() for name in ("spot", "strike", "tau", "rate", "div_yield")}
    calls = (quotes["right"] == "C").to_numpy()
    american = (quotes["style"] == "american").to_numpy()
    found = np.asarray(implied_vol(price=price, right=calls, **terms))
    if american.any():
        own = {name: column[american] for name, column in terms.items()}
        found[american] = american_implied_vol(price=price[american], right=calls[american], **own)
    return found


def surface_grid(surface: VolSurface, *, reach: float = 0.25, across: int = 61, down: int = 40) -> pd.DataFrame:
    """Read a surface on a grid of strikes and times, to be drawn.

    Parameters
    ----------
    surface : VolSurface
    reach : float
        Strikes from ``1 - reach`` to ``1 + reach`` of the forward, > 0.
    across, down : int
        How many strikes and times.

    Returns
    -------
    DataFrame
        `days` to expiry (steps alike in their square root, from the first expiry to the last), `moneyness` (strike
        over forward) and `iv`: NaN farther from the forward than four deviations, where no quote speaks.
    """
    root = np.linspace(np.sqrt(surface.tau[0]), np.sqrt(surface.tau[-1]), down)
    tau, moneyness = (grid.ravel() for grid in np.meshgrid(root**2, np.linspace(1 - reach, 1 + reach, across)))
    tau = np.clip(tau, surface.tau[0], surface.tau[-1])
    iv = np.asarray(surface.iv(tau=tau, log_moneyness=np.log(moneyness)))
    known = np.abs(np.log(moneyness)) <= 4.0 * iv * np.sqrt(tau)
    return pd.DataFrame({"days": tau * 365.0, "moneyness": moneyness, "iv": np.where(known, iv, np.nan)})
