"""Studies as tables for people: searches, walks, and looks at what was kept back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bifrost_lib.cli.output import number, print_json, print_table

if TYPE_CHECKING:
    import pandas as pd

    from bifrost_lib.workflows import studies


def print_walk(walked: studies.WalkForward, *, as_json: bool) -> None:
    """Print a walk: its windows, and what it amounts to."""
    if as_json:
        print_json({"windows": records(walked.windows), "statistics": walked.statistics})
        return
    _print_frame("Chosen on the past, traded on what came next", walked.windows)
    _print_figures(walked.statistics)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame as programs read them: what is missing is null."""
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def state_words(frozen: object, looks: int) -> str:
    """Return how the hold-out of a study stands."""
    if frozen is None or str(frozen) == "NaT":
        return "open: days kept back are closed"
    return "frozen, not looked at" if not looks else f"frozen, {looks} {'look' if looks == 1 else 'looks'}"


def print_runs(runs: pd.DataFrame) -> None:
    """Print the searches of a study."""
    if runs.empty:
        return
    rows = [
        [f"{row['ts']:%Y-%m-%d %H:%M}", _kind(row), str(row["sets"]), *map(_figure, _judgement(row["statistics"]))]
        for row in runs.to_dict("records")
    ]
    header = ("searched [UTC]", "kind", "new sets", "Sharpe of a session", "deflated", "PBO")
    print_table("Searches", rows, header, left=("searched [UTC]", "kind"))


def _kind(row: Mapping[Any, Any]) -> str:
    searched = row["statistics"].get("search")
    return f"{searched['method']} search" if searched else str(row["kind"])


def _judgement(statistics: dict[str, Any]) -> list[Any]:
    best = (statistics.get("best") or {}).get("sharpe")
    return [best, statistics.get("deflated_sharpe"), statistics.get("pbo")]


def print_looks(looks: pd.DataFrame) -> None:
    """Print the looks at what a study kept back."""
    if looks.empty:
        return
    rows = [
        [str(row["number"]), f"{row['ts']:%Y-%m-%d %H:%M}", row["who"], row["purpose"] or "",
         _figure((row["statistics"] or {}).get("sharpe"))]
        for row in records(looks)
    ]  # fmt: skip
    header = ("look", "when [UTC]", "who", "purpose", "Sharpe")
    print_table("Looks at the days kept back", rows, header, left=("when [UTC]", "who", "purpose"))


def _print_frame(title: str, frame: pd.DataFrame) -> None:
    rows = [[_figure(value) for value in row] for row in frame.itertuples(index=False)]
    print_table(title, rows, [str(name) for name in frame.columns])


def _print_figures(statistics: dict[str, Any]) -> None:
    rows = [[name, _figure(value)] for name, value in statistics.items() if not isinstance(value, dict | list)]
    print_table("", rows, ("figure", ""), left=("figure",))


def _figure(value: Any) -> str:
    if isinstance(value, float):
        return number(value, 0 if abs(value) >= 1000 else 3)
    return "-" if value is None else short_text(value)


def short_text(value: Any) -> str:
    """Return a value as text that fits into a row."""
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
