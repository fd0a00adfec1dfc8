"""``bifrost library``: backtests that were computed beforehand, and what they answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bifrost_lib.cli.arguments import At, Csv, Json, one_format, read_at, read_date
from bifrost_lib.cli.backtest_arguments import read_fills, tell_on_terminal
from bifrost_lib.cli.output import frame_rows, number, print_csv, print_json, print_table
from bifrost_lib.core.errors import FileFormatError, InputError

if TYPE_CHECKING:
    from bifrost_lib.workflows.backtests import LibraryAnswer

app = typer.Typer(no_args_is_help=True, help="Libraries of backtests: build one, and ask what worked where.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the library is called.", show_default=False)]


@app.command("build")
def build(
    name: Name,
    file: Annotated[Path, typer.Argument(help="YAML: strategies, each with its grid or nothing.", show_default=False)],
    symbol: Annotated[list[str], typer.Option(help="Underlying; once for each.", show_default=False)],
    split: Annotated[str, typer.Option(help="First day out of sample.", show_default=False)],
    start: Annotated[str | None, typer.Option(help="First session. Default: the first stored.")] = None,
    end: Annotated[str | None, typer.Option(help="Last session. Default: the last stored.")] = None,
    fills: Annotated[
        str, typer.Option(help="mid, realistic, worst, or the fraction of the spread given away.")
    ] = "realistic",
    workers: Annotated[
        int | None, typer.Option(help="Processes that run it; 0 is this one. Default: by its size.", min=0)
    ] = None,
    as_json: Json = False,
) -> None:
    """Run every document of FILE on every symbol and keep what each did in which regime; what is current is left.

    Example: bifrost library build income income.yaml --symbol SIM --symbol SIMX --split 2026-06-01
    """
    from bifrost_lib.workflows import open_desk
    from bifrost_lib.workflows.backtests import build_library, read_shelves

    shelves = read_shelves(_text(file))
    with open_desk() as desk:
        built = build_library(
            desk, name, shelves, symbol, split=read_date(split, name="--split"), start=_day(start, "--start"),
            end=_day(end, "--end"), fills=read_fills(fills), workers=workers,
            tell=tell_on_terminal(),
        )  # fmt: skip
    if as_json:
        print_json(asdict(built))
        return
    print(f"{name}: {built.documents:,} documents on {len(built.computed)} symbols, {built.rows:,} results stored")
    if built.stopped:
        print("stopped: what is finished is kept, and the same command goes on from there")
    if built.current:
        print(f"up to date: {', '.join(built.current)}")
    for each, reason in built.skipped.items():
        print(f"! {each}: {reason}")


@app.command("list")
def list_libraries(at: At = None, as_json: Json = False) -> None:
    """List the libraries, newest first.

    Example: bifrost library list
    """
    from bifrost_lib.store import libraries
    from bifrost_lib.workflows import open_desk

    with open_desk() as desk:
        found = libraries(desk.store, at=read_at(at))
    rows = frame_rows(found, ("library", "computed_ts", "symbols", "definition"))
    if as_json:
        print_json({"libraries": rows})
    elif rows:
        shown = [
            (str(row["library"]), str(row["computed_ts"])[:16], str(row["symbols"]), str(_size(row["definition"])))
            for row in rows
        ]
        print_table("Libraries", shown, ("library", "computed", "symbols", "documents"), left=("library",))
    else:
        print("There are no libraries yet: `bifrost library build --help` shows how to make one.")


@app.command("ask")
def ask(
    name: Name,
    like: Annotated[str | None, typer.Option(help="A symbol: those most like it answer. Default: all.")] = None,
    neighbours: Annotated[int, typer.Option(help="How many of them.", min=1)] = 10,
    symbol: Annotated[list[str] | None, typer.Option(help="These symbols answer instead; once for each.")] = None,
    iv_rank: Annotated[str, typer.Option(help="IV rank at entry: any, low, middle or high third.")] = "any",
    trend: Annotated[str, typer.Option(help="Trend at entry: any, up, flat or down.")] = "any",
    strategy: Annotated[str | None, typer.Option(help="This strategy alone.")] = None,
    sample: Annotated[str, typer.Option(help="out, or in: what one might have chosen by.")] = "out",
    least_trades: Annotated[int, typer.Option(help="Leave out documents with fewer trades.", min=1)] = 30,
    order: Annotated[str, typer.Option(help="Figure to order by, best first.")] = "return_low",
    top: Annotated[int, typer.Option(help="How many documents.", min=1)] = 15,
    at: At = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Ask what worked on symbols like one, in a regime, out of sample and after costs.

    Example: bifrost library ask income --like SIM --iv-rank high --trend up
    """
    from bifrost_lib.workflows import open_desk
    from bifrost_lib.workflows.backtests import what_worked

    one_format(as_json, as_csv)
    if sample not in ("out", "in"):
        raise InputError("--sample", sample, "out or in")
    with open_desk() as desk:
        answer = what_worked(
            desk, name, like=like, neighbours=neighbours, symbols=symbol or None, iv_rank=iv_rank, trend=trend,
            strategy=strategy, sample="out" if sample == "out" else "in", least_trades=least_trades, order=order,
            top=top, at=read_at(at),
        )  # fmt: skip
    rows = frame_rows(answer.table, list(answer.table.columns))
    if as_json:
        print_json(_as_dict(answer, rows))
    elif as_csv:
        print_csv(rows, list(answer.table.columns))
    else:
        _print_answer(answer, rows)


def _print_answer(answer: LibraryAnswer, rows: list[dict[str, Any]]) -> None:
    shown = [
        (
            f"{row['strategy']}{_words(row['parameters'])}", str(row["symbols"]), f"{row['priced']:,}",
            _span(row, "win_rate", digits=0), _span(row, "return_mean", "return", digits=1),
            number(_share(row["return_mean_in"]), 1), number(row["pnl_mean"], 0), number(row["days_mean"], 0),
            number(_share(row["deflated_sharpe"]), 0), number(_share(row["overfitting"]), 0),
        )
        for row in rows
    ]  # fmt: skip
    header = (
        "strategy", "symbols", "trades", "win %", "return on margin %", "other sample %", "P&L $", "days",
        "not luck %", "overfit %",
    )  # fmt: skip
    regime = ", ".join(
        f"{what} {value}" for what, value in (("IV rank", answer.iv_rank), ("trend", answer.trend)) if value != "any"
    )
    sample = {"out": "out of sample", "in": "IN SAMPLE"}[answer.sample]
    title = f"{answer.library}: what worked {sample}, after costs" + (f", {regime}" if regime else "")
    note = f"on {', '.join(answer.symbols['symbol'])}; computed {answer.computed:%Y-%m-%d %H:%M} UTC"
    note += f"; {answer.thin:,} documents had too few trades" if answer.thin else ""
    print_table(title, shown, header, left=("strategy",), note=note)


def _as_dict(answer: LibraryAnswer, rows: list[dict[str, Any]]) -> dict[str, Any]:
    facts = {key: getattr(answer, key) for key in ("library", "sample", "iv_rank", "trend", "computed", "thin")}
    symbols = frame_rows(answer.symbols, list(answer.symbols.columns))
    return {**facts, "symbols": symbols, "strategies": rows}


def _span(row: Mapping[str, Any], name: str, ends: str = "", *, digits: int) -> str:
    low, high = (_share(row[f"{ends or name}_{end}"]) for end in ("low", "high"))
    return f"{number(_share(row[name]), digits)} ({number(low, digits)} to {number(high, digits)})"


def _share(value: float | None) -> float | None:
    return None if value is None else 100 * value


def _words(parameters: Mapping[str, Any]) -> str:
    return "".join(f"\n  {path} {json.dumps(value)}" for path, value in parameters.items())


def _size(definition: Mapping[str, Any]) -> int:
    return sum(len(hashes) for hashes in definition["strategies"].values())


def _day(text: str | None, name: str) -> date | None:
    return None if text is None else read_date(text, name=name)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise FileFormatError(path, getattr(error, "strerror", None) or "it is no text") from None
