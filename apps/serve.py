"""Serve the pages that are notebooks, each behind the hub's login at its own address: one process for all of them.

``python -m apps.serve`` listens where `bifrost up` chose, prints ``ready`` once the pages answer, and serves until
SIGTERM or SIGINT. A new page is an entry of the registry.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.access import ROLE_HEADER, USER_HEADER
from apps.assets import page_script, with_assets
from apps.forked_kernels import Nursery, take_kernels_from
from apps.preheating import LOOK_EVERY_MS, keep_pool_healthy, page_handlers, preheat
from apps.process import announce, run
from apps.stills import THEME_HEADER, with_stills
from apps.turns import Turns
from apps.unwatched import end_unwatched
from bifrost_lib.core.errors import SourceUnavailable
from bifrost_lib.core.settings import Settings
from bifrost_lib.views import page_colours, page_icon, theme_script
from bifrost_lib.workflows.hub import LOOPBACK, Page, Places, read_registry, shared_secret

if TYPE_CHECKING:
    from voila.app import Voila

HERE = Path(__file__).resolve().parent
#: Page extensions that a browser loads; others of the environment only slow a page down or fail in it.
EXTENSIONS = ["@voila-dashboards/widgets-manager8", "@jupyter-widgets/jupyterlab-manager", "@bokeh/jupyter_bokeh"]
#: The kernel of a page that was cut off ends after this long.
UNWATCHED_S = 600.0
#: That of a page whose browser never connected ends after this long; a busy machine takes a minute to come so far.
UNMET_S = 120.0
#: On a busy machine a kernel is done long before what it showed arrives; a page sent without that stays empty.
SAID_WITHIN_S = 60
#: So many kernels of each page wait for their viewers, with everything imported and drawn once; 80 MB each.
PREHEATED = 3


def voila_pages() -> list[Page]:
    """Return the pages that this process serves, in the registry's order."""
    return [page for page in read_registry() if page.kind == "voila"]


def page_config(page: Page, *, port: int, secret: str) -> Any:
    """Return the configuration of one page's server, but for who may see it.

    It binds to loopback only, sends messages to kernels over Unix sockets, and loads nothing from other machines.
    """
    from traitlets.config import Config

    config = Config()
    config.Voila.ip = LOOPBACK
    config.Voila.port = port
    config.Voila.port_retries = 0
    config.Voila.base_url = f"/services/{page.name}/"
    config.Voila.open_browser = False
    config.Voila.cookie_secret = bytes.fromhex(secret)
    config.VoilaConfiguration.template = "bifrost"
    config.VoilaConfiguration.extension_allowlist = EXTENSIONS
    config.VoilaConfiguration.file_allowlist = []
    config.VoilaConfiguration.allow_template_override = "NO"  # an address chooses no file of this machine
    config.VoilaConfiguration.allow_theme_override = "NO"
    config.VoilaConfiguration.http_header_envs = [USER_HEADER, ROLE_HEADER, THEME_HEADER]
    preheat(config, kernels=PREHEATED)
    config.VoilaExecutor.iopub_timeout = SAID_WITHIN_S
    config.KernelManager.transport = "ipc"
    return config


def page_server(page: Page, settings: Settings, places: Places, nursery: Nursery) -> Voila:
    """Return a page's server, set up for the hub's login, that does not listen yet."""
    from voila.app import Voila

    from apps.voila_access import voila_identity

    secret = shared_secret(settings.home, f"sessions {page.name}")
    config = page_config(page, port=places.pages[page.name], secret=secret)
    take_kernels_from(nursery, config)
    server = Voila(config=config, identity_provider_class=voila_identity(page.name, settings.home, places))
    server.initialize([str(page.path)])
    return server


def serve_pages(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises
    ------
    SourceUnavailable
        If a port is taken, or the process that kernels come from has ended.
    """
    keep_jupyter_at_home(settings.home)
    from tornado.ioloop import IOLoop, PeriodicCallback

    places, pages = Places.read(settings.home), voila_pages()
    _cap_memory(max(page.memory_mb for page in pages))
    loop, nursery = IOLoop.current(), Nursery([page.path for page in pages])
    servers, turns = [page_server(page, settings, places, nursery) for page in pages], Turns()
    for page, server in zip(pages, servers, strict=True):
        begin_listening(server, page, nursery, port=places.pages[page.name], turns=turns)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.add_callback_from_signal(loop.stop))
    PeriodicCallback(lambda: None if nursery.is_alive() else loop.stop(), LOOK_EVERY_MS).start()
    loop.add_callback(announce)
    loop.start()
    was_alive = nursery.is_alive()
    for server in servers:
        server.stop()
    nursery.close()
    if not was_alive:  # whoever started this process starts it again
        raise SourceUnavailable("the nursery of kernels", "it has ended")


def begin_listening(server: Voila, page: Page, nursery: Nursery, *, port: int, turns: Turns) -> None:
    """Let one of several servers answer on the loop of this process, which is started once for all of them.

    Its first pictures are drawn by the nursery's painter, the first of them before anybody comes.

    Raises
    ------
    SourceUnavailable
        If the port is taken.
    """
    import tempfile

    from tornado.ioloop import IOLoop
    from tornado.web import Application, RedirectHandler

    from apps.templates import compile_templates_once

    compile_templates_once()
    server.connection_dir = tempfile.mkdtemp(prefix="voila_")
    server.app = Application(**server.init_settings())
    server.app.settings.update(server.tornado_settings)
    server.app.settings["voila_jinja2_env"].globals |= {
        "colours": page_colours(), "icon": page_icon(), "theme_script": theme_script()
    }  # fmt: skip
    bare = (server.base_url.rstrip("/"), RedirectHandler, {"url": server.base_url})
    handlers = with_assets(page_handlers(server), base_url=server.base_url)
    draw = partial(nursery.picture, page.path)
    handlers = with_stills(handlers, draw, title=page.title, script=page_script(), turns=turns)
    server.app.add_handlers(".*$", [bare, *handlers])
    keep_pool_healthy(server.kernel_manager)
    end_unwatched(server.kernel_manager, after_s=UNWATCHED_S, unmet_s=UNMET_S)
    try:
        server.app.listen(port, LOOPBACK)
    except OSError as error:
        raise SourceUnavailable(f"port {port}", error.strerror or str(error)) from None
    IOLoop.current().add_callback(draw, {**os.environ, "VOILA_KERNEL_ID": "picture"})


def keep_jupyter_at_home(home: Path) -> None:
    """Let a user's own Jupyter configuration neither change these pages nor be changed by them."""
    folder = home / "jupyter"
    for name in ("CONFIG", "DATA", "RUNTIME"):
        os.environ[f"JUPYTER_{name}_DIR"] = str(folder / name.lower())
        (folder / name.lower()).mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ["JUPYTER_PATH"] = str(HERE / "share")
    os.environ["IPYTHONDIR"] = str(folder / "ipython")


def _cap_memory(memory_mb: int) -> None:
    # Kernels inherit the limit, so that one page cannot take the machine's memory from the others.
    import resource

    limit = memory_mb * 1024 * 1024
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (limit if hard < 0 else min(limit, hard), hard))


if __name__ == "__main__":
    sys.exit(run(serve_pages))
