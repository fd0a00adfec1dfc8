"""The hub's login before the pages that are notebooks, whose server is Jupyter's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_server.auth.identity import IdentityProvider
from jupyterhub.singleuser.extension import JupyterHubIdentityProvider  # type: ignore[import-untyped]
from tornado.web import HTTPError, RequestHandler

from apps.access import hub_oauth, viewer_of
from bifrost_lib.workflows.hub import Places


def voila_identity(name: str, home: Path, places: Places) -> type[IdentityProvider]:
    """Return the hub's login before the Voilà page `name`."""

    class HubIdentity(JupyterHubIdentityProvider):  # type: ignore[misc]
        hub_auth = hub_oauth(name, home=home, places=places)

        def __init__(self, **given: Any) -> None:
            super().__init__(**{key: value for key, value in given.items() if key in ("parent", "log")})

        async def get_user(self, handler: RequestHandler) -> Any:
            viewer = await viewer_of(self.hub_auth, handler) if not hasattr(handler, "_jupyterhub_user") else None
            found = await super().get_user(handler)
            if viewer is not None and found is None:
                raise HTTPError(403)
            return found

        def get_handlers(self) -> list[tuple[Any, ...]]:
            return [(f"{self.hub_auth.base_url.rstrip('/')}{path}", *rest) for path, *rest in super().get_handlers()]

    return HubIdentity
