"""``bifrost up``, ``down``, ``status``, ``settings`` and ``doctor``: the platform itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bifrost_lib.cli.arguments import Csv, Json, one_format
from bifrost_lib.cli.output import print_csv, print_json, print_table
from bifrost_lib.core.errors import EnvironmentProblem, NoDataError

if TYPE_CHECKING:
    from bifrost_lib.workflows import Desk

SHOWN = ("SIM", "iron_condor")


def up(
    port: Annotated[int | None, typer.Option(help="Port of the pages. Default: setting page_port.")] = None,
    seed: Annotated[bool, typer.Option("--seed/--no-seed", help="Load the simulated history if it is absent.")] = True,
    collect: Annotated[bool, typer.Option("--collect/--no-collect", help="Run a gateway and the collectors.")] = True,
    detach: Annotated[bool, typer.Option(help="Return when everything is ready; `down` stops it.")] = False,
) -> None:
    """Start the store, a gateway, the collectors and the pages, load a simulated history, and print a ranked scan.

    The gateway is the one in the settings (ib_host, ib_port), or a simulated one that trades around the clock.

    Example: bifrost up
    """
    from bifrost_lib.core.settings import load_settings
    from bifrost_lib.workflows import running_pages, start_detached

    if (pages := running_pages(load_settings())) is not None:
        print(f"already running since {pages.since} (bifrost down stops it)\nready: {pages.url}")
    elif detach:
        options = ["--seed" if seed else "--no-seed", "--collect" if collect else "--no-collect"]
        options += [f"--port={port}"] if port else []
        print(f"ready: {start_detached(load_settings(), options)}")
    else:
        _run_desk(port, seed=seed, collect=collect)


def _run_desk(port: int | None, *, seed: bool, collect: bool) -> None:
    from bifrost_lib import pricing, sim
    from bifrost_lib.cli.scanning import print_scan
    from bifrost_lib.core.kernels import has_kernels
    from bifrost_lib.workflows import (
        collector_commands,
        find_strategies,
        list_symbols,
        live_command,
        live_url,
        open_desk,
        report_schedule_command,
        run_services,
        seed_simulated_history,
        serve_pages,
    )

    with open_desk() as desk:
        _say(f"store: {desk.store.description}")
        if not has_kernels():
            _say("first start: compiling the numerical kernels, a minute or two")
            pricing.warm_up()
            sim.warm_up()
        if seed and (stored := seed_simulated_history(desk)):
            _say(f"simulated history: {stored:,} quotes stored (SIM, SIMX, SIMT are fictional)")
        symbols = list(list_symbols(desk)["symbol"])
        if SHOWN[0] in symbols:
            try:
                print_scan(find_strategies(desk, *SHOWN, top=5))
            except NoDataError as trouble:  # a chain whose collection has just begun again
                _say(f"no scan to show yet: {trouble}")
        commands = live_command(port) | report_schedule_command()
        commands |= collector_commands() if collect else {}
        with (
            _gateway(desk) if collect else nullcontext(),
            serve_pages(desk.settings, desk.clock, port=port) as pages,
            run_services(desk.settings, desk.clock, commands),
        ):
            _say(f"ready: {pages.url}")
            _say(f"live: {live_url(desk.settings, pages.url, port)}")
            _say("Ctrl-C stops it. In another terminal: ./bifrost scan SIM --strategy iron_condor, ./bifrost --help")
            pages.wait()
    raise EnvironmentProblem("the pages stopped by themselves", f"see {desk.settings.home / 'logs' / 'pages.log'}")


@contextmanager
def _gateway(desk: Desk) -> Iterator[None]:
    """Keep a gateway running, if it is a simulated one, and give the collectors something to watch on it."""
    from bifrost_lib.workflows import gateway_for, watch_simulated

    if watch_simulated(desk):
        _say("watchlist: SIM, SIMX and SIMT (./bifrost watch SPY adds one)")
    simulated = desk.settings.ib_port is None
    with gateway_for(desk.settings) as found:
        _say(f"gateway: {'simulated, ' if simulated else ''}{found.ib_host}:{found.ib_port}")
        yield


def down() -> None:
    """Stop what `bifrost up` started.

    Example: bifrost down
    """
    from bifrost_lib.core.settings import load_settings
    from bifrost_lib.workflows import stop_pages

    print("stopped" if stop_pages(load_settings()) else "nothing was running")


def status(as_json: Json = False, as_csv: Csv = False) -> None:
    """Tell what runs, and how much data of what age the store holds.

    Example: bifrost status --json
    """
    from bifrost_lib.workflows import desk_status

    one_format(as_json, as_csv)
    found = desk_status()
    if as_json:
        print_json(found)
        return
    parts = ("name", "state", "pid", "since", "detail")
    if as_csv:
        print_csv(found["parts"], parts)
        return
    print_table("Parts", [[str(part[key] or "-") for key in parts] for part in found["parts"]], parts, left=parts)
    held = ("symbol", "source", "first_ts", "last_ts", "sessions", "rows")
    rows = [[_cell(row[key]) for key in held] for row in found["symbols"]]
    if rows:
        print_table("Stored chains", rows, held, left=held[:4])
    else:
        print("No chains are stored yet: `bifrost up` loads a simulated history, `bifrost ingest PATH` your own.")


def settings(as_json: Json = False, as_csv: Csv = False) -> None:
    """Print every setting, its value and where the value comes from.

    Example: bifrost settings
    """
    from bifrost_lib.core.settings import load_settings

    one_format(as_json, as_csv)
    loaded = load_settings()
    keys = ("name", "value", "origin", "variable", "help")
    home = ("home", str(loaded.home), "BIFROST_HOME or default", "BIFROST_HOME", "folder of data, secrets and logs")
    listed = [home] + [
        (row.setting.name, row.shown, row.origin, row.setting.variable, row.setting.help) for row in loaded.rows()
    ]
    if as_json:
        print_json({"settings": [dict(zip(keys, row, strict=True)) for row in listed]})
    elif as_csv:
        print_csv([dict(zip(keys, row, strict=True)) for row in listed], keys)
    else:
        print_table("Settings", [[*row[:3], row[4]] for row in listed], ("name", "value", "origin", "help"),
                    left=("name", "value", "origin", "help"))  # fmt: skip


def doctor(as_json: Json = False, as_csv: Csv = False) -> None:
    """Check this machine for everything that Bifrost needs, and say what to do about what is missing.

    Example: bifrost doctor
    """
    from bifrost_lib.workflows import diagnose

    one_format(as_json, as_csv)
    keys = ("check", "state", "detail", "remedy")
    checks = diagnose()
    if as_json:
        print_json({"checks": checks})
    elif as_csv:
        print_csv(checks, keys)
    else:
        print_table("Doctor", [[str(row[key]) for key in keys] for row in checks], keys, left=keys)
    if any(row["state"] == "fail" for row in checks):
        raise typer.Exit(1)


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _say(line: str) -> None:
    print(line, file=sys.stdout, flush=True)
