"""``bifrost recommend`` and ``bifrost calibration``: what was recommended, and whether its probabilities were true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bifrost_lib.cli.arguments import At, Json, Symbol, read_at, read_range
from bifrost_lib.cli.output import number, print_json, print_table
from bifrost_lib.core.errors import InputError

if TYPE_CHECKING:
    from bifrost_lib.analytics import ForecastScores
    from bifrost_lib.workflows import CalibrationReport


def recommend(
    symbol: Symbol,
    strategy: Annotated[str, typer.Option(help="Strategy of the catalogue, or a document's file.")] = "iron_condor",
    ranks: Annotated[str, typer.Option("--ranks", help="Which candidates: 1, or a range such as 1:3.")] = "1",
    dte: Annotated[str | None, typer.Option(help="Calendar days to expiry A:B. Default: the strategy's own.")] = None,
    by: Annotated[str | None, typer.Option(help="Who recommends. Default: you.")] = None,
    at: At = None,
    as_json: Json = False,
) -> None:
    """Scan SYMBOL and remember the best candidates as recommendations, to be marked daily and scored when they expire.

    Example: bifrost recommend SIM --strategy iron_condor --ranks 1:3
    """
    from bifrost_lib.strategies import resolve_strategy
    from bifrost_lib.workflows import find_strategies, open_desk
    from bifrost_lib.workflows import recommend as remember

    wanted = read_range(ranks, name="--ranks")
    if wanted is None or wanted[0] < 1:
        raise InputError("--ranks", ranks, "a rank >= 1, or a range such as 1:3")
    moment, days = read_at(at), read_range(dte, name="--dte")
    with open_desk() as desk:
        found = find_strategies(desk, symbol, resolve_strategy(strategy), dte=days, top=wanted[1], at=moment)
        last = min(wanted[1], len(found.candidates))
        keys = remember(desk, found, list(range(wanted[0], last + 1)), by=by)
    if as_json:
        print_json({"symbol": found.symbol, "strategy": found.strategy.name, "at": found.at, "history_ids": keys})
    else:
        print(f"{len(keys)} recommended: {found.symbol} {found.strategy.name}; `bifrost calibration` scores them later")


def calibration(
    strategy: Annotated[str | None, typer.Option(help="Only this strategy.")] = None,
    symbol: Annotated[str | None, typer.Option(help="Only this underlying.")] = None,
    measure: Annotated[str, typer.Option(help="Which probability: pop, pop_surface or pop_real_world.")] = "pop",
    mark: Annotated[bool, typer.Option(help="First mark what is open, and settle what has ended.")] = True,
    at: At = None,
    as_json: Json = False,
) -> None:
    """Tell whether recommendations won as often as they promised.

    Example: bifrost calibration --strategy iron_condor
    """
    from bifrost_lib.workflows import calibration_report, mark_recommendations, open_desk

    moment = read_at(at)
    with open_desk() as desk:
        if mark:
            mark_recommendations(desk, moment)
        found = calibration_report(desk, at=moment, strategy=strategy, symbol=symbol, measure=measure)
    if as_json:
        print_json(found.as_dict())
    else:
        print_calibration(found)


def print_calibration(found: CalibrationReport) -> None:
    """Print a calibration as tables for people."""
    counts = f"{found.recommended} recommended, {found.open} open, {found.scored} scored"
    if found.scores is None:
        print(f"{counts}: nothing has expired yet. `bifrost recommend SYMBOL` marks a scan as a recommendation.")
        return
    rows = [
        (
            f"{100 * row['low']:.0f}-{100 * row['high']:.0f} %", str(row["n"]), _percent(row["forecast"]),
            _percent(row["observed"]), f"{_percent(row['observed_low'])} to {_percent(row['observed_high'])}",
            "off" if row["is_off"] else "",
        )
        for row in found.curve.to_dict("records")
    ]  # fmt: skip
    header = ("promised", "n", "mean %", "won %", "95 % interval", "")
    print_table(f"Calibration of {found.measure}  ({counts})", rows, header, note=_verdict(found))
    groups = {"all": found.scores, **found.by_strategy, **found.by_symbol}
    print_table(
        "Scores",
        [_scores_row(name, scores) for name, scores in groups.items()],
        ("", "n", "promised %", "won %", "bias pts", "Brier", "skill %", "log loss"),
        left=("",),
    )


def _scores_row(name: str, scores: ForecastScores) -> tuple[str, ...]:
    return (
        name, str(scores.n), _percent(scores.forecast), _percent(scores.observed), f"{100 * scores.bias:+.1f}",
        number(scores.brier, 4), _percent(scores.skill), number(scores.log_loss, 4),
    )  # fmt: skip


def _verdict(found: CalibrationReport) -> str:
    scores = found.scores
    if scores is None:
        return ""
    size = f"{abs(100 * scores.bias):.1f} points too {'high' if scores.bias > 0 else 'low'}"
    text = f"On average {size}, " + ("more than luck explains." if scores.is_biased else "which luck explains.")
    if found.expected is not None and found.expected.positive:
        text += f" Of {found.expected.positive} with a positive expectation {_percent(found.expected.hit_rate)} % won."
    if found.hindsight:
        text += f" {found.hindsight} were marked more than a day after their scan."
    return text


def _percent(value: float | None) -> str:
    return number(None if value is None else 100 * value, 1)
