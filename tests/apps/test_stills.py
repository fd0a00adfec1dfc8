"""First pictures: one for all who may see the same, new after a while, and never the reason why a page fails."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from voila.tornado.handler import TornadoVoilaHandler

from apps import stills
from apps.stills import FRESH_S, KEPT, StillFirst, Stills, with_stills
from apps.turns import Turns


class Desk:
    """Draws slowly, remembers for whom, and has a clock that is set by hand."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.now_s = 0.0

    async def draw(self, env: dict[str, str]) -> str:
        self.asked.append(env)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if env.get("QUERY_STRING") == "bad":
            raise RuntimeError("the nursery of kernels has ended")
        return f"picture {len(self.asked)}"


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def shown(desk: Desk) -> Stills:
    return Stills(desk.draw, clock_s=lambda: desk.now_s)


def ask(
    shown: Stills, *, query: str = "", user: str = "ann", role: str | None = "trader", theme: str = "light"
) -> Coroutine[Any, Any, str]:
    return shown.still(query=query, user=user, role=role, theme=theme)


def test_ten_viewers_at_once_are_shown_one_picture(desk: Desk, shown: Stills) -> None:
    async def ten() -> list[str]:
        return list(await asyncio.gather(*(ask(shown, user=f"viewer {place}") for place in range(10))))

    assert asyncio.run(ten()) == ["picture 1"] * 10
    assert len(desk.asked) == 1


def test_it_is_drawn_anew_once_it_is_old(desk: Desk, shown: Stills) -> None:
    async def three() -> list[str]:
        seen = [await ask(shown)]
        for desk.now_s in (FRESH_S / 2, FRESH_S):
            seen.append(await ask(shown))
        return seen

    assert asyncio.run(three()) == ["picture 1", "picture 1", "picture 2"]


def test_another_role_another_link_and_another_theme_get_pictures_of_their_own(desk: Desk, shown: Stills) -> None:
    async def several() -> set[str]:
        ways: tuple[dict[str, Any], ...] = (
            {}, {"role": "quant"}, {"role": None}, {"query": "symbol=SIMX"}, {"theme": "dark"}
        )  # fmt: skip
        return {await ask(shown, **way) for way in ways}

    assert len(asyncio.run(several())) == 5
    told = [(env.get("QUERY_STRING"), env["HTTP_X_BIFROST_USER"], env.get("HTTP_X_BIFROST_ROLE")) for env in desk.asked]
    assert told == [
        (None, "ann", "trader"), (None, "ann", "quant"), (None, "ann", None), ("symbol=SIMX", "ann", "trader"),
        (None, "ann", "trader"),
    ]  # fmt: skip
    assert [env["HTTP_X_BIFROST_THEME"] for env in desk.asked] == [*["light"] * 4, "dark"]


def test_of_many_links_only_so_many_pictures_are_kept(desk: Desk, shown: Stills) -> None:
    async def many() -> int:
        await asyncio.gather(*(ask(shown, query=str(place)) for place in range(KEPT + 5)))
        return len(shown._drawn)

    assert asyncio.run(many()) == KEPT


def test_a_picture_that_fails_or_is_late_is_none_and_the_page_goes_on(
    desk: Desk, shown: Stills, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert asyncio.run(ask(shown, query="bad")) == ""
    assert "the nursery of kernels has ended" in caplog.text
    monkeypatch.setattr(stills, "PATIENCE_S", 0.0)
    assert asyncio.run(ask(shown, query="late")) == ""


def test_only_the_page_itself_shows_a_picture_first(desk: Desk) -> None:
    plain = [("/f/voila/static/(.*)", object), ("/f/(.*)", TornadoVoilaHandler, {"notebook_path": "finder.ipynb"})]
    static, page = with_stills(plain, desk.draw, title="Finder", script="voila/bundle/0.js", turns=Turns())
    assert static == plain[0]
    assert page[1] is StillFirst
    assert page[2].keys() == {"notebook_path", "title", "script", "stills", "turns"}
