"""Serve the pages of `registry.yaml` on loopback, behind a token.

A process of its own: ``python -m apps.serve [--port N]`` prints one line, ``ready: URL`` with the token in it, once the
pages answer, and serves until SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bifrost_lib.core.errors import BifrostError, EnvironmentProblem, SourceUnavailable
from bifrost_lib.core.settings import Settings, load_settings
from bifrost_lib.workflows.hub import read_registry

if TYPE_CHECKING:
    from voila.app import Voila

HERE = Path(__file__).resolve().parent
LOOPBACK = "127.0.0.1"
#: Page extensions that a browser loads; others of the environment only slow a page down or fail in it.
EXTENSIONS = ["@voila-dashboards/widgets-manager8", "@jupyter-widgets/jupyterlab-manager", "@bokeh/jupyter_bokeh"]


def page_token(home: Path) -> str:
    """Return the token of the pages, made once for a home folder and kept where only its owner can read it."""
    path = home / "run" / "page-token"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):  # made by an earlier start: bookmarks stay valid
        _write_private(path, secrets.token_urlsafe(24), os.O_EXCL)
    return path.read_text(encoding="utf-8").strip()


def page_server(settings: Settings, *, port: int) -> Voila:
    """Return a Voilà server that is set up but does not listen yet.

    It binds to loopback only and wants the token, sends messages to kernels over Unix sockets, ends kernels that
    nobody has looked at for half an hour, and loads nothing from other machines.
    """
    _keep_jupyter_at_home(settings.home)
    from traitlets.config import Config
    from voila.app import Voila

    pages = [page for page in read_registry() if page.kind == "voila"]
    _cap_memory(max(page.memory_mb for page in pages))
    config = Config()
    config.Voila.ip = LOOPBACK
    config.Voila.port = port
    config.Voila.port_retries = 0
    config.Voila.open_browser = False
    config.Voila.token = page_token(settings.home)
    config.VoilaConfiguration.template = "bifrost"
    config.VoilaConfiguration.extension_allowlist = EXTENSIONS
    config.VoilaConfiguration.file_allowlist = []
    config.KernelManager.transport = "ipc"
    config.MappingKernelManager.cull_idle_timeout = 1800
    config.MappingKernelManager.cull_interval = 300
    config.MappingKernelManager.cull_connected = False
    server = Voila(config=config)
    server.initialize([str(HERE / "voila")])
    return server


def serve_pages(settings: Settings, *, port: int) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises
    ------
    SourceUnavailable
        If the port is taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise SourceUnavailable(f"port {port}", f"{error.strerror}; choose another by setting page_port") from None
    server = page_server(settings, port=port)
    first = next(page for page in read_registry() if page.kind == "voila")
    address = f"http://{LOOPBACK}:{port}/voila/render/{first.path.name}?token={page_token(settings.home)}"
    from tornado.ioloop import IOLoop

    IOLoop.current().add_callback(_announce, address)  # runs as soon as the server listens
    server.start()


def _announce(address: str) -> None:
    sys.stdout.write(f"ready: {address}\n")
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nobody reads on: later output must not fill the pipe


def _keep_jupyter_at_home(home: Path) -> None:
    # A user's own Jupyter configuration must neither change these pages nor be changed by them.
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


def _write_private(path: Path, text: str, flags: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def main() -> int:
    """Serve the pages; problems are one line on standard error."""
    parser = argparse.ArgumentParser(prog="serve", description="Serve Bifrost's pages on this machine.")
    parser.add_argument("--port", type=int, help="default: setting page_port")
    asked = parser.parse_args()
    try:
        settings = load_settings()
        serve_pages(settings, port=asked.port or settings.page_port)
    except ImportError as problem:
        return _refuse(EnvironmentProblem(str(problem), "install the extra 'notebooks'"))
    except BifrostError as problem:
        return _refuse(problem)
    return 0


def _refuse(problem: BifrostError) -> int:
    sys.stderr.write(f"{problem}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
