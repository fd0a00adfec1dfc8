"""Start the cluster that sweeps go to: ``python -m gpu_cluster.cluster scheduler`` and, on each machine, ``worker``.

Both read the settings: ``BIFROST_DASK_SCHEDULER`` is where the scheduler listens and where workers find it,
``BIFROST_DASK_TLS`` the folder with the certificates, without which nothing leaves the machine. A worker is a process
for each GPU, or where there is none for each core. The Dask programs do the work; this finds the words for them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

from bifrost_lib.core.errors import BifrostError, EnvironmentProblem, SettingsError
from bifrost_lib.core.settings import Settings, load_settings
from bifrost_lib.workflows import sweeps
from gpu_cluster.admission import Card, card_bytes, read_cards

ROLES = ("scheduler", "worker")
CARD_BYTES = "card_bytes"
MEMORY_SHARE = 0.8  # a machine of workers does nothing else
LONGEST_WAIT_S = 300  # a worker that hears from no scheduler for so long ends, and is started again
#: No web pages: whoever may see them could see what others compute. Workers of a busy machine are given time.
_ENVIRONMENT = {
    "DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES": "[]",
    "DASK_DISTRIBUTED__WORKER__HTTP__ROUTES": "[]",
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
    "DASK_DISTRIBUTED__WORKER__MEMORY__TARGET": "False",
    "DASK_DISTRIBUTED__WORKER__MEMORY__SPILL": "False",
    "DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE": "False",
}
_THREADS = dict.fromkeys(("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def scheduler_command(settings: Settings) -> list[str]:
    """Return the words that start the scheduler where the settings say.

    Raises
    ------
    SettingsError
        If they do not say where, or it would listen beyond this machine in the clear.
    """
    address = urlsplit(_address(settings))
    where = ["--host", f"{address.scheme}://{address.hostname}", "--port", str(address.port)]
    program = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    return [*program, *where, "--dashboard-address", "127.0.0.1:0", "--no-dashboard", *_credentials(settings)]


def worker_command(settings: Settings, cards: Sequence[Card], *, host: str | None = None) -> list[str]:
    """Return the words that start this machine's workers.

    Parameters
    ----------
    settings : Settings
    cards : sequence of Card
        One process for each; without any, one for each core, or as many as ``dask_workers`` says.
    host : str, optional
        Address at which the others reach this machine. Default: loopback where the scheduler is, else Dask's choice.

    Raises
    ------
    SettingsError
        As for the scheduler.
    """
    from dask.system import CPU_COUNT

    address = _address(settings)
    count = len(cards) or settings.dask_workers or CPU_COUNT
    memory = settings.dask_memory_gb * 1e9 if settings.dask_memory_gb else MEMORY_SHARE * sweeps.machine_memory()
    common = [address, "--nthreads", "1", "--memory-limit", str(int(memory / count)), "--no-dashboard"]
    common += ["--local-directory", str(settings.home / "dask"), "--death-timeout", str(LONGEST_WAIT_S)]
    if host or sweeps.is_loopback(address):
        common += ["--host", host or "127.0.0.1"]
    common += _credentials(settings)
    if cards:
        usable = min(card_bytes(card) for card in cards)
        # Arrays of one chunk are not moved to the host behind its back: what it takes was reckoned before.
        return [sys.executable, "-m", "dask", "cuda", "worker", *common, "--device-memory-limit", "0",
                "--dashboard-address", "127.0.0.1:0", "--resources", f"{CARD_BYTES}={usable}"]  # fmt: skip
    return [sys.executable, "-m", "distributed.cli.dask_worker", *common, "--nworkers", str(count)]


def environment(role: str) -> dict[str, str]:
    """Return the environment of the process: this one's, with Dask told what the words cannot say."""
    return {**os.environ, **_ENVIRONMENT, **(_THREADS if role == "worker" else {})}


def describe(role: str, settings: Settings, cards: Sequence[Card], command: Sequence[str]) -> str:
    """Return one line that says what is started."""
    address = settings.dask_scheduler
    if role == "scheduler":
        return f"Dask scheduler at {address}"
    if cards:
        names = ", ".join(f"{card.name} ({card_bytes(card) / 1e9:.1f} GB for sweeps)" for card in cards)
        return f"{len(cards)} Dask-CUDA workers for {address}: {names}"
    return f"{command[-1]} Dask workers for {address} on the processors: no GPU answers here"


def usable_cards() -> list[Card]:
    """Return the cards that workers are started for.

    Raises
    ------
    EnvironmentProblem
        If there are cards, and the package that starts workers for them is absent.
    """
    from importlib.util import find_spec

    cards = [card for card in read_cards() if card_bytes(card) > 0]
    if cards and find_spec("dask_cuda") is None:
        raise EnvironmentProblem(
            f"this machine has {len(cards)} GPUs and no dask-cuda",
            "use the environment of environment.yml, or --cpu for workers on the processors",
        )
    return cards


def _address(settings: Settings) -> str:
    address: str | None = settings.dask_scheduler
    if address is None:
        raise SettingsError("dask_scheduler", "default", "says where the scheduler is: tls://host:8786 with dask_tls")
    sweeps.check_encrypted(address, settings)
    return address


def _credentials(settings: Settings) -> list[str]:
    if settings.dask_scheduler.startswith("tcp://"):
        return []
    sweeps.security_of(settings)  # complains if a file is absent, or others may read the key
    folder = settings.dask_tls
    files = {"--tls-ca-file": "ca.pem", "--tls-cert": "node.pem", "--tls-key": "node-key.pem"}
    return [word for option, name in files.items() for word in (option, str(folder / name))]


def _become(command: list[str], environ: dict[str, str]) -> int:
    os.execve(command[0], command, environ)  # noqa: S606 (a list of our own words)


def main(words: list[str] | None = None) -> int:
    """Become the Dask program; problems are one line on standard error."""
    parser = argparse.ArgumentParser(prog="python -m gpu_cluster.cluster", description=__doc__.split("\n")[0])
    parser.add_argument("role", choices=ROLES)
    parser.add_argument("--host", help="worker: address at which the others reach this machine")
    parser.add_argument("--cpu", action="store_true", help="worker: leave GPUs alone")
    given = parser.parse_args(words)
    try:
        settings = load_settings()
        cards = usable_cards() if given.role == "worker" and not given.cpu else []
        if given.role == "scheduler":
            command = scheduler_command(settings)
        else:
            command = worker_command(settings, cards, host=given.host)
        settings.home.mkdir(parents=True, exist_ok=True)
    except BifrostError as error:
        print(f"gpu_cluster.cluster: {error}", file=sys.stderr)
        return 1
    print(describe(given.role, settings, cards, command), flush=True)
    return _become(command, environment(given.role))


if __name__ == "__main__":
    sys.exit(main())
