"""A process that has imported and drawn everything once, and of which the pages' kernels are copies.

A kernel of its own takes seconds to import what a page needs, and keeps 190 MB; a copy is there at once and shares what
it does not change. ``python -m apps.nursery NOTEBOOK...`` reads orders from its standard input, a socket that only its
parent holds: one JSON object a line with ``connection_file``, ``env`` and ``cwd``. It answers each with the process id,
and ends with its kernels when its parent is gone.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

#: The cell of a page's notebook that waits for the viewer, and everything after it, is for the kernels alone.
WAITS = "wait_for_request()"

log = logging.getLogger(__name__)


def cells_before_the_viewer(notebook: Path) -> Iterator[str]:
    """Yield the code cells of a page's notebook up to the one that waits for its viewer."""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if WAITS in source:
            return
        if cell["cell_type"] == "code":
            yield source


def rehearse(notebook: Path) -> None:
    """Run a page's notebook up to its viewer, so that its code is loaded and compiled; trouble is left to kernels."""
    names: dict[str, Any] = {"__name__": "__main__"}
    try:
        for source in cells_before_the_viewer(notebook):
            exec(compile(source, notebook.name, "exec"), names)  # noqa: S102 - the pages' own notebooks
    except Exception:
        log.exception("%s cannot be rehearsed; its kernels will tell why", notebook.name)
    if (desk := names.get("desk")) is not None:
        desk.close()  # a copy must not share a connection with anybody


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
                _become_kernel(order, orders)
            lines.write(f"{pid}\n")
            lines.flush()


def _become_kernel(order: dict[str, Any], orders: socket.socket) -> NoReturn:
    nursery = os.getppid()
    status = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        orders.close()
        os.environ.clear()
        os.environ.update(order["env"])
        os.chdir(order["cwd"] or "/")
        _run_kernel(["-f", order["connection_file"], f"--IPKernelApp.parent_handle={nursery}"])
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        log.exception("a kernel ended")
    finally:
        os._exit(status)


def _run_kernel(arguments: list[str]) -> None:
    import random

    import numpy as np
    from ipykernel.kernelapp import IPKernelApp
    from ipywidgets import register_comm_target

    random.seed()
    np.random.seed()  # noqa: NPY002 - copies must not share the state of the generator that everybody has
    app: Any = IPKernelApp.instance()
    app.initialize(arguments)
    register_comm_target()  # widgets were imported before there was a kernel to tell
    app.start()


def main(notebooks: list[str]) -> int:
    """Rehearse, then serve."""
    logging.basicConfig(format="%(asctime)s %(name)s %(message)s")
    orders = socket.socket(fileno=os.dup(0))
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)  # orders are for this process, and not for what copies may start
    os.environ["VOILA_KERNEL_ID"] = "nursery"  # what is drawn here is drawn for a page

    for notebook in notebooks:
        rehearse(Path(notebook))
    gc.collect()
    gc.freeze()  # copies share what was there before them, untouched by their collectors
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        serve(orders)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
