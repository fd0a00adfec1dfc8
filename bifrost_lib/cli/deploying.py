"""``bifrost deploy``: what a web server or an application server is set up with."""

from __future__ import annotations

import json
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bifrost_lib.cli.arguments import Json
from bifrost_lib.cli.output import print_json
from bifrost_lib.core.errors import EnvironmentProblem, InputError

_CHECKOUT = Path(__file__).resolve().parents[2]


class Kind(StrEnum):
    """What can be written."""

    nginx = "nginx"
    systemd = "systemd"


#: Which options mean something for which of them.
_OPTIONS = {Kind.nginx: ("name", "certificate", "key", "upstream"), Kind.systemd: ("user", "tunnel", "compute")}


def deploy(
    kind: Annotated[Kind, typer.Argument(help="nginx: the site of the web server. systemd: a unit for each part.")],
    out: Annotated[Path, typer.Option(help="Folder to write to; made if it is absent.")],
    name: Annotated[str | None, typer.Option(help="nginx: host name that people type.")] = None,
    certificate: Annotated[Path | None, typer.Option(help="nginx: PEM file. Default: Let's Encrypt's.")] = None,
    key: Annotated[Path | None, typer.Option(help="nginx: PEM file of its key.")] = None,
    upstream: Annotated[str | None, typer.Option(help="nginx: host:port of the platform. Default: here.")] = None,
    user: Annotated[str | None, typer.Option(help="systemd: account of the parts. Default: bifrost.")] = None,
    tunnel: Annotated[
        str | None, typer.Option(help="systemd: on a web server, user@host to bring the platform from, by ssh.")
    ] = None,
    compute: Annotated[
        str | None, typer.Option(help="systemd: for sweeps on this machine: scheduler, worker, or scheduler,worker.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write an nginx site or systemd units for the machine and the settings that this runs with, and what to do next.

    Nothing is installed or started. hub_config/OPERATIONS.md says which machine needs what.

    Example: bifrost deploy nginx --name desk.example.org --out deployment
    Example: bifrost deploy systemd --out deployment
    """
    given = {
        "name": name, "certificate": certificate, "key": key, "upstream": upstream, "user": user, "tunnel": tunnel,
        "compute": compute,
    }  # fmt: skip
    words = {option: str(value) for option, value in given.items() if value is not None}
    for option, value in words.items():
        if option not in _OPTIONS[kind]:
            raise InputError(f"--{option}", value, f"only options of {kind}: --{', --'.join(_OPTIONS[kind])}")
    paths = _written(kind, out, words)
    if as_json:
        print_json({"files": paths})
        return
    print("\n".join(paths))
    print(f"Next, as root:\n  {_next_step(kind, out, [Path(path).name for path in paths])}")


def _written(kind: Kind, out: Path, words: dict[str, str]) -> list[str]:
    # The hub's folder stands above the library, so it is run, not imported.
    command = [sys.executable, "-P", "-m", "hub_config.deployment", kind.value, f"--out={out.absolute()}"]
    command += [f"--{option}={value}" for option, value in words.items()]
    done = subprocess.run(command, cwd=_CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        paths: list[str] = json.loads(done.stdout)
        return paths
    said = done.stderr.strip().splitlines() or ["no reason given"]
    raise EnvironmentProblem(f"nothing was written: {said[-1]}", f"see ./bifrost deploy {kind} --help")


def _next_step(kind: Kind, out: Path, names: list[str]) -> str:
    if kind is Kind.nginx:
        return f"cp {out}/bifrost.conf /etc/nginx/conf.d/ && nginx -t && systemctl reload nginx"
    units = "bifrost.target" if "bifrost.target" in names else " ".join(names)
    return f"cp {out}/bifrost* /etc/systemd/system/ && systemctl daemon-reload && systemctl enable --now {units}"
