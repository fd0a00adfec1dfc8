"""``bifrost study``: searches that keep days back, the choice, and the looks at those days that count."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from bifrost_lib.cli.arguments import Json, read_date
from bifrost_lib.cli.backtest_arguments import (
    Maximised,
    Seed,
    Sets,
    read_fills,
    read_grid_file,
    read_search,
    tell_best_on_terminal,
)
from bifrost_lib.cli.backtest_printing import print_sets, print_statistics, search_words
from bifrost_lib.cli.output import print_json, print_table
from bifrost_lib.cli.study_printing import print_looks, print_runs, print_walk, records, short_text, state_words
from bifrost_lib.core.errors import InputError

app = typer.Typer(no_args_is_help=True, help="Studies: search on some days, be judged once on others.")

Name = Annotated[str, typer.Argument(help="Name of the study.", show_default=False)]


@app.command("new")
def begin(
    name: Name,
    document: Annotated[str, typer.Argument(help="A name of the catalogue, or a file.", show_default=False)],
    symbol: Annotated[list[str], typer.Option("--symbol", help="Underlying; once for each.", show_default=False)],
    start: Annotated[str, typer.Option(help="First day, for example 2024-01-02.", show_default=False)],
    holdout: Annotated[str, typer.Option(help="From this day on, all is kept back.", show_default=False)],
    end: Annotated[str | None, typer.Option(help="Last day. Default: today.")] = None,
    grid: Annotated[Path | None, typer.Option(help="Grid in YAML or JSON: parameter to its values.")] = None,
    fills: Annotated[str, typer.Option(help="mid, realistic, worst, or the share of the spread.")] = "realistic",
    capital: Annotated[float, typer.Option(help="Of the account at the start.")] = 100_000.0,
    as_json: Json = False,
) -> None:
    """Begin a study: what it searches and which days it keeps back, for good.

    Example: bifrost study new calm iron_condor --symbol SPY --start 2023-01-03 --holdout 2025-01-02 --grid grid.yaml
    """
    from bifrost_lib.core.calendar import exchange_date
    from bifrost_lib.strategies import resolve_strategy
    from bifrost_lib.workflows import open_desk, studies

    with open_desk() as desk:
        study = studies.begin_study(
            desk, name, resolve_strategy(document), symbol,
            start=read_date(start, name="--start"), holdout_start=read_date(holdout, name="--holdout"),
            end=exchange_date(desk.clock.now()) if end is None else read_date(end, name="--end"),
            grid=read_grid_file(grid) if grid is not None else None, fills=read_fills(fills), capital=capital,
        )  # fmt: skip
    if as_json:
        print_json(study.to_json())
        return
    how = " --search bayesian" if study.has_ranges else ""
    print(f"{name} keeps {study.holdout_start} to {study.holdout_end} back. Next: bifrost study run {name}{how}")


@app.command("list")
def list_all(as_json: Json = False) -> None:
    """List the studies: what they are of, and how their hold-outs stand.

    Example: bifrost study list
    """
    from bifrost_lib.workflows import open_desk, studies

    with open_desk() as desk:
        found = studies.list_studies(desk)
    if as_json:
        print_json(records(found))
        return
    rows = [
        [
            row["name"], " ".join(row["symbols"]), f"{row['start_day']} to {row['end_day']}", str(row["holdout_start"]),
            state_words(row["frozen"], row["looks"]), str(row["sets_tried"]), row["created_by"],
        ]
        for row in found.to_dict("records")
    ]  # fmt: skip
    header = ("study", "symbols", "days", "kept back from", "state", "sets tried", "by")
    print_table(f"{len(rows)} studies", rows, header, left=("study", "symbols", "days", "state", "by"))


@app.command()
def show(name: Name, as_json: Json = False) -> None:
    """Show a study: its searches on the days that may be seen, its choice, and the looks at those kept back.

    Example: bifrost study show calm
    """
    from bifrost_lib import store
    from bifrost_lib.workflows import open_desk, studies

    with open_desk() as desk:
        study = studies.find_study(desk, name)
        runs, looks = store.list_study_runs(desk.store, name), store.list_looks(desk.store, name)
    if as_json:
        told = {"runs": records(runs), "looks_taken": records(looks)}
        print_json(study.to_json() | told)
        return
    rows = [["of", f"{study.document.name} on {', '.join(study.symbols)}"], ["days", f"{study.start} to {study.end}"],
            ["kept back", f"{study.holdout_start} to {study.holdout_end}"],
            ["state", state_words(study.frozen, study.looks)], ["sets tried", str(study.sets_tried)]]  # fmt: skip
    rows += [[f"grid: {path}", short_text(values)] for path, values in (study.grid or {}).items()]
    if study.frozen is not None:
        rows.append(["choice", f"by {study.frozen_by} on {study.frozen:%Y-%m-%d}: {study.reason or 'no reason given'}"])
    print_table(name, rows, ("", ""), left=("", ""))
    print_runs(runs)
    print_looks(looks)


@app.command("run")
def search(
    name: Name,
    walk: Annotated[str | None, typer.Option(help="Walk forward: sessions to learn from and to test, 252:63.")] = None,
    method: Annotated[
        str | None,
        typer.Option("--search", help="Try some sets of the grid, whose ranges need no steps: random or bayesian."),
    ] = None,
    sets: Sets = 100,
    seed: Seed = 0,
    figure: Maximised = "sharpe",
    as_json: Json = False,
) -> None:
    """Simulate the grid of a study on the days that may be seen; a call that ended early goes on where it was.

    Example: bifrost study run calm --walk 252:63
    Search:  bifrost study run calm --search bayesian --sets 200
    """
    from bifrost_lib.workflows import open_desk, studies

    if walk is not None and method is not None:
        raise InputError("--search", method, "no --walk beside it")
    if method is not None:
        known, maximised = read_search(method, figure)
    with open_desk() as desk, _ProgressLine() as tell:
        if walk is not None:
            train, test = _two_counts(walk)
            print_walk(studies.walk_study(desk, name, train=train, test=test, progress=tell), as_json=as_json)
            return
        if method is not None:
            found = studies.search_study(
                desk, name, method=known, sets=sets, seed=seed, how={"figure": maximised},
                tell_best=tell_best_on_terminal(),
            )  # fmt: skip
        else:
            found = studies.run_study(desk, name, progress=tell)
    table = found.table
    if as_json:
        print_json({"sets": records(table), "statistics": found.statistics})
        return
    parameters = list(table.columns[: table.columns.get_loc("document_hash")])
    best_first = table.sort_values("sharpe", ascending=False, kind="stable").to_dict("records")
    note = search_words(found.statistics["search"]) if method is not None else ""
    print_sets(f"{name}: on the days that may be seen", best_first, parameters, found.statistics, note=note)


@app.command()
def freeze(
    name: Name,
    value: Annotated[list[str] | None, typer.Option("--set", help="PARAMETER=VALUE of the choice; for all.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why this one.")] = None,
    as_json: Json = False,
) -> None:
    """Make the choice of a study, for good: the best of its newest search, or the set that you name.

    Example: bifrost study freeze calm --set dte.target=45 --reason "steady over all windows"
    """
    from bifrost_lib.workflows import open_desk, studies

    values = dict(_assignment(text) for text in value) if value else None
    with open_desk() as desk:
        study = studies.freeze_study(desk, name, values=values, reason=reason)
    if as_json:
        print_json(study.to_json())
        return
    print(f"The choice of {name} is made. Every look at what it kept back counts: bifrost study look {name}")


@app.command()
def look(
    name: Name,
    purpose: Annotated[str | None, typer.Option(help="Why you look; kept with it.")] = None,
    as_json: Json = False,
) -> None:
    """Replay the choice of a frozen study on the days that it kept back. The look is counted, whatever it shows.

    Example: bifrost study look calm --purpose "decide on trading it"
    """
    from bifrost_lib.workflows import open_desk, studies

    with open_desk() as desk:
        seen = studies.look_at_study(desk, name, purpose=purpose)
    if as_json:
        print_json({"number": seen.number, "seen_in": seen.seen_in, **seen.result.to_json()})
        return
    print(seen)
    print_statistics(seen.result.statistics)


class _ProgressLine:
    """Show progress in one line of the terminal; nothing where nobody looks."""

    def __enter__(self) -> Callable[[Any], None] | None:
        self._width = 0
        return self._tell if sys.stderr.isatty() else None

    def __exit__(self, *_: object) -> None:
        if self._width:
            sys.stderr.write("\n")

    def _tell(self, step: Any) -> None:
        text = str(step)
        sys.stderr.write("\r" + text.ljust(self._width))
        sys.stderr.flush()
        self._width = len(text)


def _two_counts(text: str) -> tuple[int, int]:
    parts = text.split(":")
    if len(parts) != 2 or not all(part.isdigit() and int(part) for part in parts):
        raise InputError("--walk", text, "sessions to learn from and to test on, for example 252:63")
    return int(parts[0]), int(parts[1])


def _assignment(text: str) -> tuple[str, Any]:
    path, sign, value = text.partition("=")
    if not sign or not path:
        raise InputError("--set", text, "PARAMETER=VALUE, for example dte.target=45")
    try:
        return path, json.loads(value)
    except ValueError:
        return path, value
