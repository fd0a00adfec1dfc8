"""Several logins used as one: lines add up, a sweep goes on when one drops, and both are used when it is back."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from bifrost_lib.core.errors import SourceUnavailable
from bifrost_lib.ib import Limits, Observation, SessionState
from bifrost_lib.ib.receiver import Receiver
from bifrost_lib.sim import Broker, SimulatedGateway
from bifrost_lib.sim import Limits as Granted

#: What each login asks for, and is granted.
ASKED, GRANTED = Limits(messages_per_s=40.0, lines=4, history=False), Granted(lines=4)


@pytest.fixture
def refused(monkeypatch) -> Counter[int]:
    """Codes 100 and 101, too many messages and too many lines, as often as any login hears them."""
    heard: Counter[int] = Counter()
    original = Receiver.error

    def error(self: Receiver, req_id: int, code: int, text: str, more: str = "") -> None:
        heard.update([code] if code in (100, 101) else [])
        original(self, req_id, code, text, more)

    monkeypatch.setattr(Receiver, "error", error)
    return heard


@asynccontextmanager
async def _two_logins(bench: Any, **more: Any) -> AsyncIterator[tuple[Any, SimulatedGateway]]:
    """Connect to the bench's gateway and to another one over the same market."""
    async with SimulatedGateway(bench.market, Broker(bench.market, bench.clock), limits=GRANTED) as second:
        places = [("127.0.0.1", bench.exchange.port), ("127.0.0.1", second.port)]
        async with bench.connect(ASKED, endpoints=places, **more) as gateway:
            yield gateway, second


def _whole(found: list[Observation], bench: Any) -> bool:
    return Counter(seen.con_id for seen in found) == Counter(one.con_id for one in bench.options)


def test_lines_and_messages_of_two_gateways_add_up(play, refused):
    async def scenario(bench: Any) -> None:
        async with _two_logins(bench) as (gateway, second):
            found = [seen async for seen in gateway.observe(bench.options)]
            assert _whole(found, bench) and not any(seen.missing for seen in found)
            lines = gateway.status().lines
            assert lines.total == 8 and 4 < lines.peak <= 8
            sent = [link.pacer.sent_total for link in bench.links_of(gateway)]
            assert min(sent) > len(bench.options) / 2, "each sends about half of two messages for every contract"
            assert len(bench.exchange.sessions) == len(second.sessions) == 1
            await bench.wait_until(lambda: gateway.status().lines.used == 0)

    play(scenario, contracts=60, lines=4)
    assert not refused


@pytest.mark.parametrize("fault", ["relogin", "connectivity-lost", "farm-broken", "half-open"])
def test_a_sweep_goes_on_over_the_other_gateway(play, refused, fault):
    async def scenario(bench: Any) -> None:
        patience = bench.patience.__class__(
            connect_s=0.3, request_s=3.0, heartbeat_s=0.3, answer_s=0.3, settle_s=0.2, backoff_s=0.1, backoff_cap_s=0.2,
            floor_s=0.05,
        )  # fmt: skip
        async with _two_logins(bench, patience=patience) as (gateway, second):
            found = []
            async with aclosing(gateway.observe(bench.options)) as observations:
                async for seen in observations:
                    found.append(seen)
                    if len(found) == 10:
                        second.faults.inject(fault)
            assert _whole(found, bench)
            assert not any(seen.missing for seen in found), Counter(seen.missing for seen in found)
            status = gateway.status()
            assert status.state is SessionState.READY and status.quotes_flow
            second.faults.clear()
            await bench.wait_until(lambda: all(link.usable for link in bench.links_of(gateway)))
            gateway.reset_peak()
            again = [seen async for seen in gateway.observe(bench.options)]
            assert _whole(again, bench) and gateway.status().lines.peak > 4
            assert all(link.lines.total == 4 and link.pacer.rate == 40.0 for link in bench.links_of(gateway))

    play(scenario, contracts=40, lines=4)
    assert not refused


def test_held_contracts_move_to_the_login_that_is_left_and_share_again_when_it_is_back(play, refused):
    async def scenario(bench: Any) -> None:
        patience = bench.patience.__class__(connect_s=0.3, answer_s=0.3, backoff_s=0.1, backoff_cap_s=0.2, floor_s=0.05)
        async with _two_logins(bench, patience=patience) as (gateway, second):
            held = bench.options[:6]

            def alive(lease: Any) -> int:
                return sum(not seen.missing for seen in lease.latest().values())

            async with gateway.hold("page", held) as lease:
                await bench.wait_until(lambda: alive(lease) == 6)
                assert [one.lines.used for one in gateway.logins()] == [3, 3]
                second.faults.inject("relogin")
                await bench.wait_until(lambda: gateway.logins()[0].lines.used == 4 == alive(lease))
                waiting = {seen.missing for seen in lease.latest().values()} - {""}
                assert waiting <= {"no_line", "disconnected"}
                second.faults.clear()
                await bench.wait_until(lambda: alive(lease) == 6)
                assert [one.lines.used for one in gateway.logins()] == [4, 2]
                for option in held:
                    bench.quote(option, 7.5)
                await bench.wait_until(lambda: all(seen.bid == 7.5 for seen in lease.latest().values()))
            await bench.wait_until(lambda: gateway.status().lines.used == 0)

    play(scenario, lines=4)
    assert not refused


def test_a_question_goes_to_the_next_login_when_one_stays_silent(play):
    async def scenario(bench: Any) -> None:
        patience = bench.patience.__class__(request_s=0.3, floor_s=0.05, heartbeat_s=60.0)
        async with _two_logins(bench, patience=patience) as (gateway, _):
            bench.inject("half-open")
            assert (await gateway.underlying("SPY")).symbol == "SPY"

    play(scenario, lines=4)


def test_one_gateway_is_enough_to_begin_with_and_the_other_is_waited_for(play):
    async def scenario(bench: Any) -> None:
        other = SimulatedGateway(bench.market, Broker(bench.market, bench.clock), limits=GRANTED)
        async with other:
            port = other.port
        places = [("127.0.0.1", port), ("127.0.0.1", bench.exchange.port)]
        async with bench.connect(ASKED, endpoints=places) as gateway:
            assert gateway.status().state is SessionState.READY
            assert not any([seen.missing async for seen in gateway.observe(bench.options[:8])])
        with pytest.raises(SourceUnavailable):
            async with bench.connect(ASKED, endpoints=[("127.0.0.1", port), ("127.0.0.1", port)]):
                raise AssertionError("nobody listens there")

    play(scenario, lines=4)
