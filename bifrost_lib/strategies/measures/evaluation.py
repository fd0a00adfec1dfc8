"""Measures of any concrete legs: what they can make and lose, how likely, what they tie up and are exposed to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies.measures.chances import chances, odds, real_world
from bifrost_lib.strategies.measures.exposure import assignments, net_greeks, touches
from bifrost_lib.strategies.measures.laws import surface_law
from bifrost_lib.strategies.measures.positions import Legs, check_numbers, read_legs
from bifrost_lib.strategies.measures.profile import Profile
from bifrost_lib.strategies.measures.returns import margins, returns, trading
from bifrost_lib.strategies.measures.stress import pnl_surface
from bifrost_lib.strategies.measures.valuation import value_legs

if TYPE_CHECKING:
    from bifrost_lib.pricing import RiskNeutralDensity, VolSurface


def evaluate(
    *,
    legs: Sequence[Mapping[str, Any]],
    spot: float,
    vol: float | None = None,
    tau: float | None = None,
    rate: float = 0.0,
    div_yield: float = 0.0,
    premium: float | None = None,
    multiplier: float = 100.0,
    at: datetime | None = None,
    broad_index: bool = False,
    surface: VolSurface | RiskNeutralDensity | None = None,
    drift: float | None = None,
    real_vol: float | None = None,
    beta: float | None = None,
    index_spot: float | None = None,
    dividend: tuple[float, float] | None = None,
    later: tuple[float, float] | None = None,
) -> dict[str, Any]:
    """Measure a structure of any legs.

    Parameters
    ----------
    legs : sequence of mapping
        Each with ``right`` ("C", "P", or "S" for the underlying), ``qty`` (contracts, signed; a stock leg of 1 is
        `multiplier` shares), ``strike`` for options, and optionally ``price`` (per share), ``bid`` and ``ask``,
        ``open_interest``, ``iv``, and ``tau`` (years) or ``expiry`` (a date).
    spot : float
        Currency per share, > 0.
    vol : float, optional
        Annual volatility of the lognormal distribution at the first expiry, >= 0; also that of legs without ``iv``.
        Default: that of `surface` at the forward.
    tau : float, optional
        Years to expiry of legs that do not say; without `at`, to the first ``expiry``.
    rate, div_yield : float
        Continuous annual decimals.
    later : (float, float), optional
        Rate and dividend yield from the first expiry to later ones, as `ExpirySlice.carry_to` has them. Default:
        `rate` and `div_yield`.
    premium : float, optional
        Cash for one unit, all legs and the multiplier included: credit > 0, debit < 0. Default: from the legs'
        prices, and from the model for legs without one.
    multiplier : float
        Shares per contract; 1 gives measures per share.
    at : datetime, aware, optional
        The moment from which ``expiry`` counts.
    broad_index : bool
        Whether margins are those of a broad index.
    surface : VolSurface or RiskNeutralDensity, optional
        Fitted volatilities: ``pop``, ``ev`` and what belongs to them then come from the distribution they imply.
    drift, real_vol : float, optional
        Expected growth of the price and its volatility, annual, from history or belief: the real-world measures.
    beta, index_spot : float, optional
        Beta to an index, and the index's level, in whose units the delta is then stated.
    dividend : (float, float), optional
        Next dividend in currency per share, and years until the share trades without it.

    Returns
    -------
    dict
        Currency for one unit where nothing else is said; None where unbounded, unknown or meaningless, and then
        ``reasons`` says why. ``premium``; ``max_profit`` and ``max_loss`` (>= 0), with ``max_profit_unbounded`` and
        ``max_loss_unbounded``; ``breakevens`` (ascending).

        ``pop`` (probability of a profit > 0), ``ev`` (premium plus expected payoff, the premium not carried forward),
        ``expected_win`` and ``expected_loss`` (given either), ``prob_half_profit`` (more than half of the max profit
        at expiry) and ``prob_half_profit_touch`` (at any daily close until then), all under ``law`` ("lognormal" or
        "surface"); ``lognormal`` and ``real_world`` hold ``pop`` and ``ev`` of those distributions. ``prob_touch``:
        for each short leg.

        ``return_on_risk``, ``return_on_margin`` and, simple and for 365 days, ``annual_return`` (on the risk, or on
        the margin where that has no bound); ``margin`` and ``maintenance_margin`` (Regulation T),
        ``portfolio_margin`` (the worst of ten price moves).

        ``delta``, ``gamma``, ``theta``, ``vega``, ``rho`` (raw, times quantity and multiplier), ``theta_per_day``,
        ``vega_to_theta`` (of a volatility point to a day), ``beta_weighted_delta``; ``assignment``: for each short
        leg; ``ex_dividend_risk``; ``slippage_cost``, ``liquidity`` (0 to 1); ``pnl_surface``.

    Raises
    ------
    InputError
        If an argument is outside its domain; ``error.name`` says which.

    Notes
    -----
    Exact where all options share an expiry. With several expiries the measures are those at the first one, the later
    legs valued by the model (see `two_expiries`). Dividends paid to a stock leg do not count.

    Examples
    --------
    >>> condor = [{"right": "P", "qty": 1, "strike": 85}, {"right": "P", "qty": -1, "strike": 90},
    ...           {"right": "C", "qty": -1, "strike": 110}, {"right": "C", "qty": 1, "strike": 115}]
    >>> found = evaluate(legs=condor, spot=100, vol=0.25, rate=0.03, tau=45 / 365, premium=1.20, multiplier=1)
    >>> round(found["pop"], 7), round(found["ev"], 6), round(found["max_loss"], 12)
    (0.7987985, 0.402485, 3.8)
    """
    check_numbers(spot=spot, rate=rate, div_yield=div_yield, multiplier=multiplier)
    position = value_legs(
        read_legs(legs, tau=tau, at=at), tau=tau, spot=spot, vol=vol, rate=rate, div_yield=div_yield, premium=premium,
        multiplier=multiplier, surface=surface, later=later,
    )  # fmt: skip
    held, market, premium, profile = position.held, position.market, position.premium, position.profile
    implied = None if surface is None else surface_law(surface, tau=position.near, forward=position.lognormal.mean)
    reasons: dict[str, str] = {}
    found = {
        "premium": premium,
        **_bounds(profile),
        "breakevens": profile.roots(),
        **chances(position, implied or position.lognormal, reasons),
        "law": "surface" if implied else "lognormal",
        "lognormal": odds(profile, position.lognormal),
        "real_world": real_world(position, drift, real_vol, reasons),
        "prob_touch": touches(held, market),
        **margins(position, broad_index=broad_index),
        **net_greeks(held, market),
        "assignment": assignments(held, market, dividend),
        "pnl_surface": pnl_surface(held, market, premium=premium),
    }
    if surface is not None and implied is None:
        reasons["law"] = "the surface does not reach the first expiry"
    found |= returns(found, position.near, reasons)
    found |= trading(held, multiplier, found, reasons)
    found |= _beta_weighted(found["delta"], spot, beta, index_spot, reasons)
    found |= _ex_dividend(held, found["assignment"], dividend, reasons)
    return found | {"reasons": reasons}


def _bounds(profile: Profile) -> dict[str, Any]:
    gains, loses = profile.slope > 0, profile.slope < 0
    return {
        "max_profit": None if gains else profile.highest,
        "max_loss": None if loses else max(0.0, -profile.lowest),
        "max_profit_unbounded": gains,
        "max_loss_unbounded": loses,
    }


def _beta_weighted(
    delta: float, spot: float, beta: float | None, index_spot: float | None, reasons: dict[str, str]
) -> dict[str, float | None]:  # fmt: skip
    if beta is None or index_spot is None:
        reasons["beta_weighted_delta"] = "needs beta and index_spot"
        return {"beta_weighted_delta": None}
    if not math.isfinite(beta):
        raise InputError("beta", beta, "a number")
    if not 0 < index_spot < math.inf:
        raise InputError("index_spot", index_spot, "a number > 0")
    return {"beta_weighted_delta": delta * beta * spot / index_spot}


def _ex_dividend(
    held: Legs, assigned: list[dict[str, Any]], dividend: tuple[float, float] | None, reasons: dict[str, str]
) -> dict[str, bool | None]:  # fmt: skip
    if dividend is None and (held.is_call & (held.qty < 0)).any():
        reasons["ex_dividend_risk"] = "needs the next dividend"
        return {"ex_dividend_risk": None}
    return {"ex_dividend_risk": any(leg["ex_dividend"] for leg in assigned)}
