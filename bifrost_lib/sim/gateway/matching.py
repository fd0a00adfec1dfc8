"""Which instruments a contract of a request means."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from bifrost_lib.core.calendar import exchange_date, is_session, previous_session
from bifrost_lib.sim.exchange import Market
from bifrost_lib.sim.gateway.registry import Refusal, invalid
from bifrost_lib.sim.instruments import Instrument
from bifrost_lib.sim.wire import Contract

_RIGHTS = {"": "", "?": "", "0": "", "C": "C", "CALL": "C", "P": "P", "PUT": "P"}
#: Types of security that clients may ask for and that this exchange does not list.
_UNLISTED = frozenset(
    ["FUT", "FOP", "CASH", "CFD", "BOND", "CMDTY", "CRYPTO", "FUND", "WAR", "IOPT", "NEWS", "CONTFUT"]
)


@lru_cache(maxsize=4096)
def last_trade_date(expiry: date, settlement: str) -> str:
    """Return the last trading day as YYYYMMDD: of options that settle on the opening, the session before expiry."""
    day = expiry if is_session(expiry) else previous_session(expiry)
    return f"{previous_session(day) if settlement == 'AM' else day:%Y%m%d}"


def last_trade_of(instrument: Instrument) -> str:
    """Return the last trading day of an option as YYYYMMDD, "" for anything else."""
    return last_trade_date(instrument.expiry, instrument.settlement) if instrument.expiry else ""


@dataclass(frozen=True)
class _Listed:
    every: tuple[Instrument, ...]
    by_last_trade: dict[str, list[Instrument]]
    by_strike: dict[tuple[str, float], list[Instrument]]
    by_local_symbol: dict[str, Instrument]


class ContractIndex:
    """Finds instruments by complete or partial contracts, from tables that last for one day of the market."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._day = date.min
        self._listed: dict[str, _Listed] = {}

    def forget(self) -> None:
        """Look anew: instruments were added."""
        self._listed = {}

    def listed(self, symbol: str) -> tuple[Instrument, ...]:
        """Return every listed option on `symbol`."""
        return self._options(symbol).every

    def find(self, wanted: Contract, *, expired: bool = False) -> list[Instrument]:
        """Return the instruments that fit, in the exchange's order; none when there is no such contract.

        Raises
        ------
        Refusal
            321 when nothing says what kind of security is meant, 478 when the conId is another contract's.
        """
        if wanted.con_id:
            return self._by_con_id(wanted, expired=expired)
        if wanted.sec_type == "OPT":
            return self._find_options(wanted)
        if wanted.sec_type in _UNLISTED:
            return []
        if wanted.sec_type not in ("STK", "IND"):
            raise invalid("Please enter a valid security type")
        symbol = wanted.symbol or wanted.local_symbol
        found = self._market.instruments.underlying(symbol)
        return [found] if found is not None and _fits_underlying(found, wanted) else []

    def one(self, wanted: Contract) -> Instrument:
        """Return the only instrument that fits.

        Raises
        ------
        Refusal
            200 when there is none, or more than one.
        """
        found = self.find(wanted)
        if len(found) == 1:
            return found[0]
        if found:
            raise Refusal(200, kind="ambiguous", symbol=wanted.local_symbol or wanted.symbol)
        raise Refusal(200)

    def _by_con_id(self, wanted: Contract, *, expired: bool) -> list[Instrument]:
        found = self._market.instruments.by_con_id(wanted.con_id)
        if found is None or not _on_exchange(found, wanted.exchange):
            return []
        last_trade = last_trade_of(found)
        if wanted.expiry and last_trade and not last_trade.startswith(wanted.expiry[:8]):
            raise Refusal(478, field="expiry", given=wanted.expiry, known=last_trade)
        if found.expiry is not None and not expired and found.expiry < exchange_date(self._market.clock.now()):
            return []
        return [found]

    def _find_options(self, wanted: Contract) -> list[Instrument]:
        if wanted.right.upper() not in _RIGHTS:
            raise invalid("Please enter a valid right: C or P")
        symbol = wanted.symbol or (wanted.local_symbol or wanted.trading_class)[:6].strip()
        listed = self._options(symbol)
        if not listed.every and wanted.local_symbol:
            listed = self._options(_underlying_of(symbol))
        if wanted.local_symbol:
            one = listed.by_local_symbol.get(_squeezed(wanted.local_symbol))
            candidates = [one] if one else []
        elif len(wanted.expiry) >= 8:
            day = wanted.expiry[:8]
            candidates = (
                listed.by_strike.get((day, wanted.strike), []) if wanted.strike else listed.by_last_trade.get(day, [])
            )
        else:
            candidates = list(listed.every)
        return [option for option in candidates if _fits_option(option, wanted)]

    def _options(self, symbol: str) -> _Listed:
        today = exchange_date(self._market.clock.now())
        if today != self._day:
            self._day, self._listed = today, {}
        known = self._listed.get(symbol)
        if known is None:
            known = self._listed[symbol] = _tabulate(tuple(self._market.instruments.options(symbol)))
        return known


def _tabulate(options: tuple[Instrument, ...]) -> _Listed:
    by_last_trade: dict[str, list[Instrument]] = defaultdict(list)
    by_strike: dict[tuple[str, float], list[Instrument]] = defaultdict(list)
    for option in options:
        day = last_trade_of(option)
        by_last_trade[day].append(option)
        by_strike[day, option.strike].append(option)
    return _Listed(
        options, dict(by_last_trade), dict(by_strike), {_squeezed(option.local_symbol): option for option in options}
    )


def _squeezed(local_symbol: str) -> str:
    return local_symbol.replace(" ", "")


def _underlying_of(trading_class: str) -> str:
    from bifrost_lib.core.contracts import class_convention

    return class_convention(trading_class).symbol


def _on_exchange(instrument: Instrument, exchange: str) -> bool:
    return not exchange or exchange == instrument.exchange or exchange in instrument.valid_exchanges


def _fits_underlying(found: Instrument, wanted: Contract) -> bool:
    return (
        found.sec_type == wanted.sec_type
        and _on_exchange(found, wanted.exchange)
        and wanted.currency in ("", found.currency)
        and wanted.primary_exchange in ("", found.primary_exchange, found.exchange)
        and wanted.local_symbol in ("", found.local_symbol)
    )


def _fits_option(option: Instrument, wanted: Contract) -> bool:
    return (
        (not wanted.strike or abs(option.strike - wanted.strike) < 1e-9)
        and _RIGHTS[wanted.right.upper()] in ("", option.right)
        and wanted.trading_class in ("", option.trading_class)
        and (not wanted.expiry or last_trade_of(option).startswith(wanted.expiry[:8]))
        and _on_exchange(option, wanted.exchange)
        and wanted.currency in ("", option.currency)
        and (not wanted.multiplier or float(wanted.multiplier) == option.multiplier)
        and wanted.symbol in ("", option.symbol)
    )
