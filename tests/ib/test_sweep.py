"""Sweeps over a real socket: every contract once, with its quote or the reason why there is none."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from math import isnan
from typing import Any

import pytest

from bifrost_lib.core.errors import InputError
from bifrost_lib.ib import Gateway, Limits, Observation, Priority

NOON = datetime(2026, 11, 20, 17, tzinfo=UTC)
THREE_LINES = Limits(messages_per_s=None, lines=3, history=False)


async def _sweep(gateway: Gateway, bench: Any, **more) -> list[Observation]:
    return [seen async for seen in gateway.observe(bench.options, **more)]


def _reasons(observations: list[Observation]) -> dict[str, int]:
    assert len({seen.con_id for seen in observations}) == len(observations)
    return dict(Counter(seen.missing for seen in observations))


def _swept(play, fault: str = "", *, timeout_s: float = 1.0, limits=None, **facts) -> list[Observation]:
    async def scenario(bench: Any) -> list[Observation]:
        async with bench.connect(limits) as gateway:
            if fault:
                bench.inject(fault, **facts)
            return await _sweep(gateway, bench, timeout_s=timeout_s)

    found: list[Observation] = play(scenario)
    assert len(found) == 30
    return found


def test_every_contract_once_with_all_that_was_wanted(play):
    found = {seen.con_id: seen for seen in _swept(play)}
    seen = found[700_004]
    assert (seen.bid, seen.ask, seen.bid_size, seen.ask_size) == (4.0, 4.1, 10.0, 12.0)
    assert (seen.open_interest, seen.volume, seen.spot) == (103.0, 7.0, 520.0)
    assert (seen.ib_iv, seen.ib_delta, seen.ib_gamma) == (0.2, 0.5, 0.01)
    assert seen.ib_vega == pytest.approx(70.0) and seen.ib_theta == pytest.approx(-18.25)
    assert seen.market_data_type == "live" and seen.missing == ""
    assert seen.ts is not None and seen.ts >= NOON


def test_a_contract_costs_two_messages_and_leaves_nothing_behind(play):
    async def scenario(bench: Any) -> None:
        async with bench.connect() as gateway:
            before = gateway.status().messages_sent
            assert _reasons(await _sweep(gateway, bench)) == {"": 30}
            await bench.wait_until(lambda: gateway.status().lines.used == 0)
            status = gateway.status()
            assert status.messages_sent - before == 60
            assert status.lines.peak <= 5 and not status.lines.holders
            (link,) = bench.links_of(gateway)
            assert not link.session.receiver.slots and not link.session.receiver.questions and not link.feeders
            await bench.wait_until(lambda: not any(one.lines.by_req_id for one in bench.exchange.sessions))

    play(scenario)


def test_the_gateway_grants_what_is_asked_for(play):
    """With IB's limits enforced, a sweep at the default pace earns no error 100 and no 101."""

    async def scenario(bench: Any) -> tuple[dict[str, int], int, int]:
        async with bench.connect(Limits(lines=10)) as gateway:
            found = await _sweep(gateway, bench)
            (link,) = bench.links_of(gateway)
            return _reasons(found), link.lines.total, round(link.pacer.rate)

    assert play(scenario, lines=10) == ({"": 30}, 10, 45)


def test_a_contract_that_comes_twice_is_observed_once(play):
    async def scenario(bench: Any) -> int:
        async with bench.connect() as gateway:
            return len([seen async for seen in gateway.observe(bench.options[:3] * 2)])

    assert play(scenario) == 3


def test_nothing_to_observe_is_nothing_observed(play):
    async def scenario(bench: Any) -> int:
        async with bench.connect() as gateway:
            return len([seen async for seen in gateway.observe([])])

    assert play(scenario) == 0


@pytest.mark.parametrize("variant", ["minus", "nan", "absent"])
def test_greeks_that_do_not_come_cost_no_quote(play, variant):
    found = _swept(play, "no-greeks", variant=variant)
    assert _reasons(found) == {"": 30}
    assert all(isnan(seen.ib_delta) and not isnan(seen.bid) for seen in found)


def test_no_bid_and_no_ask_is_an_empty_quote(play):
    found = _swept(play, "missing")
    assert _reasons(found) == {"empty_quote": 30}
    assert all(seen.open_interest >= 100.0 for seen in found)


def test_a_silent_feed_times_out(play):
    assert _reasons(_swept(play, "silent", timeout_s=0.1)) == {"timeout": 30}


def test_without_rights_the_data_are_delayed_and_say_so(play):
    found = _swept(play, "not-subscribed", code=354)
    assert _reasons(found) == {"": 30}
    assert {seen.market_data_type for seen in found} == {"delayed"}
    assert all(not isnan(seen.bid) and not isnan(seen.ib_iv) for seen in found)


def test_a_competing_session_leaves_nothing(play):
    found = _swept(play, "competing-session", timeout_s=0.2)
    assert set(_reasons(found)) <= {"competing_session", "timeout"}


def test_a_gateway_with_fewer_lines_than_thought(play):
    async def scenario(bench: Any) -> tuple[dict[str, int], int]:
        async with bench.connect(Limits(messages_per_s=None, lines=5, history=False)) as gateway:
            bench.inject("line-limit", lines=3)
            found = await _sweep(gateway, bench)
            return _reasons(found), gateway.status().lines.total

    assert play(scenario) == ({"": 30}, 3)


def test_a_gateway_that_grants_no_line(play):
    found = _swept(play, "line-limit", lines=0, timeout_s=0.3, limits=THREE_LINES)
    assert set(_reasons(found)) <= {"line_refused", "no_line"}


def test_a_contract_that_ib_does_not_know(play):
    async def scenario(bench: Any) -> dict[int, str]:
        unknown = replace(bench.options[0], con_id=1)
        async with bench.connect() as gateway:
            return {seen.con_id: seen.missing async for seen in gateway.observe([unknown, bench.options[1]])}

    assert play(scenario) == {1: "no_security", 700_002: ""}


@pytest.mark.parametrize("fault", ["drop", "restored-lost"])
def test_a_sweep_survives_the_loss_of_its_lines(play, fault):
    async def scenario(bench: Any) -> list[Observation]:
        async with bench.connect(replace(THREE_LINES, messages_per_s=60.0)) as gateway:
            found = []
            async with aclosing(gateway.observe(bench.options)) as observations:
                async for seen in observations:
                    found.append(seen)
                    if len(found) == 10:
                        bench.inject(fault)
            return found

    found = play(scenario)
    assert _reasons(found) == {"": 30}


def test_a_sweep_waits_while_ib_is_away(play):
    async def scenario(bench: Any) -> list[Observation]:
        async with bench.connect(THREE_LINES) as gateway:
            bench.inject("connectivity-lost", duration=0.4)
            await asyncio.sleep(0.05)
            return await _sweep(gateway, bench, timeout_s=3.0)

    assert _reasons(play(scenario)) == {"": 30}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("connectivity-lost", "disconnected"), ("farm-broken", "farm_down"), ("relogin", "disconnected")],
)
def test_trouble_that_lasts_names_its_reason(play, fault, reason):
    async def scenario(bench: Any) -> list[Observation]:
        async with bench.connect() as gateway:
            bench.inject(fault)
            await asyncio.sleep(0.1)
            return await _sweep(gateway, bench, timeout_s=0.3)

    assert _reasons(play(scenario)) == {reason: 30}


def test_a_sweep_that_is_left_gives_its_lines_back(play):
    async def scenario(bench: Any) -> None:
        async with bench.connect() as gateway:
            async with aclosing(gateway.observe(bench.options)) as observations:
                async for _ in observations:
                    break
            await bench.wait_until(lambda: gateway.status().lines.used == 0)
            assert not bench.links_of(gateway)[0].feeders
            assert _reasons(await _sweep(gateway, bench)) == {"": 30}

    play(scenario)


def test_a_sweep_ends_with_its_gateway(play):
    async def scenario(bench: Any) -> dict[str, int]:
        async with bench.connect() as gateway:
            bench.inject("silent")
            sweep = asyncio.create_task(_sweep(gateway, bench))
            await asyncio.sleep(0.05)
        return _reasons(await sweep)

    assert play(scenario) == {"disconnected": 30}


def test_two_sweeps_share_the_lines(play):
    async def scenario(bench: Any) -> tuple[dict[str, int], dict[str, int], int]:
        async with bench.connect() as gateway:
            first, second = await asyncio.gather(_sweep(gateway, bench), _sweep(gateway, bench))
            return _reasons(first), _reasons(second), gateway.status().lines.peak

    first, second, peak = play(scenario)
    assert first == second == {"": 30} and peak <= 5


def test_snapshots_cost_one_message(play):
    async def scenario(bench: Any) -> tuple[dict[str, int], int]:
        async with bench.connect(Limits(messages_per_s=None, lines=40, history=False)) as gateway:
            before = gateway.status().messages_sent
            found = await _sweep(gateway, bench, open_interest=False, snapshot=True, timeout_s=5.0)
            await bench.wait_until(lambda: gateway.status().lines.used == 0)
            return _reasons(found), gateway.status().messages_sent - before

    assert play(scenario) == ({"": 30}, 30)


def test_snapshots_carry_no_open_interest(play):
    async def scenario(bench: Any) -> None:
        async with bench.connect() as gateway:
            await _sweep(gateway, bench, snapshot=True)

    with pytest.raises(InputError) as error:
        play(scenario)
    assert error.value.name == "open_interest"


def test_a_page_goes_before_a_sweep(play):
    """What someone looks at takes the lines of the rotation, and the rotation still completes."""

    async def scenario(bench: Any) -> tuple[list[str], dict[str, int]]:
        async with bench.connect(replace(THREE_LINES, messages_per_s=100.0)) as gateway:
            order: list[str] = []

            async def sweep(name: str, options, priority: Priority) -> list[Observation]:
                found = [seen async for seen in gateway.observe(options, priority=priority)]
                order.append(name)
                return found

            slow = asyncio.create_task(sweep("sweep", bench.options, Priority.SWEEP))
            await asyncio.sleep(0.15)
            await sweep("page", bench.options[:6], Priority.DASHBOARD)
            return [*order], _reasons(await slow)

    assert play(scenario) == (["page"], {"": 30})


def test_two_logins_share_a_sweep(play):
    async def scenario(bench: Any) -> tuple[dict[str, int], int, int]:
        places = [("127.0.0.1", bench.exchange.port)] * 2
        async with bench.connect(THREE_LINES, endpoints=places) as gateway:
            found = await _sweep(gateway, bench)
            status = gateway.status()
            peaks = [link.lines.gauge().peak for link in bench.links_of(gateway)]
            assert min(peaks) > 0
            return _reasons(found), status.lines.total, len(bench.exchange.sessions)

    assert play(scenario) == ({"": 30}, 6, 2)
