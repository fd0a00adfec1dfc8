"""A live page shows data before its session exists: what viewers see first is made once for all of them.

The page that a browser gets holds a sketch of the layout with everything that is shown on it, and a signed token. The
session is made when the browser, which has loaded its scripts meanwhile, opens its websocket.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import panel
from bokeh.document import Document
from bokeh.server.contexts import ApplicationContext
from bokeh.util.token import generate_jwt_token, generate_session_id
from panel.io.resources import LOCAL_DIST, Resources, bundle_resources
from panel.io.server import DocHandler
from panel.io.state import set_curdoc
from tornado.web import authenticated

from apps.panel.visit import Visit
from apps.turns import Crowd, Turns, sessions_in_turn
from bifrost_lib.views import live as views
from bifrost_lib.views import theme_of

Links = Sequence[tuple[str, str]]
#: Viewers who come within this time are shown the same first picture; its age is on it.
FRESH_S = 2.0
#: And those who come within this time see it as well, while a newer one is made.
OLD_S = 10.0
#: Pages of so many symbols, tabs, themes and roles are kept.
KEPT = 32
#: Where Bokeh puts the page, as its template says.
PLACE: dict[str, Any] = {"elementid": "bf-page", "roots": {}, "root_ids": [], "use_for_title": False}

pn: Any = panel


#: Scripts of Bokeh that no live page uses.
UNUSED = ("bokeh-gl",)
Make = Callable[[Visit], Any]
LinksFor = Callable[[Mapping[str, str]], Links]


def session_maker(make: Make, links_for: LinksFor) -> Callable[[], None]:
    """Return what `pn.serve` calls for each new session: `make` with the viewer's visit.

    Parameters
    ----------
    make : callable
        Returns a page's layout.
    links_for : callable
        Returns the links for the headers of a request.
    """

    def into_session() -> None:
        document = pn.state.curdoc
        visit = _visit(links_for(pn.state.headers), pn.state.cookies, pn.state.session_args, document)
        document.template_variables["dist_url"] = LOCAL_DIST  # or style sheets would come from another machine
        make(visit).server_doc(document, location=False)

    return into_session


def paint_first(
    server: Any, path: str, make: Make, links_for: LinksFor, *, title: str, turns: Turns | None = None
) -> None:
    """Let `server` answer with a page that shows data at once.

    Parameters
    ----------
    server : bokeh.server.server.Server
        With an application at `path` that `session_maker` made.
    path : str
        As given to `pn.serve`.
    make, links_for : callable
        As for `session_maker`.
    title : str
    turns : Turns, optional
        Of all pages that share the server's loop; default: the page's own.
    """
    application, turns = server._tornado, turns or Turns()
    context = application._applications[path]
    sessions_in_turn(context, turns)
    given = {
        "application_context": context, "bokeh_websocket_path": None, "first": FirstPictures(make, turns),
        "links_for": links_for, "title": title, "crowd": turns.crowd,
    }  # fmt: skip
    application.add_handlers(r".*", [(rf"{application.prefix}{path.rstrip('/')}/?", FirstPaint, given)])


@dataclass
class _Picture:
    """A sketch, since when it is true, and the newer one that is being made."""

    text: str = ""
    born_s: float = float("-inf")
    newer: asyncio.Task[None] | None = None


class FirstPictures:
    """Sketches of a page by what they depend on, each made at most once in `FRESH_S`.

    Viewers who come together wait for the same one; who comes soon after others is shown theirs while a newer is made.

    Parameters
    ----------
    make : callable
        Returns a page's layout.
    turns : Turns, optional
        No session of theirs begins while a sketch is made.
    clock_s : callable, optional
        Seconds that only grow.
    """

    def __init__(
        self, make: Make, turns: Turns | None = None, *, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._make, self._turns, self._clock_s = make, turns or Turns(), clock_s
        self._made: OrderedDict[tuple[Any, ...], _Picture] = OrderedDict()

    async def sketch(self, visit: Visit) -> str:
        """Return the sketch of what `visit` sees first."""
        key = (visit.links, visit.theme, tuple(sorted(visit.asked.items())))
        picture = self._made.setdefault(key, _Picture())
        self._made.move_to_end(key)
        while len(self._made) > KEPT:
            self._made.popitem(last=False)
        age_s = self._clock_s() - picture.born_s
        if age_s >= FRESH_S and picture.newer is None:
            picture.newer = asyncio.create_task(self._renew(picture, visit))
        if age_s >= OLD_S and picture.newer is not None:
            await asyncio.shield(picture.newer)  # one who leaves takes nothing from the others
        return picture.text

    async def _renew(self, picture: _Picture, visit: Visit) -> None:
        begun_s = self._clock_s()
        try:
            with self._turns.picture():
                picture.text = await asyncio.to_thread(self._sketched, visit)
            picture.born_s = begun_s
        finally:
            picture.newer = None

    def _sketched(self, visit: Visit) -> str:
        with set_curdoc(Document()):  # components would take that of a viewer whom the loop serves meanwhile
            return str(views.sketch(self._make(visit)))


class FirstPaint(DocHandler):
    """Answers with the first picture and a token; the session begins with the websocket."""

    def __init__(
        self,
        application: Any,
        request: Any,
        *,
        application_context: ApplicationContext,
        first: FirstPictures,
        links_for: LinksFor,
        title: str,
        crowd: Crowd,
        **given: Any,
    ) -> None:
        self._first, self._links_for, self._title, self._crowd = first, links_for, title, crowd
        super().__init__(application, request, application_context=application_context, **given)

    @authenticated
    async def get(self, *_: Any, **__: Any) -> None:
        """Show the page."""
        payload = self._generate_token_payload()
        visit = _visit(self._links_for(payload["headers"]), payload["cookies"], payload["arguments"])
        wait_s = self._crowd.wait_s()
        page = views.live_page(
            title=self._title,
            theme=visit.theme,
            sketched=await self._first.sketch(visit),
            scripts=_scripts(self.application),
            item=PLACE | {"token": self._token(payload)},
            wait_s=wait_s,
        )
        self.set_header("Cache-Control", "no-store")  # it holds a token that ends
        self.set_header("Content-Type", "text/html")
        self.write(page)

    def _token(self, payload: Any) -> str:
        app = self.application
        secret, signed = app.secret_key, app.sign_sessions
        session = generate_session_id(secret_key=secret, signed=signed)
        return generate_jwt_token(
            session, secret_key=secret, signed=signed, expiration=app.session_token_expiration, extra_payload=payload
        )


def _visit(links: Links, cookies: Mapping[str, str], arguments: Mapping[str, Any], document: Any = None) -> Visit:
    asked = {name: values[0].decode(errors="replace") for name, values in arguments.items() if values}
    return Visit(tuple(links), theme_of(cookies), asked, document)


def _scripts(application: Any) -> list[str]:
    """Return the addresses of the scripts that the pages need, relative to a page's own."""
    resources: Any = Resources
    bundle = bundle_resources(None, resources.from_bokeh(application.resources()))
    return [str(url) for url in bundle.js_files if not any(f"/{name}.min.js" in str(url) for name in UNUSED)]
