"""Serve the backtests page without a hub or a desk: ``python backtests_alone.py PORT`` prints ``ready: URL``."""

from __future__ import annotations

import importlib
import itertools
import signal
import sys
import threading
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT))

from apps.panel.backtest_runs import RunCancelledError, RunFailedError  # noqa: E402 (it is not installed)
from bifrost_lib.workflows.hub import LOOPBACK  # noqa: E402


def fakes() -> Any:
    """Return the frames made by hand that the tests of the page share; test folders are no packages."""
    package = types.ModuleType("page_fakes")
    package.__path__ = [str(CHECKOUT / "tests" / "apps")]
    sys.modules[package.__name__] = package
    return importlib.import_module("page_fakes.backtest_fakes")


class SlowRuns:
    """Runs that take a second; those of long straddles go on until they are cancelled, covered calls find no chains."""

    def run(self, job: Mapping[str, Any], *, tell: Any, cancelled: threading.Event) -> str:
        steps = itertools.count() if job["strategy"] == "long_straddle" else range(5)
        for step in steps:
            tell(step % 10 / 10, "realistic fills")
            if cancelled.wait(0.2):
                raise RunCancelledError("cancelled")
        if job["strategy"] == "covered_call":
            raise RunFailedError(f"option chain: nothing is stored of {job['symbol']} in these days")
        return "2"


def main() -> None:
    """Serve until SIGTERM."""
    import panel

    from apps.first_paint import paint_first, session_maker
    from apps.live import forget_closed_sockets
    from apps.panel.backtest_boards import BacktestBoards
    from apps.panel.backtests import backtests_page

    pn: Any = panel
    port, boards = int(sys.argv[1]), BacktestBoards(fakes().FakeSource())
    links = [("Home", "/hub/home"), ("Finder", "finder"), ("Builder", "builder"), ("Chain", "chain"),
             ("History", "history"), ("Backtests", "backtests"), ("Calibration", "calibration"),
             ("Operations", "operations")]  # fmt: skip
    runs: Any = SlowRuns()

    def made(visit: Any) -> Any:
        return backtests_page(boards, runs, visit)

    server = pn.serve(
        {"/backtests": session_maker(made, lambda _: links)}, port=port, address=LOOPBACK,
        websocket_origin=[f"{LOOPBACK}:{port}"], show=False, start=False, verbose=False, location=False,
    )  # fmt: skip
    paint_first(server, "/backtests", made, lambda _: links, title="Backtests · Bifrost")
    forget_closed_sockets(server.io_loop)
    server.start()
    server.io_loop.add_callback(lambda: print(f"ready: http://{LOOPBACK}:{port}/backtests", flush=True))
    signal.signal(signal.SIGTERM, lambda *_: server.io_loop.add_callback_from_signal(server.io_loop.stop))
    server.io_loop.start()


if __name__ == "__main__":
    main()
