"""The official client over a real socket, in its old and its new versions, wherever it is installed."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest


def ibapi(module: str) -> Any:
    """Return a module of the official client."""
    return importlib.import_module(f"ibapi.{module}")


VERSIONS = [178, 157, 164, 170, 176]
if importlib.util.find_spec("ibapi") is None:
    collect_ignore_glob = ["test_*.py"]
else:
    newest = ibapi("server_versions").MAX_CLIENT_VER
    VERSIONS = [each for each in VERSIONS if each <= newest] or [newest]

NOTICES = frozenset({2104, 2106, 2107, 2108, 2119, 2158})
_CLIENT_IDS = itertools.count(901)


@pytest.fixture(scope="session")
def official() -> Callable[[str], Any]:
    """Import a module of the official client."""
    return ibapi


@pytest.fixture(scope="session", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> int:
    """The version of the protocol that the gateway allows."""
    return int(request.param)


class Talk:
    """A connected client: everything that it is told, in order."""

    def __init__(self, host: str, port: int, client_id: int) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.news = threading.Condition()
        self.expected: set[int] = set()
        self.client = ibapi("client").EClient(_recorder(self))
        self.client.connect(host, port, client_id)
        self.thread = threading.Thread(target=self.client.run, daemon=True)
        self.thread.start()
        self._next = itertools.count(1)
        self.order_id = itertools.count(self.wait("nextValidId")["orderId"])

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def new_id(self) -> int:
        """Return a request id."""
        return next(self._next)

    def told(self, name: str, **wanted: Any) -> list[dict[str, Any]]:
        """Return the arguments of the calls of one name so far."""
        with self.news:
            found = [arguments for called, arguments in self.calls if called == name]
        return [one for one in found if all(one.get(key) == value for key, value in wanted.items())]

    def wait(self, name: str, count: int = 1, seconds: float = 30.0, **wanted: Any) -> dict[str, Any]:
        """Wait for a call and return its arguments."""
        end = time.monotonic() + seconds
        while len(found := self.told(name, **wanted)) < count:
            assert time.monotonic() < end, f"no {name} {wanted} within {seconds:g} s"
            with self.news:
                self.news.wait(0.05)
        return found[count - 1]

    def error(self, code: int) -> dict[str, Any]:
        """Wait for an expected error."""
        self.expected.add(code)
        return self.wait("error", errorCode=code)

    def close(self) -> None:
        """Leave."""
        self.client.disconnect()
        self.thread.join(5)


def _recorder(talk: Talk) -> Any:
    wrapper: Any = ibapi("wrapper").EWrapper
    recorder: Any = type("Recorder", (wrapper,), {})
    for name, original in inspect.getmembers(wrapper, inspect.isfunction):
        if name.startswith("_") or name in ("logAnswer", "reset"):
            continue
        signature = inspect.signature(original)

        def record(self: Any, *args: Any, _name: str = name, _signature: Any = signature, **named: Any) -> None:
            arguments = dict(_signature.bind(self, *args, **named).arguments)
            arguments.pop("self", None)
            with talk.news:
                talk.calls.append((_name, arguments))
                talk.news.notify_all()

        # The decoder of the client looks at the parameters of what it calls, and at their kinds.
        record.__signature__ = signature  # type: ignore[attr-defined]
        setattr(recorder, name, record)
    return recorder()


class _Ear(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())


@pytest.fixture
def talk_to() -> Iterator[Callable[..., Talk]]:
    """Connect clients; what they are told must be what the test expects."""
    ear, log, talks = _Ear(), logging.getLogger("ibapi"), []
    log.setLevel(logging.ERROR)
    log.addHandler(ear)

    def connect(gateway: Any, client_id: int | None = None) -> Talk:
        talks.append(Talk(gateway.host, gateway.port, next(_CLIENT_IDS) if client_id is None else client_id))
        return talks[-1]

    yield connect
    for talk in talks:
        talk.close()
    log.removeHandler(ear)
    expected = NOTICES.union(*(talk.expected for talk in talks), {502, 504, -1})
    assert not [one for talk in talks for one in talk.told("error") if one["errorCode"] not in expected]
    assert not ear.heard


@pytest.fixture
def talk(talk_to: Callable[..., Talk], simulator: Any) -> Talk:
    """A connected client."""
    return talk_to(simulator)


@pytest.fixture
def contract() -> Callable[..., Any]:
    """Make a contract."""

    def make(**facts: Any) -> Any:
        made = ibapi("contract").Contract()
        for name, value in {"exchange": "SMART", "currency": "USD", **facts}.items():
            setattr(made, name, value)
        return made

    return make


@pytest.fixture
def spy(contract: Any) -> Any:
    """The stock SPY."""
    return contract(symbol="SPY", secType="STK")


@pytest.fixture
def call(talk: Talk, contract: Any) -> Any:
    """A call on SPY, about a month away and near the money."""
    talk.reqMktData(one := talk.new_id(), contract(symbol="SPY", secType="STK"), "", True, False, [])
    talk.wait("tickSnapshotEnd", reqId=one)
    spot = talk.wait("tickPrice", reqId=one, tickType=4)["price"]
    talk.reqSecDefOptParams(two := talk.new_id(), "SPY", "", "STK", 756733)
    talk.wait("securityDefinitionOptionParameterEnd", reqId=two)
    chain = talk.wait("securityDefinitionOptionParameter", reqId=two, exchange="SMART")
    soonest = time.strftime("%Y%m%d", time.gmtime(time.time() + 25 * 86_400))
    expiry = min(day for day in chain["expirations"] if day >= soonest)
    talk.reqContractDetails(three := talk.new_id(), contract(
        symbol="SPY", secType="OPT", lastTradeDateOrContractMonth=expiry, right="C"
    ))  # fmt: skip
    talk.wait("contractDetailsEnd", reqId=three)
    listed = [one["contractDetails"].contract for one in talk.told("contractDetails", reqId=three)]
    return min(listed, key=lambda one: abs(one.strike - spot))
