"""One backtest, or the grid of a study, in a process of its own: ``python -m apps.panel.backtest_worker``.

Its standard input is a line of JSON that says what to do; its standard output are lines of JSON: how far it is, and in
the end what it found, or what was in its way. It ends when its input does.
"""

from __future__ import annotations

import json
import math
import os
import sys
import threading
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from bifrost_lib.core.errors import BifrostError, EnvironmentProblem, InputError

if TYPE_CHECKING:
    from bifrost_lib.workflows import Desk

#: Sessions of a year, by which Sharpe ratios of a session become annual.
YEAR = 252
#: A picture of splits does not gain from more points than these.
MOST_SPLITS = 400


def main() -> None:
    """Do what the job asks for."""
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        say(**{job["kind"]: _WORK[job["kind"]](job)})
    except BifrostError as problem:
        say(problem=str(problem))


def _open(job: Mapping[str, Any]) -> Desk:
    from bifrost_lib.core.settings import load_settings
    from bifrost_lib.workflows import open_desk

    return open_desk(settings=load_settings(job["settings"]))


def _run(job: Mapping[str, Any]) -> int:
    from bifrost_lib.strategies import resolve_strategy
    from bifrost_lib.workflows import backtests

    first, last, capital = _day("start", job["start"]), _day("end", job["end"]), _capital(job["capital"])
    with _open(job) as desk:
        say(share=None, text="reading the stored chains")
        found = backtests.run_backtest(
            desk, resolve_strategy(job["strategy"]), [job["symbol"]], start=first, end=last, fills=job["fills"],
            capital=capital, bands=True, save=True, tell=lambda done, of, text: say(share=done / of, text=text),
        )  # fmt: skip
    if found.run_id is None:
        raise EnvironmentProblem("this login may not keep runs", "ask an administrator for the right to write them")
    return found.run_id


def _grid(job: Mapping[str, Any]) -> dict[str, Any]:
    import numpy as np

    from bifrost_lib.backtest import sweep
    from bifrost_lib.workflows import studies

    with _open(job) as desk:
        study = studies.find_study(desk, job["study"])
        documents, values = studies.tried_sets(desk, study)
        cubes = studies.study_cubes(desk, study)
    found = sweep(documents, cubes, **study.options)
    tried = {path: [_scalar(one[path]) for one in values] for path in values[0]}
    summary = tried | {name: [_known(value) for value in found.summary[name]] for name in _FIGURES}
    figures, splits = _judged(np.asarray(found.daily), study.sets_tried)
    return {"summary": summary, "parameters": [*values[0]], "figures": figures, "splits": splits}


_FIGURES = ("sharpe", "pnl", "win_rate", "max_drawdown", "trades")


def _judged(daily: Any, tried: int) -> tuple[dict[str, Any], list[list[float]]]:
    """Return whether the best set is more than luck, and its Sharpe ratios in and out of sample."""
    from bifrost_lib.workflows.backtests import judge

    found, annual = judge(daily, tried=max(tried - len(daily), 0)), math.sqrt(YEAR)
    best = found.best
    figures = {
        "trials": max(tried, len(daily)), "effective_trials": best.trials.count, "sharpe": best.sharpe * annual,
        "expected_sharpe": best.benchmark * annual, "probabilistic_sharpe": best.psr,
        "deflated_sharpe": best.probability,
    }  # fmt: skip
    splits: list[list[float]] = []
    if found.splits is not None:
        pairs = zip(found.splits.in_sample * annual, found.splits.out_of_sample * annual, strict=True)
        splits = [[float(before), float(after)] for before, after in pairs if math.isfinite(before + after)]
        figures |= {"pbo": found.splits.probability, "loss_probability": found.splits.loss}
        figures["mean_out_of_sample"] = sum(after for _, after in splits) / len(splits) if splits else math.nan
    every = max(1, len(splits) // MOST_SPLITS)
    return {name: _known(value) for name, value in figures.items()}, splits[::every]


def _scalar(value: Any) -> Any:
    """Return a grid's value as one that can stand on an axis: parts of a document are written out."""
    if value is None:
        return "none"
    return value if isinstance(value, str | int | float) else json.dumps(value, separators=(",", ":"))


def _known(value: Any) -> float | None:
    return float(value) if math.isfinite(float(value)) else None


def _day(name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InputError(name, text, "a date such as 2026-03-02, or nothing") from None


def _capital(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError("capital", text, "an amount in $, such as 100000") from None


def say(**words: Any) -> None:
    """Write a line to whoever started this process."""
    sys.stdout.write(json.dumps(words, allow_nan=False) + "\n")
    sys.stdout.flush()


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(1)


_WORK = {"run": _run, "grid": _grid}

if __name__ == "__main__":
    main()
