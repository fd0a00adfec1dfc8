"""What is listed: asked once a day, one request for an expiry, expiries in the exchange's dates."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.core.contracts import OptionContract
from bifrost_lib.core.errors import NoDataError, SourceUnavailable
from bifrost_lib.ib.contracts import ContractCache, option_classes_of
from bifrost_lib.ib.errors import GatewayRefusal
from bifrost_lib.ib.mapping import Details, details_of, listed_option_of
from bifrost_lib.ib.records import Underlying

SPX = Underlying("SPX", 416904, "IND", "CBOE", "USD")
THURSDAY, MONTHLY = date(2026, 12, 17), date(2026, 12, 18)


def _details(local_symbol: str, *, trading_class: str, strike: float, right: str, con_id: int, last: str) -> Details:
    return Details(
        symbol="SPX", sec_type="OPT", last_trade=last, strike=str(strike), right=right, exchange="SMART",
        currency="USD", local_symbol=local_symbol, trading_class=trading_class, con_id=str(con_id), min_tick="0.05",
        multiplier="100", long_name="S&P 500", real_expiration="",
    )  # fmt: skip


LISTED = {
    "20261217": [
        _details("SPX   261218C06000000", trading_class="SPX", strike=6000, right="C", con_id=1, last="20261217"),
        _details("SPXW  261217C06000000", trading_class="SPXW", strike=6000, right="C", con_id=2, last="20261217"),
    ],
    "20261218": [
        _details("SPXW  261218P06000000", trading_class="SPXW", strike=6000, right="P", con_id=3, last="20261218"),
    ],
}


class _Requests:
    """Stands in for a connection: records what was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.failing = False

    async def request(self, what: str, send: Callable[[Any, int], None], *, patience_s: float = 0.0) -> list[Any]:
        asked: dict[str, Any] = {}
        send(SimpleNamespace(request_contracts=lambda _, **query: asked.update(query)), 1)
        self.asked.append(asked)
        await asyncio.sleep(0.01)
        if self.failing:
            raise SourceUnavailable("IB gateway", "the connection was lost")
        if asked["sec_type"] != "OPT":
            raise GatewayRefusal(what, 200, "No security definition has been found for the request")
        return LISTED.get(asked["expiry"], [])


def _cache() -> tuple[ContractCache, _Requests, SteppedClock]:
    clock, requests = SteppedClock(datetime(2026, 11, 20, 15, tzinfo=UTC)), _Requests()
    return ContractCache(clock, requests), requests, clock


def test_both_classes_of_an_index_monthly_are_found():
    """The class that settles on the opening is listed by the day before."""
    cache, requests, _ = _cache()
    options = asyncio.run(cache.listed_options(SPX, expiries=[MONTHLY]))
    assert [option.con_id for option in options] == [1, 3]
    assert [asked["expiry"] for asked in requests.asked] == ["20261217", "20261218"]
    monthly, weekly = (option.contract for option in options)
    assert (monthly.expiry, monthly.settlement, monthly.style) == (MONTHLY, "AM", "european")
    assert (weekly.trading_class, weekly.settlement, weekly.right) == ("SPXW", "PM", "P")
    assert options[0].min_tick == 0.05


def test_a_class_can_be_chosen_and_neighbouring_expiries_do_not_leak_in():
    cache, _, _ = _cache()
    options = asyncio.run(cache.listed_options(SPX, expiries=[MONTHLY], trading_class="SPX"))
    assert [option.con_id for option in options] == [1]
    options = asyncio.run(cache.listed_options(SPX, expiries=[THURSDAY]))
    assert [option.con_id for option in options] == [2]


def test_an_expiry_is_asked_for_once_a_day_even_by_many_at_once():
    async def main() -> tuple[int, int]:
        cache, requests, clock = _cache()
        await asyncio.gather(*(cache.listed_options(SPX, expiries=[MONTHLY]) for _ in range(5)))
        await cache.listed_options(SPX, expiries=[MONTHLY])
        same_day = len(requests.asked)
        clock.advance(timedelta(days=1))
        await cache.listed_options(SPX, expiries=[MONTHLY])
        return same_day, len(requests.asked)

    assert asyncio.run(main()) == (2, 4)


def test_a_failure_is_not_remembered():
    async def main() -> int:
        cache, requests, _ = _cache()
        requests.failing = True
        with pytest.raises(SourceUnavailable):
            await cache.listed_options(SPX, expiries=[MONTHLY])
        requests.failing = False
        return len(await cache.listed_options(SPX, expiries=[MONTHLY]))

    assert asyncio.run(main()) == 2


def test_an_answer_that_lists_nothing_is_not_remembered():
    """IB also says that there is no such contract while its definitions are out of reach."""

    async def ask() -> int:
        cache, requests, _ = _cache()
        for _ in range(2):
            assert await cache.listed_options(SPX, expiries=[date(2026, 12, 23)]) == []
        return len(requests.asked)

    assert asyncio.run(ask()) == 2


def test_one_who_stops_waiting_does_not_take_the_answer_from_the_others():
    async def main() -> int:
        cache, _, _ = _cache()
        first = asyncio.create_task(cache.listed_options(SPX, expiries=[THURSDAY]))
        second = asyncio.create_task(cache.listed_options(SPX, expiries=[THURSDAY]))
        await asyncio.sleep(0.001)
        first.cancel()
        return len(await second)

    assert asyncio.run(main()) == 1


def test_an_unknown_symbol_says_so():
    cache, requests, _ = _cache()
    with pytest.raises(NoDataError) as error:
        asyncio.run(cache.underlying("NOPE"))
    assert error.value.facts == {"symbol": "NOPE"}
    assert [asked["sec_type"] for asked in requests.asked] == ["STK", "IND"]


def test_classes_are_merged_over_exchanges_and_dated_by_their_expiry():
    rows = [
        ("SMART", 1, "SPX", "100", ["20261217"], [5900.0, 6000.0]),
        ("CBOE", 1, "SPX", "100", ["20261217", "20270114"], [6000.0, 6100.0]),
        ("SMART", 1, "SPXW", "100", ["20261217", "20261218"], [6000.0]),
    ]
    monthly, weekly = option_classes_of(rows)
    assert monthly.trading_class == "SPX" and monthly.expiries == (MONTHLY, date(2027, 1, 15))
    assert monthly.strikes == (5900.0, 6000.0, 6100.0) and monthly.multiplier == 100.0
    assert weekly.expiries == (THURSDAY, MONTHLY)


@pytest.mark.parametrize("version", [157, 163, 164, 176, 178])
def test_details_are_read_in_every_version(version):
    old = version < 164
    told = [
        "10", *(["8"] if old else []), "7", "SPX", "OPT", "20261218 17:00:00 US/Eastern", "6000.5", "P", "SMART", "USD",
        "", "SPXW", "SPXW", "5", "0.05", *(["100"] if old else []), "100", "LMT", "SMART", "1", "416904", "S&P 500",
        "", "202612", "", "", "", "US/Eastern", "", "", "", "", "2", "ISIN", "XX1", "CUSIP", "1", "1", "SPX", "IND",
        "110", "20261221", "",
    ]  # fmt: skip
    req_id, details = details_of([word.encode() for word in told], server_version=version)
    option = listed_option_of(details)
    assert (req_id, details.long_name, details.sec_type) == (7, "S&P 500", "OPT")
    assert option is not None and (option.con_id, option.min_tick) == (5, 0.05)
    assert option.contract == OptionContract(
        "SPX", date(2026, 12, 21), 6000.5, "P", trading_class="SPXW", style="european"
    )
