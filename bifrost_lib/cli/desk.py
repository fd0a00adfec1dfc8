"""``bifrost up``, ``down``, ``status``, ``settings`` and ``doctor``: the platform itself."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bifrost_lib.cli.arguments import Csv, Json, one_format
from bifrost_lib.cli.output import print_csv, print_json, print_table


def up(
    port: Annotated[int | None, typer.Option(help="Port of the pages. Default: setting page_port.")] = None,
    seed: Annotated[bool, typer.Option("--seed/--no-seed", help="Load the simulated history if it is absent.")] = True,
    detach: Annotated[bool, typer.Option("--detach", help="Return when everything is ready; stop it by `down`.")] = False,
) -> None:
    """Start the store and the pages, load a simulated history, and print a ranked scan.

    Example: bifrost up
    """
    from bifrost_lib.workflows import start_detached, start_desk

    if detach:
        print(f"ready: {start_detached(port=port, seed=seed)}")
    else:
        start_desk(port=port, seed=seed, say=_say)


def down() -> None:
    """Stop what `bifrost up` started.

    Example: bifrost down
    """
    from bifrost_lib.workflows import stop_desk

    print("stopped" if stop_desk() else "nothing was running")


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
    held = ("symbol", "source", "first_ts", "last_ts", "contracts")
    rows = [[str(row[key]) for key in held] for row in found["symbols"]]
    if rows:
        print_table("Stored chains", rows, held, left=held[:-1])
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


def _say(line: str) -> None:
    print(line, file=sys.stdout, flush=True)
