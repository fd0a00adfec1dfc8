"""Where a home's database cluster lies: in the home, unless the server's account cannot get there."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bifrost_lib.core.errors import StoreError
from bifrost_lib.store.account import Account
from bifrost_lib.store.binaries import SHARED_FOLDER

POINTER = "postgres.location"
_SOCKET_NOTE = "run.location"
#: `sun_path` holds 107 bytes, of which "/.s.PGSQL.5432" takes 14.
_LONGEST_SOCKET_FOLDER = 92
#: `pg_ctl` hands paths to a shell between double quotes.
_UNQUOTABLE = set('"$`\\\n')


@dataclass(frozen=True)
class Location:
    """The folders of one cluster; `base` is ours, and `data` in it belongs to the server's account."""

    home: Path
    base: Path

    @property
    def data(self) -> Path:
        return self.base / "data"

    @property
    def log(self) -> Path:
        return self.base / "server.log"

    @property
    def configuration(self) -> Path:
        return self.base / "server.conf"

    @property
    def password_file(self) -> Path:
        return self.home / "postgres.password"

    @property
    def is_elsewhere(self) -> bool:
        return self.base.parent != self.home


def prepare_home(home: Path) -> None:
    """Make the home folder, or say in one line why that is impossible."""
    try:
        home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the home folder {home} cannot be made: {error.strerror}; set BIFROST_HOME") from None
    if not os.access(home, os.W_OK | os.X_OK):
        raise StoreError(f"the home folder {home} cannot be written; set BIFROST_HOME to a folder of your own")


def locate(home: Path, account: Account) -> Location:
    """Return where the cluster of `home` is, or is to be made, and make that folder.

    As root the cluster belongs to an unprivileged account. A home of ours is opened for passing through (0711);
    its parents never are. Where the account still cannot reach the home, the cluster lies in
    ``/var/lib/bifrost/clusters`` and a file in the home says where.
    """
    pointer = home / POINTER
    if set(str(home)) & _UNQUOTABLE:
        raise StoreError(f"the home folder {home} has a character that PostgreSQL cannot start with; set BIFROST_HOME")
    try:
        if pointer.exists():
            return _made(Location(home, Path(pointer.read_text(encoding="utf-8").strip())), account)
        inside = Location(home, home / "postgres")
        if not inside.base.exists():
            _open_for_passing(home, account)
        if account.can_enter(home):
            return _made(inside, account)
        if inside.base.exists():
            raise StoreError(f"the account {account.name} can no longer enter {home}; make its parents searchable")
        _forget_vanished_homes()
        digest = hashlib.sha256(str(home).encode()).hexdigest()[:12]
        outside = Location(home, SHARED_FOLDER / "clusters" / f"{digest}-{secrets.token_hex(3)}")
        made = _made(outside, account)
        (made.base / "home").write_text(f"{home}\n", encoding="utf-8")
        pointer.write_text(f"{made.base}\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"the database folder of {home} cannot be made: {error.strerror} ({error.filename}); set BIFROST_HOME"
        ) from None
    return made


def socket_folder(location: Location, account: Account) -> Path:
    """Return a private folder for the server's socket, short enough for a socket address.

    A home with a long path gets a folder in the system's temporary folder; its name is drawn afresh so that nobody
    can have prepared it.
    """
    beside = location.base / "run"
    if len(os.fsencode(beside)) <= _LONGEST_SOCKET_FOLDER:
        beside.mkdir(mode=0o700, exist_ok=True)
        account.own(beside, 0o700)
        return beside
    note = location.base / _SOCKET_NOTE
    if note.exists():
        folder = Path(note.read_text(encoding="utf-8").strip())
        if _is_private(folder, account):
            return folder
    folder = Path(tempfile.mkdtemp(prefix="bifrost-", dir="/tmp"))  # shorter than any TMPDIR
    account.own(folder, 0o700)
    note.write_text(f"{folder}\n", encoding="utf-8")
    return folder


def forget_socket_folder(location: Location, folder: Path) -> None:
    """Remove a socket's folder in the temporary folder once the server is gone."""
    if folder.parent != location.base:
        shutil.rmtree(folder, ignore_errors=True)
        (location.base / _SOCKET_NOTE).unlink(missing_ok=True)


def _is_private(folder: Path, account: Account) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return folder.is_dir() and not folder.is_symlink() and found.st_uid == account.uid and not found.st_mode & 0o077


def _made(location: Location, account: Account) -> Location:
    location.base.mkdir(mode=0o700 if account.is_ours else 0o711, parents=True, exist_ok=True)
    return location


def _open_for_passing(home: Path, account: Account) -> None:
    """Let the server's account pass through a home that holds nothing but what we put there."""
    found = home.stat()
    is_ours = found.st_uid == os.geteuid() and all(_is_bifrosts(path.name) for path in home.iterdir())
    if not account.is_ours and is_ours and not found.st_mode & 0o001:
        home.chmod(found.st_mode | 0o011)


def _is_bifrosts(name: str) -> bool:
    return name in ("bifrost.toml", "cache", "clusters") or name.startswith("postgres")


def _forget_vanished_homes() -> None:
    """Remove clusters of temporary homes that are gone, as a run of tests leaves them behind.

    Only homes in the temporary folder count: any other could be on a disk that is not mounted now.
    """
    clusters = SHARED_FOLDER / "clusters"
    temporary = Path(tempfile.gettempdir()).resolve()
    for cluster in clusters.iterdir() if clusters.is_dir() else ():
        note = cluster / "home"
        home = Path(note.read_text(encoding="utf-8").strip()) if note.exists() else None
        if home is not None and temporary in home.parents and not home.exists():
            shutil.rmtree(cluster, ignore_errors=True)
