"""A viewer's form: what can be run, one run at a time, and how far it is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from apps.panel.backtest_runs import BacktestRuns, RunCancelledError
from bifrost_lib.core.errors import BifrostError
from bifrost_lib.strategies import CATALOG
from bifrost_lib.views import backtests as views

FILLS = {"realistic": "realistic", "mid": "mid", "worst": "worst"}


class Asking:
    """The form of the page, and the run that it asked for.

    Parameters
    ----------
    runs : BacktestRuns
    turn : callable
        Does what touches components in the document's own turn.
    arrived : callable
        Takes the number of a run that is saved; told outside of the server's loop.
    """

    def __init__(
        self, runs: BacktestRuns, *, turn: Callable[[Callable[[], None]], None], arrived: Callable[[str], None]
    ) -> None:
        self._runs, self._turn, self._arrived = runs, turn, arrived
        self._cancelled = threading.Event()
        self._running: asyncio.Task[None] | None = None
        self.form = views.RunForm(sizing_mode="stretch_width", height=46, margin=0)
        self.form.param.watch(self._ask, "asked")
        self.form.param.watch(lambda _: self._cancelled.set(), "cancelled")

    def offer(self, symbols: Mapping[str, Any]) -> None:
        """Let the viewer choose among symbols with what is stored of each: `first_ts` and `last_ts`."""
        first = next(iter(symbols), "")
        values = {"strategy": "iron_condor", "symbol": first, "fills": "realistic", "capital": "100000"}
        if first:
            ends = [symbols[first][name] for name in ("first_ts", "last_ts")]
            values |= {name: f"{moment:%Y-%m-%d}" for name, moment in zip(("start", "end"), ends, strict=True)}
        self.form.offer({"strategies": sorted(CATALOG), "symbols": list(symbols), "fills": FILLS, "values": values})

    async def _ask(self, _: Any) -> None:
        if self._running is not None and not self._running.done():
            return
        self._cancelled = threading.Event()
        self._running = asyncio.current_task()
        asked = dict(self.form.values)
        self.form.state = {"running": True, "share": None, "text": "starting"}
        name = str(asked["strategy"]).replace("_", " ")
        try:
            run = await asyncio.to_thread(partial(self._runs.run, asked, tell=self._tell, cancelled=self._cancelled))
            await asyncio.to_thread(self._arrived, run)
        except RunCancelledError:
            self._turn(partial(self._ended, "Cancelled; nothing was saved."))
        except BifrostError as problem:
            self._turn(partial(self._ended, str(problem), "error"))
        else:
            self._turn(partial(self._ended, f"{name} on {asked['symbol']} is saved as run {run}.", "good"))

    def _tell(self, share: float | None, text: str) -> None:
        self._turn(partial(self._progress, share, text))

    def _progress(self, share: float | None, text: str) -> None:
        if self.form.state.get("running"):
            self.form.state = {"running": True, "share": share, "text": text}

    def _ended(self, text: str, kind: str = "") -> None:
        self.form.state = {"running": False, "text": text, "kind": kind}
