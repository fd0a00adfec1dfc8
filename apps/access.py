"""Who looks at a page: the hub is asked, for Panel's pages and for Voilà's alike, and nobody else is believed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bokeh.server.auth_provider import AuthProvider
from jupyterhub.services.auth import HubOAuth, HubOAuthCallbackHandler  # type: ignore[import-untyped]
from tornado.httputil import url_concat
from tornado.web import HTTPError, RequestHandler

from bifrost_lib.workflows.hub import Places, page_token
from hub_config.roles import page_scope, role_of_groups

#: How a page's own code learns who looks at it; whatever a browser sends under these names is replaced.
USER_HEADER, ROLE_HEADER = "X-Bifrost-User", "X-Bifrost-Role"
#: Rights that were taken away count after this long at the latest.
REMEMBERED_S = 30


@dataclass(frozen=True)
class Viewer:
    """Somebody whom the hub knows and who may open the page; `role` is empty for those without one."""

    name: str
    role: str


def hub_oauth(name: str, *, home: Path, places: Places) -> HubOAuth:
    """Return how the page `name` asks the hub who somebody is."""
    return HubOAuth(
        api_token=page_token(home, name), api_url=places.hub_api, base_url=f"/services/{name}/", hub_prefix="/hub/",
        oauth_client_id=f"service-{name}", oauth_redirect_uri=f"/services/{name}/oauth_callback",
        oauth_authorization_url="/hub/api/oauth2/authorize", access_scopes={page_scope(name)},
        cache_max_age=REMEMBERED_S, allow_token_in_url=False,
    )  # fmt: skip


async def viewer_of(hub: HubOAuth, handler: RequestHandler) -> Viewer | None:
    """Return who asks, or None if nobody is logged in; the request then says so to the page's code.

    Raises
    ------
    HTTPError
        403 if somebody is logged in who may not open the page.
    """
    for header in (USER_HEADER, ROLE_HEADER):
        handler.request.headers.pop(header, None)
    found = await hub.get_user(handler, sync=False)
    if not found:
        return None
    if found["kind"] != "user" or not hub.check_scopes(hub.access_scopes, found):
        raise HTTPError(403, "%s may not open this page", found["name"])
    viewer = Viewer(found["name"], "admin" if found.get("admin") else role_of_groups(found.get("groups", [])) or "")
    handler.request.headers[USER_HEADER] = viewer.name
    handler.request.headers[ROLE_HEADER] = viewer.role
    return viewer


def login_url(hub: HubOAuth, handler: RequestHandler, next_url: str) -> str:
    """Return where the hub logs somebody in and sends them back from to `next_url`."""
    verifier, challenge, method = hub.generate_pkce_code_challenge()
    state = hub.set_state_cookie(handler, next_url=next_url, code_verifier=verifier)
    proof = {"state": state, "code_challenge": challenge, "code_challenge_method": method}
    return str(url_concat(hub.login_url, proof))


def known_only(handler: type[RequestHandler], hub: HubOAuth) -> type[RequestHandler]:
    """Return `handler` for those who are logged in and may open the page; others get 403."""

    class KnownOnly(handler):  # type: ignore[misc, valid-type]
        async def prepare(self) -> None:
            if await viewer_of(hub, self) is None:
                raise HTTPError(403)

    return KnownOnly


class HubLogin(AuthProvider):
    """The hub's login before a server of Panel pages."""

    def __init__(self, hub: HubOAuth) -> None:
        self.hub = hub
        super().__init__()

    @property
    def get_user_async(self) -> Any:
        """Who asks."""

        async def viewer(handler: RequestHandler) -> str | None:
            found = await viewer_of(self.hub, handler)
            return found.name if found else None

        return viewer

    @property
    def login_url(self) -> str:
        """Where those go who are not logged in, below the page."""
        return "/login"

    @property
    def login_handler(self) -> type[RequestHandler]:
        """Sends them on to the hub, which sends them back to what they wanted to see of this page."""
        hub = self.hub

        class Login(RequestHandler):
            def get(self) -> None:
                wanted = self.get_query_argument("next", hub.base_url)
                self.redirect(login_url(hub, self, wanted if wanted.startswith(hub.base_url) else hub.base_url))

        return Login

    @property
    def callback(self) -> tuple[str, type[RequestHandler]]:
        """Where the hub sends those who have logged in."""

        class Callback(HubOAuthCallbackHandler):  # type: ignore[misc]
            hub_auth = self.hub

        return "/oauth_callback", Callback
