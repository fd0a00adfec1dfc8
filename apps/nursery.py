"""A process that has imported and drawn everything once, and of which the pages' kernels are copies.

A kernel of its own takes seconds to import what a page needs, and keeps 190 MB; a copy is there at once and shares what
it does not change. ``python -m apps.nursery NOTEBOOK...`` reads orders from its standard input, a socket that only its
parent holds: one JSON object a line. With ``connection_file``, ``env`` and ``cwd`` a copy becomes a kernel; with
``paint_at`` and ``env`` it draws first pictures for whoever listens there (see `apps.painting`). Each is answered with
the process id. The nursery ends with its kernels when its parent is gone.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

#: What a kernel loads as it starts, and what draws first pictures.
LOADED = (
    "ipykernel.kernelapp", "ipykernel.debugger", "IPython.core.completerlib", "IPython.core.oinspect",
    "IPython.extensions.storemagic", "tornado.platform.asyncio", "bifrost_lib.views.still",
)  # fmt: skip

log = logging.getLogger(__name__)


def drawn(notebook: Path) -> tuple[Any, dict[str, Any]]:
    """Run a page's notebook as a kernel does, but without waiting for a viewer.

    Returns
    -------
    page : object
        The value of its last line: what it shows.
    names : dict
        What it has named.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    page: Any = None
    for cell in code_cells(notebook):
        page = run_cell(cell, names)
    return page, names


def code_cells(notebook: Path) -> list[str]:
    """Return the sources of a notebook's cells of code."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def run_cell(source: str, names: dict[str, Any]) -> Any:
    """Run one cell as a kernel does, among `names`, and return the value of its last line if that has one."""
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "<cell>", "exec"), names)  # noqa: S102 - the pages' own notebooks
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)  # noqa: S307 - as above


def rehearse(notebook: Path) -> None:
    """Draw a page and throw it away, so that its code is loaded and compiled; trouble is left to kernels."""
    from ipywidgets import Widget

    for name in LOADED:
        import_module(name)
    try:
        _, names = drawn(notebook)
        names["desk"].close()  # a copy must not share a connection with anybody
    except Exception:
        log.exception("%s cannot be rehearsed; its kernels will tell why", notebook.name)
    Widget.close_all()


def serve(orders: socket.socket) -> None:
    """Make a copy for each order until nobody is there to order."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system takes care of copies that have ended
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with orders.makefile("rw", encoding="utf-8") as lines:
        lines.write("ready\n")
        lines.flush()
        for line in lines:
            order = json.loads(line)
            pid = os.fork()
            if pid == 0:
                _become(_paint if "paint_at" in order else _run_kernel, order, orders)
            lines.write(f"{pid}\n")
            lines.flush()


def _become(kind: Callable[[dict[str, Any]], None], order: dict[str, Any], orders: socket.socket) -> NoReturn:
    status = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        orders.close()
        os.environ.clear()
        os.environ.update(order["env"])
        kind(order)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        log.exception("a copy of the nursery ended")
    finally:
        os._exit(status)


def _paint(order: dict[str, Any]) -> None:
    from apps.painting import paint

    paint(order["paint_at"])


def _run_kernel(order: dict[str, Any]) -> None:
    import random

    import numpy as np
    from ipykernel.kernelapp import IPKernelApp
    from ipywidgets import register_comm_target

    from apps.unheard import speak_when_heard

    os.chdir(order["cwd"] or "/")
    random.seed()
    np.random.seed()  # noqa: NPY002 - copies must not share the state of the generator that everybody has
    app: Any = IPKernelApp.instance()
    app.initialize(["-f", order["connection_file"], f"--IPKernelApp.parent_handle={os.getppid()}"])
    register_comm_target()  # widgets were imported before there was a kernel to tell
    speak_when_heard()
    app.start()


def main(notebooks: list[str]) -> int:
    """Rehearse, then serve."""
    logging.basicConfig(format="%(asctime)s %(name)s %(message)s")
    orders = socket.socket(fileno=os.dup(0))
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)  # orders are for this process, and not for what copies may start
    os.environ["VOILA_KERNEL_ID"] = "nursery"  # what is drawn here is drawn for a page
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # nobody may debug a page, and each kernel would load it

    for notebook in notebooks:
        rehearse(Path(notebook))
    gc.collect()
    gc.freeze()  # copies share what was there before them, untouched by their collectors
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        serve(orders)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
