"""What IB lists, asked once a day: underlyings, option classes, and all options of an expiry in one request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any, Protocol, TypeVar

from bifrost_lib.core.calendar import exchange_date, is_session, next_session, previous_session, third_friday
from bifrost_lib.core.clock import Clock
from bifrost_lib.core.contracts import INDEX_CLASSES, class_convention
from bifrost_lib.core.errors import NoDataError
from bifrost_lib.ib.client import Client
from bifrost_lib.ib.errors import Category, GatewayRefusal
from bifrost_lib.ib.mapping import date_of, ib_date, listed_option_of, underlying_of
from bifrost_lib.ib.records import ListedOption, OptionClass, Underlying

T = TypeVar("T")

#: IB gathers the strikes of an expiry while one waits; large classes take it a while.
CHAIN_PATIENCE_S = 60.0
_INDICES = frozenset(convention.symbol for convention in INDEX_CLASSES.values())


class Requests(Protocol):
    """Whatever can send a request and gather the rows of its answer."""

    async def request(
        self, what: str, send: Callable[[Client, int], None], *, patience_s: float = 0.0
    ) -> list[Any]: ...


class ContractCache:
    """Answers from memory what was asked before on the same day of the exchange."""

    def __init__(self, clock: Clock, requests: Requests) -> None:
        self._clock, self._requests = clock, requests
        self._day = date.min
        self._known: dict[tuple[str, ...], asyncio.Future[Any]] = {}

    async def underlying(self, symbol: str) -> Underlying:
        """Return the stock, fund or index of that symbol.

        Raises
        ------
        NoDataError
            If IB knows none.
        """
        return await self._once(("underlying", symbol), lambda: self._underlying(symbol))

    async def option_classes(self, underlying: Underlying) -> list[OptionClass]:
        """Return what is listed on an underlying, one entry for each trading class, sorted by it."""
        return await self._once(("classes", str(underlying.con_id)), lambda: self._option_classes(underlying))

    async def listed_options(
        self, underlying: Underlying, *, expiries: Sequence[date], trading_class: str | None = None
    ) -> list[ListedOption]:
        """Return every listed option of the given expiries, sorted; all their classes unless one is named."""
        wanted = set(expiries)
        found: dict[int, ListedOption] = {}
        texts = sorted({text for expiry in wanted for text in _last_trading_days(underlying.symbol, expiry)})
        # All at once: while IB gathers the strikes of one expiry, the answer to another is read.
        answers = [
            self._once(("options", underlying.symbol, text), partial(self._options_of, underlying, text))
            for text in texts
        ]
        for options in await asyncio.gather(*answers):
            for option in options:
                if option.contract.expiry in wanted and trading_class in (None, option.contract.trading_class):
                    found[option.con_id] = option
        return sorted(found.values(), key=_order)

    async def _once(self, key: tuple[str, ...], ask: Callable[[], Awaitable[T]]) -> T:
        """Ask once a day; whoever comes while the answer is on its way waits for the same one."""
        today = exchange_date(self._clock.now())
        if today != self._day:
            self._day, self._known = today, {}
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = asyncio.ensure_future(ask())
        try:
            answer: T = await asyncio.shield(known)
        except BaseException:
            self._forget(key, known)
            raise
        if not answer:  # IB also says "no such contract" while its definitions are out of reach
            self._forget(key, known)
        return answer

    def _forget(self, key: tuple[str, ...], known: asyncio.Future[Any]) -> None:
        if known.done() and self._known.get(key) is known:
            del self._known[key]

    async def _underlying(self, symbol: str) -> Underlying:
        kinds = [("STK", "SMART"), ("IND", "")]
        for sec_type, exchange in reversed(kinds) if symbol in _INDICES else kinds:
            rows = await self._contracts(symbol=symbol, sec_type=sec_type, exchange=exchange, currency="USD")
            if rows:
                return underlying_of(rows[0])
        raise NoDataError("stock, fund or index at IB", symbol=symbol, hint="check the spelling of the symbol")

    async def _contracts(self, *, patience_s: float = 0.0, **query: Any) -> list[Any]:
        def send(client: Client, req_id: int) -> None:
            client.request_contracts(req_id, **query)

        try:
            return await self._requests.request(f"contracts of {query['symbol']}", send, patience_s=patience_s)
        except GatewayRefusal as error:
            if error.verdict.category is Category.NO_SECURITY:
                return []
            raise

    async def _option_classes(self, underlying: Underlying) -> list[OptionClass]:
        def send(client: Client, req_id: int) -> None:
            client.request_option_classes(req_id, underlying.symbol, underlying.sec_type, underlying.con_id)

        rows = await self._requests.request(f"option classes of {underlying.symbol}", send)
        return option_classes_of(rows)

    async def _options_of(self, underlying: Underlying, last_trading_day: str) -> list[ListedOption]:
        rows = await self._contracts(
            symbol=underlying.symbol,
            sec_type="OPT",
            exchange="SMART",
            currency=underlying.currency,
            expiry=last_trading_day,
            patience_s=CHAIN_PATIENCE_S,
        )
        return [option for row in rows if (option := listed_option_of(row)) is not None]


def option_classes_of(rows: Iterable[tuple[Any, ...]]) -> list[OptionClass]:
    """Merge IB's rows, one for each exchange, into one entry for each trading class.

    Parameters
    ----------
    rows : iterable of (exchange, underlying con_id, trading class, multiplier text, dates, strikes)
    """
    merged: dict[tuple[str, float], tuple[set[date], set[float]]] = {}
    for _, _, trading_class, multiplier, dates, strikes in rows:
        expiries, known = merged.setdefault((trading_class, float(multiplier or 100.0)), (set(), set()))
        expiries.update(_expiry_of(trading_class, day) for text in dates if (day := date_of(text)) is not None)
        known.update(float(strike) for strike in strikes)
    return [
        OptionClass(trading_class, multiplier, tuple(sorted(expiries)), tuple(sorted(strikes)))
        for (trading_class, multiplier), (expiries, strikes) in sorted(merged.items())
    ]


def _expiry_of(trading_class: str, last_trading_day: date) -> date:
    # IB lists AM-settled classes by the day before they settle; a date that can settle is an expiry already.
    if class_convention(trading_class).settlement == "AM" and not _settles_on_opening(trading_class, last_trading_day):
        following = next_session(last_trading_day)
        return following if _settles_on_opening(trading_class, following) else last_trading_day
    return last_trading_day


def _last_trading_days(symbol: str, expiry: date) -> set[str]:
    days = {ib_date(expiry)}
    for trading_class, convention in INDEX_CLASSES.items():
        is_am = convention.symbol == symbol and convention.settlement == "AM"
        if is_am and _settles_on_opening(trading_class, expiry):
            days.add(ib_date(previous_session(expiry)))
    return days


def _settles_on_opening(trading_class: str, day: date) -> bool:
    if trading_class in ("VIX", "VIXW"):  # 30 days before a third Friday: some Wednesday, or the day before a holiday
        return is_session(day) and day.weekday() in (1, 2)
    return day == third_friday(day.year, day.month) or _is_quarter_end(day)


def _is_quarter_end(day: date) -> bool:
    return day.month % 3 == 0 and (day + timedelta(days=1)).day == 1


def _order(option: ListedOption) -> tuple[str, date, float, str]:
    contract = option.contract
    return contract.trading_class, contract.expiry, contract.strike, contract.right
