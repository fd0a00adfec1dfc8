"""What contractDetails says about the simulated underlyings, beside how they move."""

from __future__ import annotations

from dataclasses import dataclass

PENNY_RULE, PILOT_RULE, PENNY_OPTION_RULE, INDEX_RULE = 26, 32, 109, 110  # market rules, as IB numbers them
RULES: dict[int, tuple[tuple[float, float], ...]] = {
    PENNY_RULE: ((0.0, 0.01),),
    PILOT_RULE: ((0.0, 0.01), (3.0, 0.05)),
    PENNY_OPTION_RULE: ((0.0, 0.01),),
    INDEX_RULE: ((0.0, 0.05), (3.0, 0.10)),
}


@dataclass(frozen=True)
class Profile:
    """One underlying in the words of a broker; `shares` is a usual session's volume, `float_shares` what exists."""

    con_id: int
    long_name: str
    sec_type: str
    primary_exchange: str
    option_rule: int
    strike_unit: float  # every strike is a whole multiple of it
    class_codes: tuple[tuple[str, int], ...]  # trading class and its number inside option conIds, 1-15
    daily_expiries: bool = False
    stock_type: str = ""
    industry: str = ""
    category: str = ""
    subcategory: str = ""
    shares: float = 0.0
    dividend_months: tuple[int, ...] = ()
    earnings_name: str = ""


def _fund(con_id: int, name: str, codes: tuple[str, int], *, shares: float, daily: bool = False) -> Profile:
    return Profile(
        con_id=con_id,
        long_name=name,
        sec_type="STK",
        primary_exchange="ARCA" if codes[0] != "QQQ" else "NASDAQ",
        option_rule=PENNY_OPTION_RULE,
        strike_unit=1.0,
        class_codes=(codes,),
        daily_expiries=daily,
        stock_type="ETF",
        shares=shares,
        dividend_months=(3, 6, 9, 12),
    )


def _stock(
    con_id: int, name: str, codes: tuple[str, int], trade: tuple[str, str, str], *, shares: float, pays: bool
) -> Profile:
    return Profile(
        con_id=con_id,
        long_name=name,
        sec_type="STK",
        primary_exchange="NASDAQ",
        option_rule=PILOT_RULE,
        strike_unit=2.5,
        class_codes=(codes,),
        stock_type="COMMON",
        industry=trade[0],
        category=trade[1],
        subcategory=trade[2],
        shares=shares,
        dividend_months=(2, 5, 8, 11) if pays else (),
        earnings_name=name.title(),
    )


def _index(con_id: int, name: str, classes: tuple[tuple[str, int], ...], *, unit: float, daily: bool) -> Profile:
    return Profile(
        con_id=con_id,
        long_name=name,
        sec_type="IND",
        primary_exchange="CBOE",
        option_rule=INDEX_RULE,
        strike_unit=unit,
        class_codes=classes,
        daily_expiries=daily,
        industry="Indices",
        category="Broad Range Equity Index",
        subcategory="*",
    )


#: Class number 2 is left out: the conId of QQQ itself lies among the numbers that it would give.
PROFILES: dict[str, Profile] = {
    "SPY": _fund(756733, "SPDR S&P 500 ETF TRUST", ("SPY", 1), shares=7.0e7, daily=True),
    "QQQ": _fund(320227571, "INVESCO QQQ TRUST SERIES 1", ("QQQ", 3), shares=4.5e7),
    "IWM": _fund(9579970, "ISHARES RUSSELL 2000 ETF", ("IWM", 4), shares=3.0e7),
    "AAPL": _stock(
        265598, "APPLE INC", ("AAPL", 5), ("Technology", "Computers", "Computers"), shares=5.0e7, pays=True
    ),
    "MSFT": _stock(
        272093, "MICROSOFT CORP", ("MSFT", 6), ("Technology", "Software", "Applications Software"),
        shares=2.0e7, pays=True,
    ),
    "TSLA": _stock(
        76792991, "TESLA INC", ("TSLA", 7), ("Consumer, Cyclical", "Auto Manufacturers", "Auto-Cars/Light Trucks"),
        shares=9.0e7, pays=False,
    ),
    "SPX": _index(416904, "S&P 500 Stock Index", (("SPX", 8), ("SPXW", 9)), unit=5.0, daily=True),
    "SIM": _fund(110000235, "SIMULATED MARKET FUND", ("SIM", 10), shares=3.0e7),
    "SIMX": _index(110000236, "SIMULATED MARKET INDEX", (("SIMX", 11), ("SIMXW", 12)), unit=25.0, daily=False),
    "SIMT": _stock(
        110000237, "SIMULATED TECHNOLOGY INC", ("SIMT", 13), ("Technology", "Software", "Simulation"),
        shares=1.0e7, pays=False,
    ),
}  # fmt: skip
