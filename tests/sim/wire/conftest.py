"""Real clients without a socket: what they send is decoded here, what is encoded here is fed to them.

``BIFROST_IB_CLIENT`` names the package, ib_async or ib_insync; the tests run unchanged with either.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from bifrost_lib.sim.wire import FrameReader, decode_request, encode

PACKAGE = os.environ.get("BIFROST_IB_CLIENT", "ib_async")
NEWEST = 178 if PACKAGE == "ib_async" else 176
GATES = [v for v in (157, 158, 159, 160, 162, 163, 164, 166, 169, 170, 176, 177, 178) if v <= NEWEST]


class Recorder:
    """Stands for a wrapper: keeps each call with its arguments."""

    def __init__(self) -> None:
        from datetime import UTC

        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.defaultTimezone = UTC
        self.ib = SimpleNamespace(TimezoneTWS=None)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args: self.calls.append((name, args))


@pytest.fixture(params=GATES)
def version(request: pytest.FixtureRequest) -> int:
    """A version of the protocol next to which something changes."""
    return int(request.param)


@pytest.fixture
def ib() -> Any:
    """The client's package."""
    return importlib.import_module(PACKAGE)


@pytest.fixture
def received(version: int) -> Callable[..., Any]:
    """Let the real client send a request, and return what the gateway reads."""
    module = importlib.import_module(f"{PACKAGE}.client")

    def exchange(method: str, *args: Any) -> Any:
        client = module.Client(Recorder())
        sent: list[str] = []
        client.connState, client._serverVersion = module.Client.CONNECTED, version
        client.sendMsg = sent.append
        getattr(client, method)(*args)
        fields = sent[0].split("\0")
        assert fields.pop() == ""
        return decode_request(fields, version)

    return exchange


@pytest.fixture
def shown(version: int) -> Callable[[Any], list[tuple[str, tuple[Any, ...]]]]:
    """Feed a message to the real client's decoder, and return the calls that its wrapper gets."""
    module = importlib.import_module(f"{PACKAGE}.decoder")

    def exchange(message: Any) -> list[tuple[str, tuple[Any, ...]]]:
        recorder = Recorder()
        decoder = module.Decoder(recorder, version)
        problems: list[str] = []
        decoder.logger = SimpleNamespace(exception=lambda text, *_: problems.append(text))
        (fields,) = FrameReader(greets=False).feed(encode(message, version))
        decoder.interpret(fields)
        assert problems == []
        return recorder.calls

    return exchange


@pytest.fixture
def snake() -> Callable[[str], str]:
    """Our name of an attribute of the client's records."""

    def convert(name: str) -> str:
        known = {"lastTradeDateOrContractMonth": "expiry", "rule80A": "rule80a", "acctNumber": "account"}
        plain = known.get(name) or name.replace("PNL", "Pnl").replace("mifid2", "mifid2_")
        return re.sub(r"_?(?<!^)([A-Z])", lambda match: "_" + match[1].lower(), plain)

    return convert
