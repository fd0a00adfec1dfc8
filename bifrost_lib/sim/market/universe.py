"""The simulated underlyings, as data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from bifrost_lib.core.calendar import is_session, previous_session, third_friday


@dataclass(frozen=True)
class Ladder:
    """Strikes: every `near_step` within `near_width` of spot, every `far_step` from `-down` to `+up` of it.

    Whole multiples of `round_step` are what a sparse history keeps.
    """

    near_step: float
    near_width: float
    far_step: float
    down: float
    up: float
    round_step: float = 5.0


@dataclass(frozen=True)
class SimulatedUnderlying:
    """A fictional underlying and its option classes; rates and vols are decimals, annual."""

    symbol: str
    help: str
    spot: float
    style: str
    monthly_class: str
    weekly_class: str
    monthly_settlement: str
    div_yield: float
    vol: float  # level that the volatility returns to
    vol_of_vol: float  # of its logarithm
    market_correlation: float
    leverage: float  # correlation of spot and volatility
    skew: float  # rho of the smile
    curvature: float  # eta of the smile
    earnings_months: tuple[int, ...]
    earnings_move: float  # standard deviation of the overnight return
    ladder: Ladder
    ticks: tuple[float, float]  # below and from 3.00
    spread: float  # half of it, in vols, at the money
    activity: float  # contracts a session in the busiest strike

    def option_class(self, expiry: date) -> tuple[str, str]:
        """Return (trading_class, settlement) of an expiry."""
        if expiry == third_friday(expiry.year, expiry.month):
            return self.monthly_class, self.monthly_settlement
        return self.weekly_class, "PM"

    def earnings_days(self, start: date, end: date) -> list[date]:
        """Return the sessions from `start` to `end` after whose close results are published."""
        return earnings_days(self.earnings_months, start, end)


def earnings_days(months: tuple[int, ...], start: date, end: date) -> list[date]:
    """Return the sessions from `start` to `end` after whose close companies report that do so in `months`."""
    days = [
        third_friday(year, month) + timedelta(days=6) for year in range(start.year, end.year + 1) for month in months
    ]
    return [day if is_session(day) else previous_session(day) for day in days if start <= day <= end]


RATE = 0.038  # continuous, annual, every tenor

SIMULATED: dict[str, SimulatedUnderlying] = {
    underlying.symbol: underlying
    for underlying in (
        SimulatedUnderlying(
            symbol="SIM",
            help="an exchange-traded fund with a dividend yield, American options in pennies",
            spot=500.0,
            style="american",
            monthly_class="SIM",
            weekly_class="SIM",
            monthly_settlement="PM",
            div_yield=0.013,
            vol=0.165,
            vol_of_vol=1.3,
            market_correlation=0.98,
            leverage=-0.75,
            skew=-0.60,
            curvature=0.80,
            earnings_months=(),
            earnings_move=0.0,
            ladder=Ladder(near_step=1.0, near_width=0.04, far_step=5.0, down=0.28, up=0.16),
            ticks=(0.01, 0.01),
            spread=0.0012,
            activity=9_000.0,
        ),
        SimulatedUnderlying(
            symbol="SIMX",
            help="an index, European options: monthlies settle on the opening, weeklies (SIMXW) on the close",
            spot=5_000.0,
            style="european",
            monthly_class="SIMX",
            weekly_class="SIMXW",
            monthly_settlement="AM",
            div_yield=0.014,
            vol=0.16,
            vol_of_vol=1.3,
            market_correlation=1.0,
            leverage=-0.78,
            skew=-0.64,
            curvature=0.85,
            earnings_months=(),
            earnings_move=0.0,
            ladder=Ladder(near_step=25.0, near_width=0.07, far_step=100.0, down=0.32, up=0.18, round_step=50.0),
            ticks=(0.05, 0.10),
            spread=0.0018,
            activity=3_000.0,
        ),
        SimulatedUnderlying(
            symbol="SIMT",
            help="a volatile stock without dividends that jumps on results, American options",
            spot=150.0,
            style="american",
            monthly_class="SIMT",
            weekly_class="SIMT",
            monthly_settlement="PM",
            div_yield=0.0,
            vol=0.44,
            vol_of_vol=1.0,
            market_correlation=0.5,
            leverage=-0.35,
            skew=-0.30,
            curvature=0.85,
            earnings_months=(1, 4, 7, 10),
            earnings_move=0.07,
            ladder=Ladder(near_step=2.5, near_width=0.22, far_step=5.0, down=0.50, up=0.55, round_step=2.5),
            ticks=(0.01, 0.05),
            spread=0.006,
            activity=2_500.0,
        ),
    )
}
