"""A finished backtest on one page that stands alone, with what it assumed in words."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bifrost_lib.core.errors import EnvironmentProblem, InputError
from bifrost_lib.strategies import StrategyDocument, describe_document, leg_words

if TYPE_CHECKING:
    import pandas as pd

    from bifrost_lib.backtest import Result

LIMIT_S = 180.0
_FRAMES = ("trades", "legs", "equity", "bands")
#: Said elsewhere on the page, or of no use for a run.
_LEFT_OUT = ("outlook", "also called", "meant for", "costs", "risk")


def sheet_facts(
    result: Result,
    document: StrategyDocument,
    *,
    attribution: Mapping[str, float] | None = None,
    sources: Sequence[str] = (),
    warnings: Sequence[str] = (),
) -> dict[str, Any]:
    """Return what a tear sheet is drawn from: the fields of `views.backtests.Sheet`, by name.

    Parameters
    ----------
    result : Result
    document : StrategyDocument
        That was run.
    attribution : mapping of str to float, optional
        Parts of the profit, by greek.
    sources : sequence of str
        Of the quotes; ``simulated`` ones are labelled.
    warnings : sequence of str
        What a reader must know before the figures, besides what the figures themselves say.

    Raises
    ------
    InputError
        If the document is another one than the run's.
    """
    if document.sha256 != result.document_hash:
        raise InputError("document", document.sha256[:12], f"the one that was run, {result.document_hash[:12]}")
    symbols, window = ", ".join(result.symbols), f"{_day(result.start)} to {_day(result.end)}"
    return {
        "title": f"{document.name.replace('_', ' ').capitalize()} on {symbols}",
        "about": f"{window} · {len(result.equity):,} sessions · {fill_words(result.fills)} · ${result.capital:,.0f}",
        "capital": result.capital, "trades": result.trades, "legs": result.legs, "equity": result.equity,
        "statistics": result.statistics, "bands": result.bands, "attribution": dict(attribution or {}),
        "assumptions": assumptions(result, document), "warnings": tuple(warnings), "sources": tuple(sources),
        "skipped": dict(result.skipped),
        "foot": (
            f"document {result.document_hash[:16]}", f"cube {result.cube_sha256[:16]}",
            f"Bifrost {result.code_version}",
        ),
    }  # fmt: skip


def assumptions(result: Result, document: StrategyDocument) -> list[tuple[str, str]]:
    """Return what a run took for granted, by topic: the document in words, fills, costs, account and window."""
    legs = len(document.option_legs)
    shares = {"mid": 0.5, "worst": 1.0, "realistic": document.costs.fill_of(legs)}
    share = shares[result.fills] if isinstance(result.fills, str) else result.fills
    told = {topic: text for topic, text in describe_document(document).items() if topic not in _LEFT_OUT}
    commission = f"${document.costs.commission:g} a contract and side; expiry and assignment are free"
    return [
        *((leg.name.replace("_", " "), leg_words(leg)) for leg in document.legs),
        *told.items(),
        ("fills", f"{fill_words(result.fills)}: {_count(legs, 'leg')} at once give away {share:.0%} of the spread"),
        ("commission", commission),
        ("account", f"${result.capital:,.0f}; profits stay in it, margin is that of the entry"),
        ("window", f"{_day(result.start)} to {_day(result.end)}, each session with what was known then"),
        *((name.replace("_", " "), str(value)) for name, value in result.settings.items() if value),
        *([("not entered", _skipped(result.skipped))] if result.skipped else []),
    ]  # fmt: skip


def fill_words(fills: str | float) -> str:
    """Return how orders are filled, in words."""
    return f"{fills} fills" if isinstance(fills, str) else f"fills at {fills:.0%} of the spread"


def write_tear_sheet(
    result: Result,
    document: StrategyDocument,
    path: Path,
    *,
    attribution: Mapping[str, float] | None = None,
    sources: Sequence[str] = (),
    warnings: Sequence[str] = (),
) -> Path:
    """Write a tear sheet, an HTML file that needs nothing from any network; it is drawn by a process of its own.

    Parameters
    ----------
    path : Path
        Ends in ``.html``; a file that is there is replaced at one stroke.
    result, document, attribution, sources, warnings
        As for `sheet_facts`.

    Raises
    ------
    InputError
        If `path` is none for a page, or the document is another one.
    EnvironmentProblem
        If it cannot be drawn or written.
    """
    path = path.absolute()
    if path.suffix not in (".html", ".htm") or not path.parent.is_dir():
        raise InputError("path", str(path), "a file that ends in .html, in a folder that exists")
    facts = sheet_facts(result, document, attribution=attribution, sources=sources, warnings=warnings)
    job = {"page": str(path), "sheet": facts | {name: _text(facts[name]) for name in _FRAMES}}
    command = [sys.executable, "-P", "-m", "bifrost_lib.views.backtests.sheet"]
    try:
        done = subprocess.run(
            command, input=json.dumps(job, default=_plain), text=True, capture_output=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise EnvironmentProblem(f"the tear sheet was not drawn within {LIMIT_S:.0f} s", "try again") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise EnvironmentProblem(f"the tear sheet cannot be drawn: {last}", "install the extra 'notebooks'")
    return path


def _text(frame: pd.DataFrame | None) -> str | None:
    # As columns of plain values; moments keep their microseconds.
    if frame is None:
        return None
    plain = frame.copy()
    for name in plain.columns:
        if plain[name].dtype.kind == "M" or isinstance(plain[name].dtype, _zoned()):
            plain[name] = [None if one != one else one.isoformat() for one in plain[name]]  # noqa: PLR0124 (NaT)
    return str(plain.to_json(orient="split", double_precision=15))


def _zoned() -> type:
    import pandas as pd

    return pd.DatetimeTZDtype


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else str(value)


def _skipped(skipped: Mapping[str, int]) -> str:
    named = sorted(skipped.items(), key=lambda one: -one[1])
    return ", ".join(f"{_count(count, 'session')}: {reason.replace('_', ' ')}" for reason, count in named)


def _count(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _day(day: Any) -> str:
    return f"{day.day} {day:%b %Y}"
