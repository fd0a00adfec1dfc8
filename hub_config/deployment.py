"""Write what a server is set up with: ``python -m hub_config.deployment nginx|systemd --out DIR``.

`./bifrost deploy` runs it. Files are written whole, and none of them holds a secret.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

from bifrost_lib.core.errors import BifrostError, InputError
from bifrost_lib.core.settings import load_settings
from bifrost_lib.workflows.hub import read_registry
from hub_config.nginx import Site, render_site
from hub_config.systemd import Machine, render_compute, render_tunnel, render_units

CHECKOUT = Path(__file__).resolve().parents[1]


def nginx_files(given: argparse.Namespace) -> dict[str, str]:
    """Return the site by file name."""
    if given.name is None:
        raise InputError("--name", "", "the host name that people type, such as desk.example.org")
    folder = Path("/etc/letsencrypt/live") / given.name
    certificate, key = given.certificate or folder / "fullchain.pem", given.key or folder / "privkey.pem"
    site = Site(given.name, certificate, key, upstream=given.upstream or f"127.0.0.1:{load_settings().hub_port}")
    return {"bifrost.conf": render_site(site)}


def systemd_files(given: argparse.Namespace) -> dict[str, str]:
    """Return the units by file name: the application server's, a web server's tunnel to it, or a compute server's."""
    settings = load_settings()
    if given.compute is not None:
        python = Path(sys.executable)  # of whatever environment this runs in, such as the GPU machine's
        machine = Machine(CHECKOUT, python, settings.home, given.user, systemd=_version())
        return render_compute(machine, given.compute.split(","))
    machine = Machine(
        CHECKOUT, CHECKOUT / ".venv" / "bin" / "python", settings.home, given.user,
        embedded_database=settings.database_url is None, simulated_gateway=not settings.ib_addresses,
        system_accounts=settings.hub_auth == "pam", systemd=_version(),
    )  # fmt: skip
    if given.tunnel is not None:
        return {"bifrost-tunnel.service": render_tunnel(machine, given.tunnel, port=settings.hub_port)}
    return render_units(machine, read_registry())


def _version() -> int:
    """Return the version of systemd here; 252, which knows all that we always write, where there is none."""
    try:
        said = subprocess.run(["systemctl", "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        said = ""
    found = re.match(r"systemd (\d+)", said)
    return int(found[1]) if found else 252


def main(arguments: list[str] | None = None) -> int:
    """Write the files and print their paths, as JSON; problems are one line on standard error."""
    parser = argparse.ArgumentParser(prog="python -m hub_config.deployment")
    parser.add_argument("kind", choices=("nginx", "systemd"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name")
    parser.add_argument("--certificate", type=Path)
    parser.add_argument("--key", type=Path)
    parser.add_argument("--upstream")
    parser.add_argument("--user", default="bifrost")
    parser.add_argument("--tunnel")
    parser.add_argument("--compute")
    given = parser.parse_args(arguments)
    try:
        files = nginx_files(given) if given.kind == "nginx" else systemd_files(given)
        given.out.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (given.out / name).write_text(text, encoding="utf-8")
    except BifrostError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    except OSError as problem:
        sys.stderr.write(f"{given.out} cannot be written: {problem.strerror}\n")
        return 1
    sys.stdout.write(json.dumps([str(given.out / name) for name in files]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
