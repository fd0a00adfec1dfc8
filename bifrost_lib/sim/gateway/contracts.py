"""Contract details, option chains, symbol search, market rules, exchanges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable

from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.sim.gateway.describe import details_of
from bifrost_lib.sim.gateway.matching import last_trade_of
from bifrost_lib.sim.gateway.registry import Refusal, handles, invalid
from bifrost_lib.sim.gateway.session import Session
from bifrost_lib.sim.instruments import Instrument
from bifrost_lib.sim.wire import (
    ContractDataEnd,
    DepthExchange,
    MarketRule,
    MktDepthExchanges,
    PriceIncrement,
    ReqContractDetails,
    ReqMarketRule,
    ReqMatchingSymbols,
    ReqMktDepthExchanges,
    ReqSecDefOptParams,
    ReqSmartComponents,
    SecDefOptParams,
    SecDefOptParamsEnd,
    SmartComponent,
    SmartComponents,
    SymbolSample,
    SymbolSamples,
    encode,
    frame,
)
from bifrost_lib.sim.wire.fields import number_text

#: Up to this version a text precedes the request's id in contract details.
_UNTIL_PREFIX = 163
MOST_SAMPLES = 16
MOST_DETAILS = 10_000
#: Where an option's strike, right, local symbol and contract id stand behind the request's id, in every version.
_OWN = (3, 4, 7, 10)


@handles(ReqContractDetails)
def contract_details(session: Session, message: ReqContractDetails) -> None:
    """Send every contract that fits, or error 200."""
    gateway = session.gateway
    if gateway.faults.farm_is_broken("secdef"):
        raise Refusal(200)
    found = gateway.index.find(message.contract, expired=message.include_expired)
    if not found:
        raise Refusal(200)
    today = exchange_date(gateway.market.clock.now())
    for instrument in found:
        session.write(_details_frame(session, message.req_id, instrument, today.toordinal(), message.contract.exchange))
    session.send(ContractDataEnd(message.req_id))


def _details_frame(session: Session, req_id: int, instrument: Instrument, day: int, exchange: str) -> bytes:
    # Details are long, and those of the options of one class and expiry differ in four fields only.
    gateway, is_option = session.gateway, instrument.sec_type == "OPT"
    key = (_kind(instrument) if is_option else instrument.con_id, day, exchange, session.version)
    words = gateway.details.get(key)
    if words is None:
        words = _details_words(session, instrument, exchange)
        oldest = next(iter(gateway.details), key)
        if oldest[1] != day or len(gateway.details) > MOST_DETAILS:
            gateway.details.clear()
        gateway.details[key] = words
    if is_option:
        own = (number_text(instrument.strike), instrument.right, instrument.local_symbol, str(instrument.con_id))
        words = [*words]
        for place, word in zip(_OWN, own, strict=True):
            words[place] = word
    prefix = "10\x008" if session.version <= _UNTIL_PREFIX else "10"
    return frame("\0".join([prefix, str(req_id), *words]))


def _kind(option: Instrument) -> Hashable:
    """Return what options have in common whose details differ in their own words only."""
    return (
        option.under_con_id, option.trading_class, option.expiry, option.settlement, option.multiplier,
        option.market_rule_id,
    )  # fmt: skip


def _details_words(session: Session, instrument: Instrument, exchange: str) -> list[str]:
    """Return the fields that follow the request's id."""
    market = session.gateway.market
    under = market.instruments.by_con_id(instrument.under_con_id) if instrument.under_con_id else None
    today = exchange_date(market.clock.now())
    details = details_of(instrument, under, today=today, around_the_clock=market.always_open, exchange=exchange)
    skipped = 3 if session.version <= _UNTIL_PREFIX else 2
    return encode(details, session.version)[4:].decode().split("\0")[skipped:]


@handles(ReqSecDefOptParams)
def option_chains(session: Session, message: ReqSecDefOptParams) -> None:
    """Send expiries and strikes of each trading class, on each exchange that lists it."""
    gateway = session.gateway
    under = gateway.market.instruments.by_con_id(message.und_con_id)
    if under is None or under.symbol != message.und_symbol or under.sec_type == "OPT":
        raise Refusal(321, kind="contract id")
    by_class: dict[str, list[Instrument]] = defaultdict(list)
    if not message.fut_fop_exchange:
        for option in gateway.index.listed(under.symbol):
            by_class[option.trading_class].append(option)
    for trading_class, options in by_class.items():
        expiries = tuple(sorted({last_trade_of(option) for option in options}))
        strikes = tuple(sorted({option.strike for option in options}))
        for exchange in options[0].valid_exchanges:
            session.send(SecDefOptParams(
                message.req_id, exchange, under.con_id, trading_class, f"{options[0].multiplier:g}", expiries, strikes
            ))  # fmt: skip
    session.send(SecDefOptParamsEnd(message.req_id))


@handles(ReqMatchingSymbols)
def matching_symbols(session: Session, message: ReqMatchingSymbols) -> None:
    """Send the underlyings whose symbol or name matches."""
    found = session.gateway.market.instruments.search(message.pattern)[:MOST_SAMPLES]
    session.send(SymbolSamples(message.req_id, tuple(
        SymbolSample(one.con_id, one.symbol, one.sec_type, one.primary_exchange, one.currency, ("OPT",), one.long_name)
        for one in found
    )))  # fmt: skip


@handles(ReqMarketRule)
def market_rule(session: Session, message: ReqMarketRule) -> None:
    """Send the price increments of a rule."""
    for instrument in _one_of_each(session):
        if instrument.market_rule_id == message.rule_id:
            increments = tuple(PriceIncrement(low, step) for low, step in instrument.ticks)
            session.send(MarketRule(message.rule_id, increments))
            return
    raise invalid(f"Invalid market rule id {message.rule_id}")


def _one_of_each(session: Session) -> Iterable[Instrument]:
    gateway = session.gateway
    for under in gateway.market.instruments.underlyings():
        yield under
        yield from {option.market_rule_id: option for option in gateway.index.listed(under.symbol)}.values()


@handles(ReqMktDepthExchanges)
def depth_exchanges(session: Session, _: ReqMktDepthExchanges) -> None:
    """Send the exchanges that show order books."""
    exchanges = sorted({one.primary_exchange for one in session.gateway.market.instruments.underlyings()
                        if one.sec_type == "STK"})  # fmt: skip
    session.send(MktDepthExchanges(tuple(DepthExchange(name, "STK", "", "Deep2", 1) for name in exchanges)))


@handles(ReqSmartComponents)
def smart_components(session: Session, message: ReqSmartComponents) -> None:
    """Send what the letters of an exchange key stand for."""
    names = sorted({name for one in session.gateway.market.instruments.underlyings() for name in one.valid_exchanges
                    if name != "SMART"})  # fmt: skip
    session.send(SmartComponents(message.req_id, tuple(
        SmartComponent(bit, name, chr(ord("A") + bit)) for bit, name in enumerate(names[:26])
    )))  # fmt: skip
