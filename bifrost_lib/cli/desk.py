"""``bifrost up``, ``down``, ``status``, ``settings`` and ``doctor``: the platform itself."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bifrost_lib.cli.arguments import Csv, Json, one_format
from bifrost_lib.cli.output import print_csv, print_json, print_table
from bifrost_lib.core.clock import SystemClock
from bifrost_lib.core.errors import BifrostError, NoDataError
from bifrost_lib.core.settings import load_settings

if TYPE_CHECKING:
    from bifrost_lib.workflows import Desk

SHOWN = ("SIM", "iron_condor")


def up(
    port: Annotated[int | None, typer.Option(help="Port of the platform. Default: setting hub_port.")] = None,
    seed: Annotated[bool, typer.Option("--seed/--no-seed", help="Load the simulated history if it is absent.")] = True,
    collect: Annotated[bool, typer.Option("--collect/--no-collect", help="Run a gateway and the collectors.")] = True,
    detach: Annotated[bool, typer.Option(help="Return when everything is ready; `down` stops it.")] = False,
) -> None:
    """Start the whole platform behind one address: store, gateway, collectors, JupyterHub, pages and reports.

    At the first start a simulated history is loaded, and one account is made for each role. The gateway is the one
    in the settings (ib_host and ib_port, or several in ib_gateways), or a simulated one that trades around the clock.

    Example: bifrost up
    """
    from bifrost_lib.workflows import running_platform, start_detached

    found = running_platform(load_settings())
    if found is not None and found.ready:
        print(f"already running since {found.since} (bifrost down stops it)\nready: {found.url}")
    elif detach:
        _print_first_accounts()  # here, so that no log holds a password
        options = ["--seed" if seed else "--no-seed", "--collect" if collect else "--no-collect"]
        options += [f"--port={port}"] if port else []
        print(f"ready: {start_detached(load_settings(), options, tell=_say)}")
    else:
        _run_desk(port, seed=seed, collect=collect)


def _print_first_accounts() -> None:
    from bifrost_lib.workflows.hub import first_accounts

    settings = load_settings()
    if settings.hub_auth == "local" and (passwords := first_accounts(settings.home)):
        _say(f"accounts, shown once; kept in {settings.home / 'credentials'}, which only you can read:")
        for name, password in passwords.items():
            _say(f"  {name:<9} {password}")


def _run_desk(port: int | None, *, seed: bool, collect: bool) -> None:
    from bifrost_lib import backtest
    from bifrost_lib.core.kernels import has_kernels
    from bifrost_lib.workflows import (
        front_commands,
        hold_platform,
        list_symbols,
        open_desk,
        run_services,
        say_ready,
        wait_until_healthy,
    )
    from bifrost_lib.workflows.hub import read_registry

    settings, clock = load_settings(), SystemClock()
    front = front_commands()
    names = [page.name for page in read_registry()]
    with hold_platform(settings, clock, port=port or settings.hub_port, pages=names) as places, _ended_by_signal():
        _print_first_accounts()
        with open_desk(settings=settings, clock=clock) as desk:
            _say(f"store: {desk.store.description}")
            if is_first := not has_kernels():
                _compile()
            is_empty = list_symbols(desk).empty
            if seed and is_empty:
                _seed(desk)  # so that the front has something to draw when it starts
            gateway = _gateway(desk) if collect else nullcontext()
            with run_services(settings, clock, front, tell=_say) as add, gateway:
                if seed and not is_empty:
                    _seed(desk)  # as a rule only a look at what is there, for which the front need not wait
                _show_scan(desk)
                wait_until_healthy(settings, places)
                _begin_gathering(desk, add, collect=collect)
                say_ready(settings)
                _say(f"ready: {places.url}")
                _say("Ctrl-C stops it. In another terminal: ./bifrost status, ./bifrost scan SIM, ./bifrost --help")
                if is_first:
                    backtest.warm_up()  # longer than all that the pages need, and nobody waits for it
                if seed:
                    _seed_findings(desk)
                signal.pause()


def _begin_gathering(desk: Desk, add: Callable[[Mapping[str, Sequence[str]]], None], *, collect: bool) -> None:
    """Start what works for those who look: at first it computes without a pause, so it begins when they are served.

    The others follow the collector of chains, which they wait for: on a small machine it is there sooner alone.
    """
    from bifrost_lib.workflows import collector_commands, report_schedule_command, wait_until_collecting

    followers = report_schedule_command()
    if collect:
        began = desk.clock.now()
        (first, words), *others = collector_commands().items()
        add({first: words})
        followers |= others
        if not wait_until_collecting(desk, since=began):
            _say(f"no collector has reached the gateway yet: see {desk.settings.home / 'logs'}")
    add(followers)


def _compile() -> None:
    """Compile what pages and collectors need."""
    from bifrost_lib import pricing, sim, strategies

    _say("first start: compiling the numerical kernels, a minute or two")
    for package in (pricing, strategies, sim):
        package.warm_up()


def _seed(desk: Desk) -> None:
    """Load the simulated history where it is absent."""
    from bifrost_lib.workflows import seed_simulated_history

    if stored := seed_simulated_history(desk):
        _say(f"simulated history: {stored:,} quotes stored (SIM, SIMX, SIMT are fictional)")


def _seed_findings(desk: Desk) -> None:
    """Give the page of backtests something to show on a first day."""
    from bifrost_lib.workflows.backtests import seed_findings

    try:
        if seed_findings(desk):
            _say("backtests: a kept run and a small library of the simulated year are on their page")
    except BifrostError as trouble:  # the desk is of use without
        _say(f"no backtest to show yet: {trouble}")


def _show_scan(desk: Desk) -> None:
    from bifrost_lib.cli.scanning import print_scan
    from bifrost_lib.workflows import find_strategies, list_symbols

    if SHOWN[0] not in list(list_symbols(desk)["symbol"]):
        return
    try:
        print_scan(find_strategies(desk, *SHOWN, top=5))
    except NoDataError as trouble:  # a chain whose collection has just begun again
        _say(f"no scan to show yet: {trouble}")


@contextmanager
def _ended_by_signal() -> Iterator[None]:
    """Leave the block at SIGTERM as at Ctrl-C, so that everything started in it is ended in order."""

    def end(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one must not interrupt the ending
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    try:
        yield
    except KeyboardInterrupt:
        _say("stopped")


@contextmanager
def _gateway(desk: Desk) -> Iterator[None]:
    """Keep a gateway running, if it is a simulated one, and give the collectors something to watch on it."""
    from bifrost_lib.workflows import kept_gateway, watch_simulated

    if watch_simulated(desk):
        _say("watchlist: SIM, SIMX and SIMT (./bifrost watch SPY adds one)")
    simulated = not desk.settings.ib_addresses
    with kept_gateway(desk.settings, tell=_say) as found:
        _say(f"gateway: {'simulated, ' if simulated else ''}{', '.join(map(str, found.ib_addresses))}")
        yield


def down() -> None:
    """Stop what `bifrost up` started.

    Example: bifrost down
    """
    from bifrost_lib.workflows import stop_platform

    print("stopped" if stop_platform(load_settings()) else "nothing was running")


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
