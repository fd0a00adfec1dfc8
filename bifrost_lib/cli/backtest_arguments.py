"""What the commands about backtests read: fills, grids, searches; and how they show how far they are."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bifrost_lib.core.errors import FileFormatError, InputError, UnknownNameError

if TYPE_CHECKING:
    from bifrost_lib.workflows.backtests import Method

_FILLS = ("mid", "realistic", "worst")
_FIGURES = ("sharpe", "sortino", "calmar", "pnl")

Search = Annotated[
    str | None, typer.Option(help="Try some sets of the grid, whose ranges need no steps: random or bayesian.")
]
Sets = Annotated[int, typer.Option(help="How many sets a search tries.", min=1)]
Seed = Annotated[int, typer.Option(help="Of a search: the same seed tries the same sets.")]
Maximised = Annotated[str, typer.Option("--figure", help="What a search maximises: sharpe, sortino, calmar or pnl.")]


def read_fills(text: str) -> str | float:
    """Read ``--fills``: a name, or a fraction of the spread."""
    if text in _FILLS:
        return text
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise InputError("--fills", text, "mid, realistic, worst, or a fraction of the spread from 0 to 1")
    return share


def read_entry_time(text: str | None) -> time | None:
    """Read ``--entry-time``: a time of day in New York."""
    try:
        return None if text is None else time.fromisoformat(text)
    except ValueError:
        raise InputError("--entry-time", text, "a time of day such as 15:45") from None


def read_search(method: str, figure: str) -> tuple[Method, Any]:
    """Read ``--search`` and ``--figure``."""
    from bifrost_lib.workflows.backtests import METHODS

    if figure not in _FIGURES:
        raise UnknownNameError("--figure", figure, _FIGURES)
    if method == "random":
        return "random", figure
    if method == "bayesian":
        return "bayesian", figure
    raise UnknownNameError("--search", method, METHODS)


def read_grid_file(path: Path) -> dict[str, Any]:
    """Read ``--grid``: parameters and what they may be, as the file has them."""
    from bifrost_lib.backtest import read_grid
    from bifrost_lib.strategies import read_mapping

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = getattr(error, "strerror", None) or "it is no text"
        raise FileFormatError(path, f"the grid cannot be read: {problem}") from None
    read_grid(text)
    return dict(read_mapping(text, expected="a mapping of parameters to lists of values"))


def tell_on_terminal() -> Callable[[int, int, str], None] | None:
    """Return what shows progress on a terminal; None where nobody looks."""
    if not sys.stderr.isatty():
        return None

    def tell(done: int, of: int, text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{done / of:4.0%} {text}" + ("\r\x1b[K" if done >= of - 1 else ""))
        sys.stderr.flush()

    return tell


def tell_sweep(progress: Any) -> None:
    """Show how far a sweep is, where somebody looks."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{progress}")
        sys.stderr.flush()


def tell_best_on_terminal() -> Callable[[int, int, float], None] | None:
    """Return what shows how far a search is on a terminal; None where nobody looks."""
    if not sys.stderr.isatty():
        return None

    def tell(done: int, of: int, best: float) -> None:
        words = f"{done / of:4.0%} {done:,} of {of:,} sets, best {best:.3g}; Ctrl-C keeps what was found"
        sys.stderr.write(f"\r\x1b[K{words}" + ("\r\x1b[K" if done == of else ""))
        sys.stderr.flush()

    return tell
