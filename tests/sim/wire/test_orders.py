"""Orders in both directions, with every field set and every version gate."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from bifrost_lib.sim import wire

UNSET = wire.UNSET_DOUBLE

#: Fields that only IB sets, or that the protocol does not carry from a client to IB.
NOT_PLACED = {
    "orderId", "clientId", "permId", "basisPoints", "basisPointsType", "autoCancelDate", "filledQuantity",
    "refFuturesConId", "shareholder", "imbalanceOnly", "routeMarketableToBbo", "parentPermId",
}  # fmt: skip
PLACED_SINCE = {
    "duration": 158, "postToAts": 160, "autoCancelParent": 162, "advancedErrorOverride": 166, "manualOrderTime": 169,
}  # fmt: skip
PEGS = {"minTradeQty", "minCompeteSize", "competeAgainstBestOffset", "midOffsetAtWhole", "midOffsetAtHalf"}
BENCHMARK = {
    "referenceContractId", "isPeggedChangeAmountDecrease", "peggedChangeAmount", "referenceChangeAmount",
    "referenceExchangeId",
}  # fmt: skip
COMBO = {"orderComboLegs", "smartComboRoutingParams"}


def full_order(ib: Any, **more: Any) -> Any:
    """Return an order of which no field has its default, so that a field that moved shows."""
    order = ib.Order()
    for number, field in enumerate(dataclasses.fields(order), start=1):
        value = getattr(order, field.name)
        if isinstance(value, bool):
            setattr(order, field.name, not value)
        elif isinstance(value, int):
            setattr(order, field.name, 1000 + number)
        elif isinstance(value, float):
            setattr(order, field.name, number + 0.25)
        elif isinstance(value, str):
            setattr(order, field.name, f"{field.name} {number}")
    order.algoParams = [ib.TagValue("adaptivePriority", "Normal"), ib.TagValue("x", "1")]
    order.smartComboRoutingParams = [ib.TagValue("NonGuaranteed", "1")]
    order.orderMiscOptions = [ib.TagValue("m", "2")]
    order.orderComboLegs = [ib.OrderComboLeg(1.5), ib.OrderComboLeg()]
    order.softDollarTier = ib.SoftDollarTier("tier", "value", "Tier")
    order.conditions = [
        ib.PriceCondition(1, "o", False, 101.5, 77, "SMART", 4),
        ib.TimeCondition(3, "a", True, "20260102 15:00:00 US/Eastern"),
        ib.MarginCondition(4, "a", False, 30),
        ib.ExecutionCondition(5, "o", "STK", "SMART", "SIMA"),
        ib.VolumeCondition(6, "a", True, 5000, 77, "SMART"),
        ib.PercentChangeCondition(7, "a", False, 2.5, 77, "CBOE"),
    ]
    order.orderType = "VOL"
    for name, value in more.items():
        setattr(order, name, value)
    return order


def values(thing: Any, snake: Any) -> Any:
    """Return a client's value, or ours, as something to compare."""
    if isinstance(thing, list | tuple) and not hasattr(thing, "_fields"):
        return [values(each, snake) for each in thing]
    if isinstance(thing, str | int | float | None):
        return thing
    named = thing._asdict() if hasattr(thing, "_asdict") else {f.name: getattr(thing, f.name) for f in _fields(thing)}
    short = {"exch": "exchange"}
    return {short.get(snake(k), snake(k)): values(v, snake) for k, v in named.items() if k != "condType"}


def _fields(thing: Any) -> Any:
    return dataclasses.fields(thing)


def check_order(order: Any, got: wire.Order, names: set[str], snake: Any) -> None:
    for name in sorted(names):
        expected: Any = getattr(order, name)
        # Only volatility orders carry a volatility, whatever the object says; and None is "not set".
        expected = UNSET if expected is None else values(expected, snake)
        found: Any = values(getattr(got, snake(name)), snake)
        if name == "softDollarTier":
            expected["display_name"] = found["display_name"]
        assert found == expected, name


def placed_names(order: Any, version: int, *, combo: bool = False) -> set[str]:
    names = {field.name for field in dataclasses.fields(order)} - NOT_PLACED - PEGS - BENCHMARK - COMBO
    names -= {name for name, since in PLACED_SINCE.items() if version < since}
    return (names - ({"faProfile"} if version >= 177 else set())) | (COMBO if combo else set())


def test_an_order_with_every_field(ib, received, version, snake):
    order = full_order(ib)
    got = received("placeOrder", 12, ib.Stock("SIMA", "SMART", "USD", secIdType="ISIN", secId="US1"), order)
    assert (got.order_id, got.contract.symbol, got.sec_id_type, got.sec_id) == (12, "SIMA", "ISIN", "US1")
    check_order(order, got.order, placed_names(order, version), snake)


def test_an_order_with_nothing_set(ib, received):
    got = received("placeOrder", 12, ib.Stock("SIMA", "SMART", "USD"), ib.Order())
    assert got.order == wire.Order()


def test_a_combination_with_leg_prices(ib, received, version, snake):
    legs = [ib.ComboLeg(11, 1, "BUY", "SMART", 1, 2, "there", 0), ib.ComboLeg(12, 2, "SELL", "CBOE")]
    bag = ib.Contract(
        symbol="SIMA", secType="BAG", exchange="SMART", currency="USD", comboLegs=legs,
        deltaNeutralContract=ib.DeltaNeutralContract(77, 0.5, 101.25),
    )  # fmt: skip
    order = full_order(ib)
    got = received("placeOrder", 12, bag, order)
    assert values(got.contract.combo_legs, snake) == values(legs, snake)
    assert got.contract.delta_neutral_contract == wire.DeltaNeutralContract(77, 0.5, 101.25)
    check_order(order, got.order, placed_names(order, version, combo=True), snake)


@pytest.mark.parametrize(
    ("changes", "exchange", "extra"),
    [
        ({"orderType": "PEG BENCH"}, "SMART", BENCHMARK),
        ({"orderType": "PEG MID"}, "SMART", {"midOffsetAtWhole", "midOffsetAtHalf"}),
        ({"orderType": "PEG BEST"}, "IBKRATS", {"minTradeQty", "minCompeteSize", "competeAgainstBestOffset"}),
        (
            {"orderType": "PEG BEST", "competeAgainstBestOffset": math.inf},
            "IBKRATS",
            {"minTradeQty", "minCompeteSize", "competeAgainstBestOffset", "midOffsetAtWhole", "midOffsetAtHalf"},
        ),
        ({"deltaNeutralOrderType": "", "hedgeType": "", "algoStrategy": "", "conditions": []}, "SMART", set()),
        ({"scalePriceIncrement": UNSET}, "SMART", set()),
    ],
    ids=["pegged to benchmark", "pegged to mid", "pegged to best", "up to mid", "no optional parts", "no scale"],
)
def test_parts_that_depend_on_the_order(ib, received, version, snake, changes, exchange, extra):
    order = full_order(ib, **changes)
    got = received("placeOrder", 12, ib.Stock("SIMA", exchange, "USD"), order)
    names = placed_names(order, version)
    if not order.algoStrategy:
        names -= {name for name in names if name.startswith("deltaNeutral")} | {"hedgeParam", "algoParams"}
        names -= {"conditionsIgnoreRth", "conditionsCancelOrder"}
    if order.scalePriceIncrement == UNSET:
        names -= {
            "scalePriceAdjustValue", "scalePriceAdjustInterval", "scaleProfitOffset", "scaleAutoReset",
            "scaleInitPosition", "scaleInitFillQty", "scaleRandomPercent",
        }  # fmt: skip
    if order.orderType == "PEG BENCH" or version >= 170:
        names |= extra
    check_order(order, got.order, names, snake)


#: What IB does not report back.
NOT_OPEN = {
    "transmit", "overridePercentageConstraints", "scaleTable", "activeStartTime", "activeStopTime", "algoId",
    "orderMiscOptions", "extOperator", "mifid2DecisionMaker", "mifid2DecisionAlgo", "mifid2ExecutionTrader",
    "mifid2ExecutionAlgo", "advancedErrorOverride", "manualOrderTime", "autoCancelDate", "filledQuantity",
    "refFuturesConId", "shareholder", "imbalanceOnly", "routeMarketableToBbo", "parentPermId", "usePriceMgmtAlgo",
}  # fmt: skip
NOT_COMPLETED = {
    "orderId", "clientId", "blockOrder", "eTradeOnly", "firmQuoteOnly", "nbboPriceCap", "auctionStrategy", "parentId",
    "basisPoints", "basisPointsType", "optOutSmartRouting", "whatIf", "adjustedOrderType", "triggerPrice",
    "adjustedStopPrice", "adjustedStopLimitPrice", "adjustedTrailingAmount", "adjustableTrailingUnit",
    "softDollarTier", "discretionaryUpToLimitPrice", "usePriceMgmtAlgo", "duration", "postToAts",
    "deltaNeutralSettlingFirm", "deltaNeutralClearingAccount", "deltaNeutralClearingIntent", "deltaNeutralOpenClose",
}  # fmt: skip


def ours(order: Any, snake: Any) -> wire.Order:
    """Return our order with the values of the client's."""
    kinds = (
        wire.PriceCondition, wire.TimeCondition, wire.MarginCondition, wire.ExecutionCondition, wire.VolumeCondition,
        wire.PercentChangeCondition,
    )  # fmt: skip
    plain = {snake(f.name): getattr(order, f.name) for f in dataclasses.fields(order)}
    plain |= {
        name: tuple(wire.TagValue(*pair) for pair in plain[name])
        for name in ("algo_params", "smart_combo_routing_params", "order_misc_options")
    }
    plain["order_combo_legs"] = tuple(wire.OrderComboLeg(leg.price) for leg in order.orderComboLegs)
    plain["soft_dollar_tier"] = wire.SoftDollarTier("tier", "value", "Tier")
    plain["conditions"] = tuple(
        kind(*list(vars(condition).values())[1:]) for kind, condition in zip(kinds, order.conditions, strict=True)
    )
    return wire.Order(**plain)


CONTRACT = wire.Contract(
    77, "SIMA", "BAG", "20260116", 512.5, "C", "100", "SMART", "", "USD", "SIMA  260116C00512500", "SIMA",
    (wire.ComboLeg(11, 1, "BUY", "SMART", 1, 2, "there", 0), wire.ComboLeg(12, 2, "SELL", "CBOE")), "11|1,12|-2",
    wire.DeltaNeutralContract(78, 0.5, 101.25),
)  # fmt: skip


def state(**more: Any) -> wire.OrderState:
    return wire.OrderState("Submitted", commission=1.25, commission_currency="USD", warning_text="careful", **more)


def test_open_orders_reach_the_client(ib, shown, version, snake):
    order = full_order(ib, orderType="PEG BENCH", usePriceMgmtAlgo=True)
    margins = {"init_margin_before": 1.5, "equity_with_loan_after": 2.5}
    ((name, (order_id, contract, got, status)),) = shown(
        wire.OpenOrder(order.orderId, CONTRACT, ours(order, snake), state(**margins))
    )
    assert (name, order_id) == ("openOrder", order.orderId)
    assert (contract.conId, contract.strike, contract.comboLegsDescrip) == (77, 512.5, "11|1,12|-2")
    assert values(contract.comboLegs, snake) == values(CONTRACT.combo_legs, snake)
    assert values(contract.deltaNeutralContract, snake) == values(CONTRACT.delta_neutral_contract, snake)
    names = {f.name for f in dataclasses.fields(order)} - NOT_OPEN - (PEGS if version < 170 else set())
    # ib_async and ib_insync read the duration one version later than IB sends it.
    names -= {n for n, since in {**PLACED_SINCE, "duration": 159}.items() if version < since}
    names -= {"faProfile"} if version >= 177 else set()
    check_order(got, ours(order, snake), names, snake)
    assert got.usePriceMgmtAlgo is True or got.usePriceMgmtAlgo == 1
    assert (status.status, status.commission, status.warningText) == ("Submitted", 1.25, "careful")
    assert float(status.initMarginBefore) == 1.5
    assert float(status.equityWithLoanAfter) == 2.5
    assert float(status.maintMarginChange) == UNSET
    assert status.minCommission == UNSET


def test_completed_orders_reach_the_client(ib, shown, version, snake):
    order = full_order(ib, orderType="PEG BENCH")
    done = state(completed_time="20260102 15:00:00 EST", completed_status="Filled Size: 1")
    ((name, (contract, got, status)),) = shown(wire.CompletedOrder(CONTRACT, ours(order, snake), done))
    assert name == "completedOrder"
    assert (contract.conId, contract.localSymbol) == (77, "SIMA  260116C00512500")
    from_ib = {
        "autoCancelDate", "filledQuantity", "refFuturesConId", "shareholder", "imbalanceOnly",
        "routeMarketableToBbo", "parentPermId",
    }  # fmt: skip
    names = {f.name for f in dataclasses.fields(order)} - (NOT_OPEN - from_ib) - NOT_COMPLETED
    names -= {"faProfile"} if version >= 177 else set()
    names -= PEGS if version < 170 else set()
    check_order(got, ours(order, snake), names, snake)
    assert (status.status, status.completedTime, status.completedStatus) == (
        "Submitted", "20260102 15:00:00 EST", "Filled Size: 1",
    )  # fmt: skip


def test_an_order_without_a_delta_neutral_part_says_none(shown):
    """IB writes the word, so that eight fields follow; an empty text would shift everything behind it."""
    ((_, (_, _, order, _)),) = shown(wire.OpenOrder(1, wire.Contract(), wire.Order(action="BUY"), state()))
    assert order.deltaNeutralOrderType == "None"
    assert order.totalQuantity == 0
    assert order.lmtPrice == UNSET
