"""The database that Bifrost starts by itself: the first process to need it starts it, the last one stops it."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psycopg2
from sqlalchemy import URL

from bifrost_lib.core.errors import StoreError
from bifrost_lib.store import cluster
from bifrost_lib.store.account import server_account
from bifrost_lib.store.binaries import postgres_programs
from bifrost_lib.store.location import forget_socket_folder, locate, prepare_home, socket_folder
from bifrost_lib.store.locks import SharedUse, exclusive

DATABASE = "bifrost"
#: What a server says that will soon take connections, or soon be gone.
_PASSING = ("starting up", "not yet accepting", "shutting down", "in recovery")
_LONGEST_LOG = 4 << 20
_log = logging.getLogger(__name__)


class EmbeddedServer:
    """The PostgreSQL of one home folder, started when needed.

    While the object is open it holds a share in a lock file of the home. Whoever closes last stops the server; a
    process that was killed loses its share with its life, so nothing has to be cleaned up after it.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        prepare_home(home)
        self._account = server_account()
        self._programs = postgres_programs(self._account)
        self._owner = os.getpid()
        with exclusive(self._start_lock):
            self.location = locate(home, self._account)
            self._sockets = socket_folder(self.location, self._account)
            if not cluster.exists(self.location):
                cluster.create(self.location, self._account, self._programs)
            cluster.check_version(self.location, self._programs)
            self._password = cluster.password(self.location)
            self._share = SharedUse(home / "postgres.lock")
            try:
                self._run()
            except BaseException:
                self._share.release()
                raise
        atexit.register(self.close)
        _end_on_terminate()

    @property
    def _start_lock(self) -> Path:
        return self.home / "postgres.start.lock"

    @property
    def description(self) -> str:
        """Where the data are, in words."""
        return f"embedded PostgreSQL, data in {self.location.data}"

    def url(self, database: str = DATABASE) -> URL:
        """Return the address of a database of this server, password included but hidden when printed."""
        return URL.create(
            "postgresql+psycopg2",
            username=cluster.ROLE,
            password=self._password,
            database=database,
            query={"host": str(self._sockets), "port": "5432"},
        )

    def connect(self, **options: Any) -> Any:
        """Return a driver connection; a server that was killed in the meantime is started again.

        Raises
        ------
        StoreError
            If it cannot be started.
        """
        try:
            return self._connection(DATABASE, **options)
        except psycopg2.OperationalError:
            with exclusive(self._start_lock):
                self._run()
        return self._connection(DATABASE, **options)

    def close(self) -> None:
        """Give up our share and, if it was the last one, stop the server. A second call does nothing."""
        if os.getpid() != self._owner:
            return  # a forked child shares our lock: what it does here would be done to its parent
        atexit.unregister(self.close)
        if not self.home.exists():
            self._share.release()
            return
        with exclusive(self._start_lock):
            if self._share.is_last():
                self._stop()
            self._share.release()

    def _connection(self, database: str, **options: Any) -> Any:
        return psycopg2.connect(
            host=str(self._sockets), port=5432, user=cluster.ROLE, password=self._password, dbname=database, **options
        )

    def _run(self) -> None:
        """See to it that the server answers; the caller holds the lock on starting."""
        problem = self._answer()
        if problem is None:
            return
        self._rotate_log()
        for attempt in range(3):
            self._start()
            problem = self._answer()
            if problem is None:
                return
            if attempt < 2:
                self._clear_remains()
        raise StoreError(f"the database in {self.location.data} does not start: {self._last_words(problem)}")

    def _answer(self) -> str | None:
        """Return None once the server takes our connections, or why there is none.

        A server that lives but refuses us (too many connections, a wrong password) must not be started again.
        """
        deadline = time.monotonic() + 120.0  # recovery after a crash replays up to 4 GB of log
        while True:
            try:
                self._connection(DATABASE).close()
                return None
            except psycopg2.OperationalError as error:
                text = str(error).strip()
            if f'database "{DATABASE}" does not exist' in text:
                self._create_database()
            elif "password authentication failed" in text:
                raise StoreError(
                    f"the password in {self.location.password_file} is not that of the data in {self.location.data}"
                )
            elif "FATAL:" in text and not any(words in text for words in _PASSING):
                reason = text.split("FATAL:")[-1].strip().splitlines()[0]
                raise StoreError(f"the database in {self.location.data} refuses connections: {reason}")
            elif "FATAL:" not in text:
                return text
            if time.monotonic() > deadline:
                return text
            time.sleep(0.02)

    def _create_database(self) -> None:
        connection = self._connection("postgres")
        try:
            connection.autocommit = True
            connection.cursor().execute(f"CREATE DATABASE {DATABASE}")
        finally:
            connection.close()

    def _start(self) -> None:
        cluster.configure(self.location, self._account, self._sockets)
        self._log_start = self.location.log.stat().st_size if self.location.log.exists() else 0
        configuration = shlex.quote(f"config_file={self.location.configuration}")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._control(
                *("start", "--wait", "--timeout=120", "--silent"),
                *(f"--log={self.location.log}", f"--options=-c {configuration}"),
            )

    def _stop(self) -> None:
        try:
            done = self._control("stop", "--mode=fast", "--wait", "--timeout=120", "--silent")
        except subprocess.TimeoutExpired:
            done = None
        if (done is None or done.returncode != 0) and (self.location.data / "postmaster.pid").exists():
            _log.warning("the database in %s did not stop", self.location.data)
            return
        forget_socket_folder(self.location, self._sockets)

    def _control(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self._account.run([self._programs / "pg_ctl", f"--pgdata={self.location.data}", *words], timeout_s=150.0)

    def _clear_remains(self) -> None:
        """End what a killed server left behind: processes that still hold its memory, and its pid file.

        A process belongs to it if its working folder is the data folder. The pids in its lock files prove nothing:
        after a restart of the machine they can be anyone's, and in a container they can be of dead processes that
        nobody collects.
        """
        remains = _processes_in(self.location.data)
        for signal_number in (signal.SIGQUIT, signal.SIGKILL):
            for pid in remains:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal_number)
            deadline = time.monotonic() + 3.0
            while (remains := _processes_in(self.location.data)) and time.monotonic() < deadline:
                time.sleep(0.02)
        if not remains and Path("/proc/self").exists():
            for lock in (self.location.data / "postmaster.pid", *self._sockets.glob(".s.PGSQL.*")):
                lock.unlink(missing_ok=True)

    def _rotate_log(self) -> None:
        if self.location.log.exists() and self.location.log.stat().st_size > _LONGEST_LOG:
            self.location.log.replace(self.location.log.with_suffix(".log.1"))

    def _last_words(self, otherwise: str) -> str:
        """Return what the log says of the last start, and what to do about it."""
        said = ""
        if self.location.log.exists():
            with self.location.log.open("rb") as file:
                file.seek(self._log_start)
                said = file.read(1 << 20).decode("utf-8", "replace")
        line = cluster.telling_line(said or otherwise)
        return f"{line} ({cluster.remedy(line, self.location.data)}; log: {self.location.log})"


def _processes_in(folder: Path) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (entry / "cwd").readlink() == folder.resolve():
                found.append(int(entry.name))
    return found


def _end_on_terminate() -> None:
    """Let SIGTERM end the process as Ctrl-C does, so that the last one out stops the server."""
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
