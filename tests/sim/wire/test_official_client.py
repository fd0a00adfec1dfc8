"""The same with the official client, wherever it is installed; it is not on the package index in its new versions."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from bifrost_lib.sim import wire

ibapi = pytest.importorskip("ibapi", reason="the official client is not installed here")

from ibapi.client import EClient  # type: ignore[import-not-found, unused-ignore]  # noqa: E402
from ibapi.decoder import Decoder  # type: ignore[import-not-found, unused-ignore]  # noqa: E402
from ibapi.server_versions import MAX_CLIENT_VER  # type: ignore[import-not-found, unused-ignore]  # noqa: E402
from ibapi.wrapper import EWrapper  # type: ignore[import-not-found, unused-ignore]  # noqa: E402

VERSIONS = [v for v in (151, 152, 153, 155, 156, 157, 164, 170, 176, 178) if v <= MAX_CLIENT_VER]
OPTION = wire.Contract(77, "SIMA", "OPT", "20260116", 512.5, "C", "100", "SMART", "", "USD", "SIMA 2026", "SIMA")


@pytest.fixture(params=VERSIONS)
def version(request):
    return request.param


@pytest.fixture
def received(version):
    def exchange(method: str, *args: Any) -> Any:
        sent: list[str] = []
        client = EClient(EWrapper())
        client.clientId = 31
        client.isConnected = lambda: True
        client.serverVersion = lambda: version
        # Before 10.30 the number of the message is its first field, later it comes beside it.
        client.sendMsg = lambda *parts: sent.append("\0".join(str(getattr(p, "value", p)) for p in parts))
        getattr(client, method)(*args)
        return wire.decode_request(sent[0].split("\0")[:-1], version)

    return exchange


@pytest.fixture
def shown(version):
    def exchange(message: Any) -> list[tuple[str, tuple[Any, ...]]]:
        calls: list[tuple[str, tuple[Any, ...]]] = []

        class Recorder(EWrapper):  # type: ignore[misc, unused-ignore]
            pass

        for name in dir(EWrapper):
            if not name.startswith("_") and name not in {"logAnswer"}:
                # Plain functions with the parameters' names of the original, which the decoder looks at.
                original = getattr(EWrapper, name)

                def record(self: Any, *args: Any, _name: str = name) -> None:
                    calls.append((_name, args))

                record.__signature__ = inspect.signature(original)  # type: ignore[attr-defined]
                setattr(Recorder, name, record)
        decoder = Decoder(Recorder(), version)
        body = wire.encode(message, version)[4:]
        fields = tuple(body.split(b"\0")[:-1])
        # The same with what is read: the number is the first field, or it comes beside the others.
        takes_number = "msgId" in inspect.signature(decoder.interpret).parameters
        decoder.interpret(*((fields[1:], int(fields[0])) if takes_number else (fields,)))
        return calls

    return exchange


def contract() -> Any:
    from ibapi.contract import Contract  # type: ignore[import-not-found, unused-ignore]

    c = Contract()
    c.conId, c.symbol, c.secType, c.lastTradeDateOrContractMonth = 77, "SIMA", "OPT", "20260116"
    c.strike, c.right, c.multiplier, c.exchange, c.currency = 512.5, "C", "100", "SMART", "USD"
    c.localSymbol, c.tradingClass = "SIMA 2026", "SIMA"
    return c


def test_requests_of_data(received):
    assert received("reqMktData", 5, contract(), "100,101", False, False, []) == wire.ReqMktData(5, OPTION, "100,101")
    assert received("reqContractDetails", 5, contract()) == wire.ReqContractDetails(5, OPTION)
    got = received("reqHistoricalData", 5, contract(), "", "5 D", "1 day", "TRADES", 1, 2, False, [])
    assert got == wire.ReqHistoricalData(5, OPTION, False, "", "1 day", "5 D", True, "TRADES", 2)
    assert received("reqSecDefOptParams", 5, "SIMA", "", "STK", 7) == wire.ReqSecDefOptParams(5, "SIMA", "", "STK", 7)
    assert received("reqAccountUpdates", True, "DU1") == wire.ReqAccountUpdates(True, "DU1")
    assert received("reqPositions") == wire.ReqPositions()
    assert received("startApi") == wire.StartApi(31)


def test_orders(received):
    from ibapi.order import Order  # type: ignore[import-not-found, unused-ignore]
    from ibapi.order_condition import PriceCondition  # type: ignore[import-not-found, unused-ignore]
    from ibapi.tag_value import TagValue  # type: ignore[import-not-found, unused-ignore]

    order = Order()
    order.action, order.totalQuantity, order.orderType, order.lmtPrice, order.tif = "BUY", 3, "LMT", 1.25, "DAY"
    order.algoStrategy, order.algoParams = "Adaptive", [TagValue("adaptivePriority", "Normal")]
    order.conditions = [PriceCondition(2, 77, "SMART", True, 101.5)]
    got = received("placeOrder", 12, contract(), order)
    assert (got.order_id, got.contract) == (12, OPTION)
    assert (got.order.action, got.order.total_quantity, got.order.lmt_price, got.order.tif) == ("BUY", 3.0, 1.25, "DAY")
    assert got.order.algo_params == (wire.TagValue("adaptivePriority", "Normal"),)
    (condition,) = got.order.conditions
    assert (condition.con_id, condition.exchange, condition.price) == (77, "SMART", 101.5)
    assert (got.order.aux_price, got.order.trigger_price) == (wire.UNSET_DOUBLE, wire.UNSET_DOUBLE)


def test_ticks(shown):
    (name, args), (size_name, size_args) = shown(wire.TickPrice(5, 1, 101.25, 300.0, 1))
    assert (name, args[:3], size_name, [float(a) for a in size_args]) == (
        "tickPrice", (5, 1, 101.25), "tickSize", [5.0, 0.0, 300.0],
    )  # fmt: skip
    ((name, args),) = shown(wire.TickOptionComputation(5, 13, 1, 0.25, 0.5, 3.5, 0.125, 0.0625, 0.75, -0.5, 101.5))
    assert (name, args[-8:]) == ("tickOptionComputation", (0.25, 0.5, 3.5, 0.125, 0.0625, 0.75, -0.5, 101.5))


def test_orders_come_back(shown):
    order = wire.Order(action="BUY", total_quantity=3.0, order_type="LMT", lmt_price=1.25, use_price_mgmt_algo=True)
    ((name, (order_id, c, got, state)),) = shown(wire.OpenOrder(12, OPTION, order, wire.OrderState("Submitted")))
    assert (name, order_id, c.conId, c.tradingClass, state.status) == ("openOrder", 12, 77, "SIMA", "Submitted")
    assert (got.action, float(got.totalQuantity), got.lmtPrice) == ("BUY", 3.0, 1.25)
    assert bool(got.usePriceMgmtAlgo) is True
    ((name, (c, got, state)),) = shown(
        wire.CompletedOrder(OPTION, order, wire.OrderState("Filled", completed_status="Filled Size: 3"))
    )
    assert (name, c.conId, state.status, state.completedStatus) == ("completedOrder", 77, "Filled", "Filled Size: 3")


def test_contracts_and_executions(shown, version):
    details = wire.ContractData(
        6, OPTION, "20260116", min_tick=0.01, long_name="Simulated Café", stock_type="ETF", under_symbol="SIMA"
    )
    ((name, (_, got)),) = shown(details)
    assert (name, got.contract.conId, got.longName, got.minTick) == ("contractDetails", 77, "Simulated Café", 0.01)
    assert (got.underSymbol, got.stockType) == ("SIMA", "ETF" if version >= 152 else "")
    sent = wire.ExecutionData(-1, 12, OPTION, "0001.01", "20260102 10:00:00", "DU1", "CBOE", "BOT", 3.0, 1.25, 991)
    ((name, (_, c, execution)),) = shown(sent)
    assert (name, c.conId, float(execution.shares), execution.permId) == ("execDetails", 77, 3.0, 991)


def test_notices_and_positions(shown):
    ((name, args),) = shown(wire.error(2104, farm="usfarm"))
    code = args.index(2104)  # new versions tell a time before it
    assert (name, args[0], args[code + 1]) == ("error", -1, "Market data farm connection is OK:usfarm")
    ((name, (account, c, position, cost)),) = shown(wire.PositionData("DU1", OPTION, 3.0, 140.5))
    assert (name, account, c.conId, float(position), cost) == ("position", "DU1", 77, 3.0, 140.5)
