"""Invented prices under well-known tickers, for programs that ask the simulated gateway for SPY and its like.

Nothing here is real data. Levels are those around which such underlyings could trade in the summer of 2026.
"""

from __future__ import annotations

from dataclasses import replace

from bifrost_lib.sim.market.universe import SIMULATED, Ladder, SimulatedUnderlying

_SPX = SimulatedUnderlying(
    symbol="SPX",
    help="an index, European options: monthlies settle on the opening, SPXW on the close",
    spot=7_150.0,
    style="european",
    monthly_class="SPX",
    weekly_class="SPXW",
    monthly_settlement="AM",
    div_yield=0.012,
    vol=0.155,
    vol_of_vol=1.3,
    market_correlation=1.0,
    leverage=-0.78,
    skew=-0.64,
    curvature=0.85,
    earnings_months=(),
    earnings_move=0.0,
    ladder=Ladder(near_step=5.0, near_width=0.015, far_step=50.0, down=0.32, up=0.16),
    ticks=(0.05, 0.10),
    spread=0.0012,
    activity=9_000.0,
)
_SPY = replace(
    _SPX,
    symbol="SPY",
    help="a fund on the same index: its path is that of SPX, a tenth as high",
    spot=715.0,
    style="american",
    monthly_class="SPY",
    weekly_class="SPY",
    monthly_settlement="PM",
    ladder=Ladder(near_step=1.0, near_width=0.04, far_step=5.0, down=0.28, up=0.16),
    ticks=(0.01, 0.01),
    spread=0.0008,
    activity=40_000.0,
)
_AAPL = SimulatedUnderlying(
    symbol="AAPL",
    help="a large stock with a small dividend that jumps on results",
    spot=275.0,
    style="american",
    monthly_class="AAPL",
    weekly_class="AAPL",
    monthly_settlement="PM",
    div_yield=0.004,
    vol=0.27,
    vol_of_vol=1.0,
    market_correlation=0.7,
    leverage=-0.45,
    skew=-0.38,
    curvature=0.85,
    earnings_months=(1, 4, 7, 10),
    earnings_move=0.04,
    ladder=Ladder(near_step=2.5, near_width=0.15, far_step=5.0, down=0.45, up=0.40),
    ticks=(0.01, 0.05),
    spread=0.003,
    activity=12_000.0,
)

#: Underlyings under real names, by symbol.
TICKERS: dict[str, SimulatedUnderlying] = {
    underlying.symbol: underlying
    for underlying in (
        _SPY,
        replace(
            _SPY,
            symbol="QQQ",
            help="a fund of technology stocks",
            spot=640.0,
            monthly_class="QQQ",
            weekly_class="QQQ",
            div_yield=0.006,
            vol=0.205,
            market_correlation=0.94,
            leverage=-0.72,
            skew=-0.55,
            activity=22_000.0,
        ),
        replace(
            _SPY,
            symbol="IWM",
            help="a fund of small stocks",
            spot=252.0,
            monthly_class="IWM",
            weekly_class="IWM",
            div_yield=0.011,
            vol=0.215,
            market_correlation=0.86,
            leverage=-0.65,
            skew=-0.50,
            ladder=Ladder(near_step=1.0, near_width=0.12, far_step=5.0, down=0.35, up=0.25),
            activity=12_000.0,
        ),
        _AAPL,
        replace(
            _AAPL,
            symbol="MSFT",
            help="a large stock with a dividend that jumps on results",
            spot=525.0,
            monthly_class="MSFT",
            weekly_class="MSFT",
            div_yield=0.007,
            vol=0.245,
            earnings_move=0.038,
            ladder=Ladder(near_step=2.5, near_width=0.10, far_step=10.0, down=0.42, up=0.36),
            activity=6_000.0,
        ),
        replace(
            _AAPL,
            symbol="TSLA",
            help="a volatile stock without dividends that jumps on results",
            spot=410.0,
            monthly_class="TSLA",
            weekly_class="TSLA",
            div_yield=0.0,
            vol=0.56,
            market_correlation=0.5,
            leverage=-0.25,
            skew=-0.22,
            curvature=0.80,
            earnings_move=0.085,
            ladder=Ladder(near_step=2.5, near_width=0.16, far_step=10.0, down=0.55, up=0.60),
            spread=0.004,
            activity=25_000.0,
        ),
        _SPX,
    )
}

#: Everything that the synthetic market can trade.
UNDERLYINGS: dict[str, SimulatedUnderlying] = {**TICKERS, **SIMULATED}
