"""Sessions with a simulated gateway: connecting, losing, coming back, and holding lines through all of it."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from bifrost_lib.core.errors import EnvironmentProblem, InputError, NoDataError, SettingsError, SourceUnavailable
from bifrost_lib.core.settings import load_settings
from bifrost_lib.ib import GatewayRefusal, Limits, Patience, Priority, SessionState, open_gateway
from bifrost_lib.ib.client import load_library
from bifrost_lib.ib.limits import PLENTY_OF_LINES
from bifrost_lib.sim import Bars

EXPIRY, SPY_ID = date(2026, 12, 18), 756733
NIGHT = datetime(2026, 11, 19, 5, 30, tzinfo=UTC)  # 00:30 in New York, a Thursday
SUNDAY = datetime(2026, 11, 22, 6, 5, tzinfo=UTC)  # 01:05 in New York


def test_a_status_says_what_is_known(play):
    async def scenario(bench: Any) -> None:
        async with bench.connect() as gateway:
            status = gateway.status()
            assert status.state is SessionState.READY and status.trouble == ""
            assert status.simulated and status.port == bench.exchange.port
            assert status.server_version in (176, 178)
            assert all(account.startswith("DU") for account in status.accounts) and status.accounts
            assert status.lines.total == 5 and status.lines.used == 0
            assert status.data_type == "live" and status.last_heard is not None

    play(scenario)


def test_what_is_listed(play):
    async def scenario(bench: Any) -> None:
        async with bench.connect() as gateway:
            spy = await gateway.underlying("SPY")
            assert (spy.con_id, spy.sec_type, spy.currency) == (SPY_ID, "STK", "USD")
            (listed,) = await gateway.option_classes(spy)
            assert listed.trading_class == "SPY" and listed.expiries == (EXPIRY,) and len(listed.strikes) == 15
            before = gateway.status().messages_sent
            options = await gateway.listed_options(spy, expiries=[EXPIRY])
            assert [option.con_id for option in options] == [option.con_id for option in bench.options]
            assert options[0].contract == bench.options[0].contract
            await gateway.listed_options(spy, expiries=[EXPIRY])
            assert gateway.status().messages_sent - before == 1
            with pytest.raises(NoDataError):
                await gateway.underlying("NOPE")

    play(scenario)


def test_the_underlyings_price(play):
    async def scenario(bench: Any) -> Any:
        async with bench.connect() as gateway:
            return (await gateway.spot(await gateway.underlying("SPY"))).spot

    assert play(scenario) == pytest.approx(520.0)


def test_daily_bars(play):
    async def scenario(bench: Any) -> Any:
        sessions = [datetime(2026, 11, day, 14, 30, tzinfo=UTC).timestamp() for day in (17, 18, 19)]
        closes = np.array([518.0, 519.0, 520.0])
        bars = Bars(
            start=np.array(sessions, dtype=np.int64), open=closes - 1, high=closes + 1, low=closes - 2, close=closes,
            volume=np.full(3, 5e6), wap=closes, count=np.full(3, 10, dtype=np.int64),
        )  # fmt: skip
        bench.market.set_bars(SPY_ID, bars)
        async with bench.connect() as gateway:
            spy = await gateway.underlying("SPY")
            with pytest.raises(InputError):
                await gateway.daily_bars(spy, 0)
            return await gateway.daily_bars(spy, 30)

    frame = play(scenario)
    assert list(frame["close"]) == [518.0, 519.0, 520.0]
    assert frame["ts"].iloc[-1] == datetime(2026, 11, 19, 21, tzinfo=UTC)


def test_bars_that_ib_does_not_have(play):
    async def scenario(bench: Any) -> Any:
        async with bench.connect() as gateway:
            bench.inject("hmds-error")
            await gateway.daily_bars(await gateway.underlying("SPY"), 30)

    with pytest.raises(GatewayRefusal) as error:
        play(scenario)
    assert error.value.code == 162


def test_nobody_listens(tmp_path):
    async def main() -> None:
        client = os.environ.get("BIFROST_IB_CLIENT", "")
        environ = {"BIFROST_HOME": str(tmp_path), "BIFROST_IB_PORT": "1", "BIFROST_IB_CLIENT": client}
        settings = load_settings(environ)
        async with open_gateway(settings, patience=Patience()):
            raise AssertionError("there is no gateway at port 1")

    with pytest.raises(SourceUnavailable) as error:
        asyncio.run(main())
    assert "127.0.0.1:1" in error.value.problem


def test_no_port_is_set(tmp_path):
    async def main() -> None:
        async with open_gateway(load_settings({"BIFROST_HOME": str(tmp_path)})):
            raise AssertionError("no gateway was named")

    with pytest.raises(SettingsError) as error:
        asyncio.run(main())
    assert error.value.key == "ib_port"


def test_a_client_library_that_is_not_installed():
    with pytest.raises(EnvironmentProblem) as error:
        load_library("ib_nothing")
    assert "ib_nothing" in error.value.problem and "BIFROST_IB_CLIENT" in error.value.remedy


def test_a_client_id_in_use_is_passed_over(play):
    async def scenario(bench: Any) -> list[int]:
        async with bench.connect(), bench.connect(), bench.connect(role="research"):
            return sorted(session.client_id for session in bench.exchange.sessions)

    assert play(scenario) == [10, 11, 30]


def test_a_gateway_that_accepts_and_never_answers(play):
    async def scenario(bench: Any) -> None:
        bench.inject("half-open")
        async with bench.connect(patience=replace(bench.patience, connect_s=0.2)):
            raise AssertionError("it never answered")

    with pytest.raises(SourceUnavailable):
        play(scenario)


def _state_after(play, fault: str, *, start=None, then: str = "", **facts) -> Any:
    async def scenario(bench: Any) -> Any:
        async with bench.connect() as gateway:
            bench.inject(fault, **facts)
            await asyncio.sleep(0.1)
            state = gateway.status().state
            if then:
                bench.exchange.faults.clear(fault) if then == "clear" else bench.inject(then)
                await bench.wait_until(lambda: gateway.status().state is SessionState.READY)
                await gateway.underlying("SPY")
            return state

    return play(scenario, **({"start": start} if start else {}))


@pytest.mark.parametrize(
    ("fault", "then", "start", "expected"),
    [
        ("connectivity-lost", "restored-kept", None, SessionState.DEGRADED),
        ("connectivity-lost", "restored-lost", None, SessionState.DEGRADED),
        ("farm-broken", "farm-ok", None, SessionState.DEGRADED),
        ("nightly-reset", "clear", NIGHT, SessionState.RESET_WINDOW),
        ("relogin", "login", SUNDAY, SessionState.WAITING_2FA),
    ],
)
def test_trouble_shows_in_the_state_and_passes(play, fault, then, start, expected):
    assert _state_after(play, fault, then=then, start=start) is expected


def test_a_lapsed_login_says_what_to_do(play):
    async def scenario(bench: Any) -> Any:
        async with bench.connect() as gateway:
            bench.inject("relogin")
            await bench.wait_until(lambda: gateway.status().state is SessionState.WAITING_2FA)
            return gateway.status().trouble

    assert "log in" in play(scenario, start=SUNDAY)


def test_a_socket_that_only_seems_open_is_replaced(play):
    async def scenario(bench: Any) -> None:
        async with bench.connect(patience=replace(bench.patience, heartbeat_s=0.2, answer_s=0.1)) as gateway:
            (old,) = bench.exchange.sessions
            bench.inject("half-open")
            await bench.wait_until(lambda: gateway.status().state is not SessionState.READY)
            bench.exchange.faults.clear("half-open")
            await bench.wait_until(lambda: gateway.status().state is SessionState.READY)
            assert old not in bench.exchange.sessions

    play(scenario)


def test_a_quiet_but_healthy_connection_is_kept(play):
    async def scenario(bench: Any) -> Any:
        async with bench.connect(patience=replace(bench.patience, heartbeat_s=0.05, answer_s=0.5)):
            before = set(bench.exchange.sessions)
            await asyncio.sleep(0.6)
            return before == bench.exchange.sessions

    assert play(scenario)


def test_requests_during_an_outage_wait_for_the_connection(play):
    async def scenario(bench: Any) -> Any:
        async with bench.connect() as gateway:
            bench.inject("drop")
            await asyncio.sleep(0.02)
            return (await gateway.underlying("SPY")).symbol

    assert play(scenario) == "SPY"


def test_a_request_without_an_answer_is_a_source_that_does_not_answer(play):
    async def scenario(bench: Any) -> None:
        async with bench.connect(patience=replace(bench.patience, request_s=0.2)) as gateway:
            bench.inject("half-open")
            await gateway.underlying("SPY")

    with pytest.raises(SourceUnavailable):
        play(scenario)


def test_held_lines_tell_changes(play):
    async def scenario(bench: Any) -> None:
        async with bench.connect() as gateway, gateway.hold("page", bench.options[:3]) as lease:
            await bench.wait_until(lambda: all(not seen.missing for seen in lease.latest().values()))
            assert gateway.status().lines.holders == {"page": 3}
            first = lease.latest()[bench.options[0].con_id]
            bench.quote(bench.options[0], 9.5)
            async for changed in lease.changes():
                fresh = {seen.con_id: seen for seen in changed}.get(bench.options[0].con_id)
                if fresh is not None and fresh.bid == 9.5:
                    break
            assert first.bid == 1.0  # what was handed out does not change
            assert lease.latest()[bench.options[0].con_id].open_interest == 100.0
        await bench.wait_until(lambda: gateway.status().lines.used == 0)

    play(scenario)


@pytest.mark.parametrize("fault", ["drop", "restored-lost", "farm-broken"])
def test_held_lines_come_back(play, fault):
    async def scenario(bench: Any) -> None:
        async with bench.connect() as gateway, gateway.hold("page", bench.options[:3]) as lease:
            await bench.wait_until(lambda: all(not seen.missing for seen in lease.latest().values()))
            bench.inject(fault)
            if fault == "farm-broken":
                await bench.wait_until(lambda: gateway.status().state is SessionState.DEGRADED)
                bench.exchange.faults.clear(fault)
            bench.quote(bench.options[1], 8.5)
            await bench.wait_until(lambda: lease.latest()[bench.options[1].con_id].bid == 8.5)
            await bench.wait_until(lambda: gateway.status().state is SessionState.READY)
            assert gateway.status().lines.used == 3

    play(scenario)


def test_while_the_connection_is_away_the_last_quotes_say_so(play):
    async def scenario(bench: Any) -> None:
        async with bench.connect() as gateway, gateway.hold("page", bench.options[:3]) as lease:
            await bench.wait_until(lambda: all(not seen.missing for seen in lease.latest().values()))
            bench.inject("relogin")
            await bench.wait_until(lambda: all(seen.missing == "disconnected" for seen in lease.latest().values()))
            assert lease.latest()[bench.options[0].con_id].bid == 1.0

    play(scenario)


def test_positions_take_lines_from_pages_and_give_them_back(play):
    async def scenario(bench: Any) -> None:
        async with bench.connect() as gateway, gateway.hold("page", bench.options[:5], Priority.DASHBOARD) as page:
            await bench.wait_until(lambda: gateway.status().lines.used == 5)
            async with gateway.hold("positions", bench.options[5:8], Priority.HELD) as held:
                await bench.wait_until(lambda: all(not seen.missing for seen in held.latest().values()))
                assert gateway.status().lines.holders == {"page": 2, "positions": 3}
                assert sum(seen.missing == "no_line" for seen in page.latest().values()) == 3
            await bench.wait_until(lambda: all(not seen.missing for seen in page.latest().values()))

    play(scenario)


def test_a_sweep_goes_on_beside_held_lines(play):
    async def scenario(bench: Any) -> None:
        async with bench.connect() as gateway, gateway.hold("page", bench.options[:4], Priority.DASHBOARD):
            found = [seen async for seen in gateway.observe(bench.options)]
            assert len(found) == 30 and not any(seen.missing for seen in found)
            assert gateway.status().lines.peak == 5

    play(scenario)


def test_a_sweep_without_any_line_ends_with_a_reason(play):
    async def scenario(bench: Any) -> set[str]:
        limits = Limits(messages_per_s=None, lines=2, history=False)
        async with bench.connect(limits) as gateway, gateway.hold("page", bench.options[:2], Priority.DASHBOARD):
            await bench.wait_until(lambda: gateway.status().lines.used == 2)
            return {seen.missing async for seen in gateway.observe(bench.options, timeout_s=0.3)}

    assert play(scenario) == {"no_line"}


def test_a_fast_clock_does_not_starve_answers(play):
    """At 600 times, a timeout of 11 s is 18 ms of the machine: less than a socket may need."""

    async def scenario(bench: Any) -> int:
        async with bench.connect(patience=replace(bench.patience, floor_s=0.25)) as gateway:
            return sum([not seen.missing async for seen in gateway.observe(bench.options)])

    assert play(scenario, speed=600.0) == 30


def test_a_contract_that_falls_silent_is_asked_for_again(play):
    """Others go on ticking, so it is not the market that sleeps."""

    async def scenario(bench: Any) -> None:
        silent, talking = bench.options[:2]
        async with bench.connect() as gateway, gateway.hold("page", [silent, talking]) as lease:
            await bench.wait_until(lambda: all(not seen.missing for seen in lease.latest().values()))
            bench.inject("silent", con_id=silent.con_id)
            before, bid = gateway.status().messages_sent, 1.0
            while lease.latest()[silent.con_id].missing == "":
                bid += 0.5
                bench.quote(talking, bid)
                await asyncio.sleep(0.02)
            assert gateway.status().messages_sent - before <= 2
            bench.exchange.faults.clear("silent")
            await bench.wait_until(lambda: lease.latest()[silent.con_id].missing == "")
            assert lease.latest()[talking.con_id].missing == ""

    play(scenario, speed=200.0)


def test_the_gateway_moves_to_another_port(play):
    async def scenario(bench: Any) -> Any:
        async with bench.connect() as gateway:
            (link,) = bench.links_of(gateway)
            link.session.receiver.error(-1, 1300, f"reconnect on the new port - {bench.exchange.port}")
            await bench.wait_until(lambda: gateway.status().state is not SessionState.READY)
            await bench.wait_until(lambda: gateway.status().state is SessionState.READY)
            return gateway.status().port == bench.exchange.port

    assert play(scenario)


def test_closing_leaves_no_task_behind(play):
    async def scenario(bench: Any) -> None:
        before = asyncio.all_tasks()
        async with bench.connect() as gateway:
            assert bench.links_of(gateway)
        await asyncio.sleep(0.05)
        assert asyncio.all_tasks() - before <= {asyncio.current_task()}

    play(scenario)


def test_a_simulated_gateway_without_limits_is_used_without_them_unless_they_are_firm(play, monkeypatch):
    monkeypatch.setenv("BIFROST_IB_LINES", "7")
    monkeypatch.setenv("BIFROST_IB_MESSAGES_PER_S", "20")

    async def scenario(bench: Any) -> tuple[Limits, int]:
        settings = load_settings({**os.environ, "BIFROST_IB_PORT": str(bench.exchange.port)})
        async with open_gateway(settings, clock=bench.clock) as gateway:
            return gateway.limits, gateway.status().lines.total

    lifted, lines = play(scenario)
    assert (lifted.messages_per_s, lifted.lines, lifted.history) == (None, None, False) and lines == PLENTY_OF_LINES
    kept, lines = play(scenario, lines=100)
    assert (kept.messages_per_s, kept.lines, kept.history) == (20.0, 7, True) and lines == 7

    async def firm(bench: Any) -> Any:
        async with bench.connect(limits=Limits(lines=5)) as gateway:
            return gateway.limits

    assert play(firm).lines == 5
