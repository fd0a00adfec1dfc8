"""A Dask client: this machine's own cores by default, the scheduler that the settings name otherwise."""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bifrost_lib.core.errors import EnvironmentProblem, SettingsError, SourceUnavailable
from bifrost_lib.core.settings import Settings, load_settings

if TYPE_CHECKING:
    from dask.distributed import Client, Security

log = logging.getLogger(__name__)

ANSWER_WITHIN_S = 20.0
MEMORY_SHARE = 0.6  # of the machine, for all workers together: databases, pages and notebooks live on it too
_GB = 1e9
_CREDENTIALS = ("ca.pem", "node.pem", "node-key.pem")
#: The workers' data are small and their large arrays are maps of files, which the kernel takes back by itself: only a
#: process that is about to exhaust its share is ended, and started again.
_MEMORY = {"target": False, "spill": False, "pause": False, "terminate": 0.95}
_QUIET = {
    **{f"distributed.worker.memory.{name}": value for name, value in _MEMORY.items()},
    "distributed.scheduler.allowed-failures": 1,  # what ended two workers is looked at, and cut into halves
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,  # nobody looks at it
    "distributed.comm.timeouts.connect": f"{ANSWER_WITHIN_S:g}s",
}
_THREADS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def connect(settings: Settings | None = None, *, workers: int | None = None) -> Client:
    """Return a Dask client for sweeps; leaving it, or closing it, ends what it has started.

    Parameters
    ----------
    settings : Settings, optional
        Default: from the environment and ``$BIFROST_HOME/bifrost.toml``. ``dask_scheduler`` names a scheduler to use;
        without it workers are started on this machine, processes of one thread each, which listen on loopback
        alone and believe only those who hold the certificate made for this cluster.
    workers : int, optional
        Of the cluster on this machine; default: the setting ``dask_workers``, else one for each core.

    Raises
    ------
    SettingsError
        If the scheduler is on another machine and its connection is not to be encrypted, or a file for that is absent.
    SourceUnavailable
        If the scheduler that the settings name does not answer.

    Notes
    -----
    A script that calls this needs ``if __name__ == "__main__":`` around what it does, because each worker imports it.
    Other clients of Dask do as well: whatever takes a client takes one of dask-gateway, or of a cluster of one's own.

    Examples
    --------
    >>> with connect() as client:  # doctest: +SKIP
    ...     result = run_sweep(documents, cube, client=client)
    """
    settings = settings or load_settings()
    if settings.dask_scheduler is None:
        return _started_here(settings, workers)
    return _reached(settings)


def security_of(settings: Settings) -> Security | None:
    """Return the certificates of the folder that the setting ``dask_tls`` names; None without it.

    Raises
    ------
    SettingsError
        If one of its files is absent, or others than the owner may read the key.
    """
    from dask.distributed import Security

    folder = settings.dask_tls
    if folder is None:
        return None
    authority, certificate, key = (folder / name for name in _CREDENTIALS)
    for path in (authority, certificate, key):
        if not path.is_file():
            raise SettingsError("dask_tls", str(folder), f"has no file {path.name}; it needs {', '.join(_CREDENTIALS)}")
    if key.stat().st_mode & 0o077:
        raise SettingsError("dask_tls", str(key), "can be read by others; chmod 600 keeps them out")
    parts = {f"tls_{role}_cert": str(certificate) for role in ("client", "scheduler", "worker")}
    parts |= {f"tls_{role}_key": str(key) for role in ("client", "scheduler", "worker")}
    return Security(tls_ca_file=str(authority), require_encryption=True, **parts)


def is_loopback(address: str) -> bool:
    """Tell whether an address such as ``tcp://127.0.0.1:8786`` can be reached from this machine alone."""
    host = urlsplit(address).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def check_encrypted(address: str, settings: Settings) -> None:
    """Refuse a connection that leaves the machine in the clear: whoever can speak to a scheduler can run anything.

    Raises
    ------
    SettingsError
    """
    if address.startswith("tls://") and settings.dask_tls is None:
        raise SettingsError("dask_tls", "default", f"is needed for {address}: a folder with {', '.join(_CREDENTIALS)}")
    if address.startswith("tcp://") and not is_loopback(address):
        raise SettingsError("dask_scheduler", address, "leaves this machine, so it must be tls://, with dask_tls")


def machine_memory() -> int:
    """Return the bytes of memory that this machine, or the control group of this process, may use."""
    size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
    except OSError:
        return size
    return min(size, int(limit)) if limit.isdigit() else size


def _started_here(settings: Settings, workers: int | None) -> Client:
    import dask
    from dask.system import CPU_COUNT

    kind = _patient_client()  # before the configuration is changed: what it imports adds to that
    count = workers or settings.dask_workers or CPU_COUNT
    memory = settings.dask_memory_gb * _GB if settings.dask_memory_gb else MEMORY_SHARE * machine_memory()
    folder = settings.home / "dask"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with dask.config.set(_QUIET):
            client = kind(
                n_workers=count, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None,
                scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
                memory_limit=int(memory / count), local_directory=str(folder), env=dict.fromkeys(_THREADS, "1"),
                security=True, set_as_default=False, direct_to_workers=True, silence_logs=logging.CRITICAL,
            )  # fmt: skip
    except ImportError:  # of the package that makes certificates: on a shared machine loopback is open to every account
        raise EnvironmentProblem("workers need the package cryptography, to keep others out", "install it") from None
    except OSError as error:
        raise EnvironmentProblem(f"no workers could be started: {error}", f"see that {folder} can be written") from None
    client.register_plugin(_deaf_to_ctrl_c(), name="bifrost-deaf-to-ctrl-c")
    return client


def _patient_client() -> type[Client]:
    """Return a client whose end does not spoil what it was for: workers of a busy machine may take long to end."""
    from dask.distributed import Client

    logging.getLogger("distributed").setLevel(logging.WARNING)  # it tells of every worker that comes or goes

    class PatientClient(Client):
        """Says so instead of raising when a worker had to be killed."""

        def close(self, *args: Any, **options: Any) -> Any:
            try:
                return super().close(*args, **options)  # type: ignore[no-untyped-call]
            except TimeoutError:
                log.warning("the workers did not end in time and were killed")
                return None

    return PatientClient


def _deaf_to_ctrl_c() -> Any:
    """Return a plugin by which a worker outlives Ctrl-C: a terminal sends it to all, and the client decides."""
    from dask.distributed import WorkerPlugin

    class DeafToCtrlC(WorkerPlugin):
        """Leaves the interrupt to the client."""

        def setup(self, worker: Any) -> None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    return DeafToCtrlC()


def _reached(settings: Settings) -> Client:
    import dask
    from dask.distributed import Client

    address = settings.dask_scheduler
    check_encrypted(address, settings)
    security = security_of(settings)
    try:
        with dask.config.set(_QUIET):
            return Client(address, security=security, timeout=ANSWER_WITHIN_S, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise SourceUnavailable(f"Dask scheduler {address}", str(error) or "no answer") from None
