"""What a viewer sees before his session exists: made once for all, harmless in HTML, and no session until he stays."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import panel
import pytest
from panel.io.resources import LOCAL_DIST
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect

from apps.first_paint import FRESH_S, KEPT, OLD_S, FirstPictures, paint_first, session_maker
from apps.panel.chain import chain_page
from apps.panel.visit import Visit
from apps.turns import LOOK_AGAIN_S, TOGETHER_S, Crowd, Turns
from bifrost_lib.views import live as views

if TYPE_CHECKING:
    from apps.panel.boards import Boards

pn: Any = panel
HOSTILE = "</script><script>alert(1)</script>"


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def layout(visit: Visit) -> Any:
    head = views.Head(pages=[], state={"what": visit.asked.get("symbol", "")}, height=34)
    return views.column(head, views.field(pn.widgets.Select(label="Symbol", options={"A": 1, "B": 2}, value=2)))


class Seen:
    """A page that remembers its visits."""

    def __init__(self) -> None:
        self.visits: list[Visit] = []

    def __call__(self, visit: Visit) -> Any:
        self.visits.append(visit)
        return layout(visit)


def parts(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for part in node.get("parts", []):
        yield from parts(part)


@pytest.mark.parametrize("later_s", [FRESH_S, OLD_S])
def test_viewers_who_come_together_are_shown_one_picture(later_s: float) -> None:
    clock, made = Clock(), Seen()
    first = FirstPictures(made, clock_s=clock)

    async def ten_come() -> list[str]:
        return await asyncio.gather(*(first.sketch(Visit(asked={"symbol": "SIM"})) for _ in range(10)))

    async def twice() -> list[list[str]]:
        before = await ten_come()
        assert len(made.visits) == 1
        clock.now_s = later_s
        after = await ten_come()
        async with asyncio.timeout(60):
            while len(made.visits) < 2:  # who came soon did not wait for it, who came late did
                await asyncio.sleep(0.01)
        return [before, after]

    assert [len(set(one)) for one in asyncio.run(twice())] == [1, 1]
    assert len(made.visits) == 2


def test_a_picture_that_could_not_be_made_is_tried_again() -> None:
    made = Seen()

    def fails_once(visit: Visit) -> Any:
        page = made(visit)
        if len(made.visits) == 1:
            raise RuntimeError("the first one fails")
        return page

    async def twice() -> str:
        first = FirstPictures(fails_once)
        with pytest.raises(RuntimeError):
            await first.sketch(Visit())
        return await first.sketch(Visit())

    assert "Head" in asyncio.run(twice())


def test_sessions_are_made_one_by_one_and_after_first_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.turns.LONGEST_WAIT_S", 60.0)  # as if the machine were never held up for long
    turns, told = Turns(), list[str]()

    async def session(name: str) -> None:
        told.append(f"{name} begins")
        await asyncio.sleep(0)
        told.append(f"{name} ends")

    async def come_together() -> None:
        with turns.picture():
            waiting = [asyncio.ensure_future(turns.session(partial(session, name))) for name in "ab"]
            await asyncio.sleep(3 * LOOK_AGAIN_S)
            told.append("picture")
        await asyncio.gather(*waiting)

    asyncio.run(come_together())
    assert told == ["picture", "a begins", "a ends", "b begins", "b ends"]


def test_a_session_that_takes_long_holds_up_nobody_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.turns.LONGEST_TURN_S", 0.05)

    async def come_together() -> list[str]:
        turns, told, is_answered = Turns(), list[str](), asyncio.Event()

        async def long() -> None:
            await is_answered.wait()
            told.append("long")

        async def short() -> None:
            told.append("short")

        waiting = asyncio.ensure_future(turns.session(long))
        await asyncio.sleep(0)
        assert not turns.is_free
        await turns.session(short)
        is_answered.set()
        await waiting
        await turns.session(short)
        return told

    assert asyncio.run(come_together()) == ["short", "long", "short"]


def test_what_differs_between_viewers_has_pictures_of_its_own() -> None:
    first = FirstPictures(layout)

    async def come(visits: Sequence[Visit]) -> None:
        for visit in visits:
            await first.sketch(visit)

    visits = [Visit(), Visit(theme="dark"), Visit(links=(("Home", "/hub/home"),)), Visit(asked={"symbol": "X"})]
    asyncio.run(come(visits))
    assert len(first._made) == len(visits)
    asyncio.run(come([Visit(asked={"symbol": str(number)}) for number in range(2 * KEPT)]))
    assert len(first._made) == KEPT


def test_a_sketch_holds_what_its_page_shows(boards: Boards) -> None:
    content = chain_page(boards, Visit(links=(("Chain", "chain"),)))
    node = json.loads(views.sketch(content))
    found = {part["part"]: part["model"] for part in parts(node) if "part" in part}
    assert json.loads(found["Ladder"]["table"])["rows"]
    assert found["Head"]["pages"][0]["title"] == "Chain" and found["Head"]["state"]["what"] == "SIM"
    fields = {part["label"]: part["value"] for part in parts(node) if part.get("label")}
    assert fields["Symbol"] == "SIM" and fields["Change since"] == "previous close"


def test_a_page_that_is_only_looked_at_follows_nothing(boards: Boards) -> None:
    chain_page(boards, Visit())
    assert boards.feed.watchers() == 0


def test_what_an_address_asks_for_cannot_leave_its_text() -> None:
    sketched = asyncio.run(FirstPictures(layout).sketch(Visit(asked={"symbol": HOSTILE})))
    assert "<" not in sketched
    assert json.loads(sketched)["parts"][0]["model"]["state"]["what"] == HOSTILE
    page = views.live_page(title="T", theme="dark", sketched=sketched, scripts=["a.js"], item={"token": HOSTILE})
    assert HOSTILE not in page and 'data-theme="dark"' in page


def test_every_part_of_a_page_brings_its_script() -> None:
    page = views.live_page(title="T", theme="light", sketched="{}", scripts=[], item={})
    for name in ("Head", "Ladder", "Grid", "TimeBar"):
        assert f'bifrost.know("{name}"' in page
    assert "export " not in page


def test_the_session_begins_with_the_websocket_and_knows_the_visit() -> None:
    made = Seen()
    before, after, document = asyncio.run(_visited(made))
    assert (before, after) == (0, 1)
    assert LOCAL_DIST in document and "https://" not in document
    first, then = made.visits
    assert first.document is None and then.document is not None
    assert (first.links, first.theme, first.asked) == (then.links, then.theme, then.asked)
    assert (then.theme, then.asked, then.links) == ("dark", {"symbol": "SIM"}, (("Chain", "chain"),))


async def _visited(make: Any) -> tuple[int, int, str]:
    def links_for(_: Any) -> list[tuple[str, str]]:
        return [("Chain", "chain")]

    server = pn.serve(
        {"/chain": session_maker(make, links_for)}, port=0, address="127.0.0.1", show=False, start=False,
        verbose=False, location=False, websocket_origin="*",
    )  # fmt: skip
    paint_first(server, "/chain", make, links_for, title="Chain")
    server.start()
    address = f"127.0.0.1:{server.port}/chain"
    headers = {"Cookie": "bf-theme=dark"}
    answer = await AsyncHTTPClient().fetch(HTTPRequest(f"http://{address}?symbol=SIM", headers=headers))
    before = len(server.get_sessions("/chain"))
    found = re.search(r'"token": "([^"]+)"', answer.body.decode())
    assert found is not None and answer.headers["Cache-Control"] == "no-store"
    socket = await websocket_connect(f"ws://{address}/ws", subprotocols=["bokeh", found[1]])
    assert "ACK" in str(await socket.read_message())
    (session,) = sessions = server.get_sessions("/chain")
    socket.close()
    server.stop()
    return before, len(sessions), json.dumps(session.document.to_json(deferred=False))


def test_of_those_who_come_together_each_waits_for_the_ones_before() -> None:
    clock = Clock()
    crowd = Crowd(pace_s=0.5, clock_s=clock)
    assert [crowd.wait_s() for _ in range(4)] == [0.0, 0.5, 1.0, 1.5]
    clock.now_s += TOGETHER_S + 0.1
    assert crowd.wait_s() == 0.0
    clock.now_s += TOGETHER_S / 2
    assert crowd.wait_s() == 0.5


def test_a_page_says_how_long_its_scripts_wait() -> None:
    page = views.live_page(title="T", theme="light", sketched="{}", scripts=[], item={}, wait_s=0.25)
    assert re.search(r"bifrost\.open\(\{\}, \[\], \{\}, 250\)", page)
