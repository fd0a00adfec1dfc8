"""A slider that moves is asked for once, when it rests."""

from __future__ import annotations

import asyncio

from bifrost_lib.views.settling import once_at_rest


def test_many_moves_are_one_call_and_later_ones_another() -> None:
    calls: list[float] = []

    async def moved() -> None:
        loop = asyncio.get_running_loop()
        done = asyncio.Event()

        def then() -> None:
            calls.append(loop.time())
            done.set()

        call = once_at_rest(then)
        for rounds in (1, 2):
            for _ in range(5):
                call()
            await done.wait()
            assert len(calls) == rounds
            done.clear()

    asyncio.run(moved())
    assert len(calls) == 2


def test_without_a_loop_it_is_called_at_once() -> None:
    calls: list[int] = []
    once_at_rest(lambda: calls.append(1))()
    assert calls == [1]
