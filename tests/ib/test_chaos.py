"""Random sequences of faults while sweeps and held lines go on: the sums stay right and everything comes back."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random
from typing import Any

import pytest

from bifrost_lib.ib import Limits, SessionState

#: (fault, facts); each lasts a while or is over at once.
FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("drop", {}),
    ("restored-lost", {}),
    ("restored-kept", {}),
    ("connectivity-lost", {"duration": 0.15}),
    ("farm-broken", {"duration": 0.15}),
    ("farm-broken", {"duration": 0.15, "farm": "all"}),
    ("nightly-reset", {"duration": 0.2, "data": "lost"}),
    ("nightly-reset", {"duration": 0.2}),
    ("half-open", {"duration": 0.3}),
    ("silent", {"duration": 0.2, "share": 0.5}),
    ("missing", {"duration": 0.2, "share": 0.5}),
    ("no-greeks", {"duration": 0.2}),
    ("line-limit", {"duration": 0.2, "lines": 2}),
    ("not-subscribed", {"duration": 0.2}),
    ("competing-session", {"duration": 0.2}),
    ("refuse", {"duration": 0.2}),
    ("slow", {"duration": 0.2, "delay": 0.05}),
]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_every_contract_is_accounted_for_whatever_happens(play, seed):
    async def scenario(bench: Any) -> None:
        random, stop = Random(seed), asyncio.Event()

        async def trouble() -> None:
            while not stop.is_set():
                name, facts = random.choice(FAULTS)
                bench.inject(name, **facts)
                await asyncio.sleep(random.uniform(0.05, 0.3))

        limits = Limits(messages_per_s=10.0, lines=8, history=False)
        patience = bench.patience.__class__(
            connect_s=0.4, request_s=60.0, heartbeat_s=9.0, answer_s=6.0, settle_s=1.5, backoff_s=0.6,
            backoff_cap_s=3.0, floor_s=0.05,
        )  # fmt: skip
        async with (
            bench.connect(limits, patience=patience) as gateway,
            gateway.hold("page", bench.options[:2]) as lease,
        ):
            troubling = asyncio.create_task(trouble())
            for _ in range(12):
                found = [seen async for seen in gateway.observe(bench.options, timeout_s=11.0)]
                assert Counter(seen.con_id for seen in found) == Counter(one.con_id for one in bench.options)
                for seen in found:
                    assert seen.missing or seen.bid > 0 or seen.ask > 0
            stop.set()
            await troubling
            bench.exchange.faults.clear()
            await bench.wait_until(lambda: gateway.status().state is SessionState.READY)
            bench.quote(bench.options[0], 7.5)
            await bench.wait_until(lambda: lease.latest()[bench.options[0].con_id].bid == 7.5)
            await bench.wait_until(lambda: gateway.status().lines.holders == {"page": 2})
            (link,) = bench.links_of(gateway)
            assert len(link.session.receiver.slots) == 2

    play(scenario, speed=30.0)
