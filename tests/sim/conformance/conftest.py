"""What an unmodified client must get from a gateway over a real socket; one source for both Python clients.

``BIFROST_IB_CLIENT`` names the client's package, ib_async or ib_insync. Nothing here imports the product, so that the
checks also run in an environment that holds nothing but a client; ``CONFORMANCE_PYTHON`` is then the interpreter that
runs the simulator. ``IB_PAPER_GATEWAY=host:port`` runs the checks that only read against a real paper gateway.
"""

from __future__ import annotations

import asyncio
import importlib
import itertools
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = os.environ.get("BIFROST_IB_CLIENT") or "ib_async"
PYTHON = os.environ.get("CONFORMANCE_PYTHON") or sys.executable
PAPER = os.environ.get("IB_PAPER_GATEWAY", "")
NEWEST = 178 if PACKAGE == "ib_async" else 176
OLDER = [157, 164, 170, 176] if PACKAGE == "ib_async" else [157, 164, 170]
#: What every client is told of the farms, and what is never an error.
NOTICES = frozenset({2104, 2106, 2107, 2108, 2119, 2158})
_CLIENT_IDS = itertools.count(101)


@dataclass
class Simulator:
    """One process of the simulated gateway."""

    process: subprocess.Popen[str]
    port: int
    log: Path
    host: str = "127.0.0.1"

    def control(self, fault: str, *facts: str) -> str:
        """Ask for a fault as a person does; return what the command prints."""
        words = [PYTHON, "-m", "bifrost_lib.sim.control", "--port", str(self.port), fault, *facts]
        done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def complaints(self) -> str:
        """Return what the simulator logged: it must never have to."""
        return self.log.read_text()


@contextmanager
def running(*options: str, quiet: bool = True) -> Iterator[Simulator]:
    """Run a simulator on a free port until the block ends; SIGTERM must end it cleanly, without a word said."""
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        log = Path(folder) / "log"
        with log.open("w") as sink:
            process = subprocess.Popen(
                [PYTHON, "-m", "bifrost_lib.sim", "--port", "0", *options],
                stdout=subprocess.PIPE, stderr=sink, text=True, cwd=ROOT,
            )  # fmt: skip
        try:
            assert process.stdout is not None
            told = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", process.stdout.readline())
            assert told, log.read_text()
            yield Simulator(process, int(told[1]), log)
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
            assert not (quiet and re.search("WARNING|ERROR|Traceback", log.read_text()))
        finally:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


@pytest.fixture(scope="session", params=[NEWEST, *(pytest.param(each, marks=pytest.mark.slow) for each in OLDER)])
def version(request: pytest.FixtureRequest) -> int:
    """The version of the protocol that the gateway allows."""
    return int(request.param)


@pytest.fixture(scope="session")
def newest() -> int:
    """The newest version that the client speaks, for checks whose messages are the same in all of them."""
    return NEWEST


@pytest.fixture(scope="session")
def gateway(version: int) -> Iterator[Any]:
    """A gateway for checks that only read: the simulator, or the paper gateway that was named."""
    if PAPER:
        host, _, port = PAPER.rpartition(":")
        yield Simulator(None, int(port), Path(os.devnull), host)  # type: ignore[arg-type]
        return
    with running("--seed", "7", "--no-limits", "--max-version", str(version)) as found:
        yield found


@pytest.fixture
def simulator(gateway: Any) -> Any:
    """The simulator, for checks that trade."""
    if PAPER:
        pytest.skip("trades only at a simulated gateway, and IB_PAPER_GATEWAY names a real one")
    return gateway


@pytest.fixture(scope="session")
def start() -> Callable[..., Any]:
    """Run a simulator with other options than the shared one: ``with start("--speed", "10") as it``."""
    return running


@pytest.fixture(scope="session")
def api() -> Any:
    """The client's package."""
    return importlib.import_module(PACKAGE)


@dataclass
class Watch:
    """What clients were told besides answers; whatever was not expected fails the test."""

    errors: list[tuple[int, int, str]] = field(default_factory=list)
    expected: set[int] = field(default_factory=set)
    noise: list[str] = field(default_factory=list)
    allowed: str = r"(Error|Warning) -?\d+, reqId"

    def expect(self, *codes: int) -> None:
        """Say which errors belong to the test."""
        self.expected.update(codes)

    def allow(self, pattern: str) -> None:
        """Say what the client may log."""
        self.allowed += f"|{pattern}"

    @property
    def codes(self) -> list[int]:
        """Codes of the errors so far, without notices."""
        return [code for _, code, _ in self.errors if code not in NOTICES]

    def of(self, req_id: int) -> list[int]:
        """Codes that were told about one request or order."""
        return [code for about, code, _ in self.errors if about == req_id]


class _Ear(logging.Handler):
    def __init__(self, watch: Watch) -> None:
        super().__init__(logging.ERROR)
        self.watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        self.watch.noise.append(record.getMessage() + (f": {record.exc_info[1]!r}" if record.exc_info else ""))


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Errors told to this test's clients, and what the clients log."""
    found = Watch()
    ear, log = _Ear(found), logging.getLogger(PACKAGE)
    log.addHandler(ear)
    yield found
    log.removeHandler(ear)
    told = [one for one in found.errors if one[1] not in NOTICES | found.expected]
    assert not told, "errors that the test does not expect"
    noise = [text for text in found.noise if not re.match(found.allowed, text)]
    assert not noise, "the client logged errors"


@pytest.fixture
def connect(api: Any, watch: Watch) -> Iterator[Callable[..., Any]]:
    """Connect a client to a gateway; client ids are new unless given. Disconnects at the end."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    clients: list[Any] = []

    def join(gateway: Any, client_id: int | None = None, **options: Any) -> Any:
        ib = api.IB()
        ib.RequestTimeout = 15  # an answer that never comes fails the test instead of hanging it
        ib.errorEvent += lambda req_id, code, text, _: watch.errors.append((req_id, code, text))
        clients.append(ib)
        options = {"timeout": 8, **options}
        ib.connect(gateway.host, gateway.port, clientId=next(_CLIENT_IDS) if client_id is None else client_id,
                   **options)  # fmt: skip
        return ib

    yield join
    for ib in clients:
        ib.disconnect()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def ib(connect: Callable[..., Any], gateway: Any) -> Any:
    """A client at the gateway, for checks that only read."""
    return connect(gateway)


@pytest.fixture
def trader(connect: Callable[..., Any], simulator: Any) -> Any:
    """A client at the simulator, for checks that trade."""
    return connect(simulator)


@pytest.fixture
def until(api: Any) -> Callable[..., None]:
    """Let the client work until a condition holds."""

    def wait(condition: Callable[[], Any], seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not within {seconds:g} s"
            api.util.sleep(0.01)

    return wait


@pytest.fixture
def gone(api: Any) -> Callable[..., None]:
    """Wait until a client has lost its connection."""

    def wait(ib: Any, seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while ib.isConnected():
            assert time.monotonic() < end, "still connected"
            with suppress(ConnectionError):
                api.util.sleep(0.02)

    return wait


@pytest.fixture
def stock(api: Any) -> Callable[[str], Any]:
    """Make the contract of a stock."""
    return lambda symbol: api.Stock(symbol, "SMART", "USD")


@dataclass(frozen=True)
class Near:
    """An expiry about a month away, and the strikes around the spot."""

    spot: float
    expiry: str
    strikes: list[float]
    strike: float


_NEAR: dict[tuple[int, str], Near] = {}


@pytest.fixture
def near(api: Any, stock: Any) -> Callable[..., Near]:
    """Look for an expiry and strikes of a symbol's options."""

    def find(ib: Any, symbol: str = "SPY") -> Near:
        key = ib.client.port, symbol
        if key not in _NEAR:
            [under] = ib.qualifyContracts(stock(symbol) if symbol != "SPX" else api.Index("SPX", "CBOE", "USD"))
            [ticker] = ib.reqTickers(under)
            spot = ticker.marketPrice()
            chains = ib.reqSecDefOptParams(symbol, "", under.secType, under.conId)
            chain = next(one for one in chains if one.exchange == "SMART" and one.tradingClass == symbol)
            soonest = f"{datetime.now(UTC) + timedelta(days=25):%Y%m%d}"
            expiry = min(day for day in chain.expirations if day >= soonest)
            wanted = api.Option(symbol, expiry, right="C", exchange="SMART", tradingClass=symbol)
            listed = sorted({one.contract.strike for one in ib.reqContractDetails(wanted)})
            strike = min(listed, key=lambda one: abs(one - spot))
            _NEAR[key] = Near(spot, expiry, listed, strike)
        return _NEAR[key]

    return find


@pytest.fixture
def option(api: Any, near: Any) -> Callable[..., Any]:
    """Qualify an option `steps` strikes above the one at the money."""

    def make(ib: Any, right: str = "C", steps: int = 0, symbol: str = "SPY") -> Any:
        found = near(ib, symbol)
        strike = found.strikes[found.strikes.index(found.strike) + steps]
        wanted = api.Option(symbol, found.expiry, strike, right, "SMART", tradingClass=symbol)
        [qualified] = ib.qualifyContracts(wanted)
        return qualified

    return make
