"""One backtest in a process of its own: ``python -m apps.panel.backtest_worker``.

Its standard input is a line of JSON that says what to run; its standard output are lines of JSON: how far it is, and in
the end the saved run, or what was in its way. It ends when its input does.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Mapping
from datetime import date
from typing import Any

from bifrost_lib.core.errors import BifrostError, InputError


def main() -> None:
    """Do what the job asks for."""
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        _say(run=_run(job))
    except BifrostError as problem:
        _say(problem=str(problem))


def _run(job: Mapping[str, Any]) -> str:
    from bifrost_lib.core.settings import load_settings
    from bifrost_lib.strategies import resolve_strategy
    from bifrost_lib.workflows import backtests, open_desk

    first, last = (_day(name, job[name]) for name in ("start", "end"))
    with open_desk(settings=load_settings(job["settings"])) as desk:
        _say(share=0.05, text="reading the stored chains")
        saved = backtests.run_backtest(
            desk, resolve_strategy(job["strategy"]), job["symbol"], start=first, end=last, fills=_fills(job["fills"]),
            capital=_capital(job["capital"]), tell=lambda done, of, text: _say(share=done / of, text=text),
        )  # fmt: skip
        return str(saved)


def _day(name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InputError(name, text, "a date such as 2026-03-02, or nothing") from None


def _fills(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def _capital(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError("capital", text, "an amount in $, such as 100000") from None


def _say(**words: Any) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
