"""How Voilà gets its kernels from the nursery, and looks after processes that are not its children."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from apps.painting import Painter
from bifrost_lib.core.errors import SourceUnavailable

NAME = "bifrost-nursery"
#: The nursery loads and draws everything once before its first kernel; a new home compiles first.
READY_WITHIN_S = 300.0
HERE = Path(__file__).resolve().parents[1]


class Nursery:
    """The process that kernels are copied from; it ends with this one.

    Parameters
    ----------
    notebooks : sequence of Path
        Of the pages, each drawn once beforehand.
    """

    def __init__(self, notebooks: Sequence[Path]) -> None:
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-P", "-m", "apps.nursery", *map(str, notebooks)]
        search = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
        environ = {**os.environ, "PYTHONPATH": search}
        self._process = subprocess.Popen(command, stdin=theirs.fileno(), stdout=sys.stderr, env=environ)
        theirs.close()
        ours.settimeout(READY_WITHIN_S)
        self._lines = ours.makefile("rw", encoding="utf-8")
        self._socket = ours
        self._one_at_a_time, self._one_picture = asyncio.Lock(), asyncio.Lock()
        self._painter: Painter | None = None
        self._is_ready = False

    async def kernel(self, connection_file: str, *, env: dict[str, str], cwd: str | None) -> int:
        """Return the process id of a new kernel.

        Raises
        ------
        RuntimeError
            If the nursery has ended.
        """
        return await self._copy({"connection_file": connection_file, "env": env, "cwd": cwd})

    async def picture(self, notebook: Path, env: dict[str, str]) -> str:
        """Return what a page's notebook shows first, as HTML.

        Raises
        ------
        RuntimeError
            If the nursery has ended.
        SourceUnavailable
            If there is none after `painting.DRAWN_WITHIN_S`, or drawing it failed; the log says why.
        """
        async with self._one_picture:
            try:
                self._painter = self._painter or await self._new_painter(env)
                return await asyncio.to_thread(self._painter.picture, notebook, env)
            except OSError as problem:
                self._dismiss_painter()  # the next picture is another painter's
                raise SourceUnavailable(f"the first picture of {notebook.stem}", str(problem)) from None

    async def _new_painter(self, env: dict[str, str]) -> Painter:
        with TemporaryDirectory(prefix="bifrost-") as folder, socket.socket(socket.AF_UNIX) as door:
            door.bind(address := str(Path(folder) / "painter"))
            door.listen(1)
            copy = Copy(await self._copy({"paint_at": address, "env": env}))
            return await asyncio.to_thread(Painter, door, copy.kill)

    def _dismiss_painter(self) -> None:
        if self._painter is not None:
            self._painter.close()
            self._painter = None

    async def _copy(self, order: dict[str, Any]) -> int:
        async with self._one_at_a_time:
            if not self._is_ready:
                await asyncio.to_thread(self._answer)
                self._is_ready = True
            return int(await asyncio.to_thread(self._ask, json.dumps(order)))

    def is_alive(self) -> bool:
        """Tell whether kernels can be had."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it, and its copies with it."""
        self._dismiss_painter()
        self._lines.close()
        self._socket.close()
        self._process.terminate()
        self._process.wait()

    def _ask(self, order: str) -> str:
        try:
            self._lines.write(f"{order}\n")
            self._lines.flush()
        except OSError as problem:
            raise RuntimeError(f"the nursery of kernels has ended: {problem}") from None
        return self._answer()

    def _answer(self) -> str:
        if line := self._lines.readline():
            return line
        raise RuntimeError("the nursery of kernels has ended")


class Copy:
    """A kernel's process, which has another parent; as much of `subprocess.Popen` as a provisioner asks for."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        try:
            self._watch = os.pidfd_open(pid)  # the process itself, whoever has its number later
        except ProcessLookupError:
            self._watch, self.returncode = -1, 1

    def poll(self) -> int | None:
        """Return None while it lives."""
        if self.returncode is None:
            ended = select.poll()
            ended.register(self._watch, select.POLLIN)
            if ended.poll(0):
                os.close(self._watch)
                self.returncode = 0
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return once it has ended.

        Raises
        ------
        TimeoutError
            If it still lives after `timeout` seconds.
        """
        if self.poll() is None:
            ended = select.poll()
            ended.register(self._watch, select.POLLIN)
            if not ended.poll(None if timeout is None else timeout * 1000):
                raise TimeoutError(f"process {self.pid} has not ended")
        return self.poll() or 0

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still lives."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._watch, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class NurseryProvisioner(LocalProvisioner):
    """Orders a kernel from the nursery where others start a process."""

    nursery: ClassVar[Nursery]

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Take a kernel from the nursery; its own command line is only read for its connection file."""
        if self.parent is None:
            raise RuntimeError("a kernel of the nursery has a manager")
        pid = await self.nursery.kernel(
            str(self.parent.connection_file), env=dict(kwargs["env"]), cwd=kwargs.get("cwd")
        )
        self.process = Copy(pid)  # type: ignore[assignment]
        self.pid = self.pgid = pid  # a session of its own
        self.cwd = kwargs.get("cwd")
        return self.connection_info


def take_kernels_from(nursery: Nursery, config: Any) -> None:
    """Let servers of `config` have their kernels from the nursery."""
    NurseryProvisioner.nursery = nursery
    KernelProvisionerFactory.provisioners[NAME] = EntryPoint(
        NAME, f"{__name__}:{NurseryProvisioner.__name__}", KernelProvisionerFactory.GROUP_NAME
    )
    config.KernelProvisionerFactory.default_provisioner_name = NAME
