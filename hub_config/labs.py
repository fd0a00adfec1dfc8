"""A quant's JupyterLab: its kernels, what its processes may see, and when an idle one ends."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from bifrost_lib.core.errors import EnvironmentProblem
from bifrost_lib.core.settings import Settings
from hub_config.database_roles import database_environment
from hub_config.roles import ADMIN, may_research, role_of_groups

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
RUNTIME = "JUPYTER_RUNTIME_DIR"
#: A kernel that computes is never idle; one that nobody looks at ends after this long without a message,
IDLE_KERNEL_S = 2 * 3600
#: and a server without kernels after this long without a request.
IDLE_SERVER_S = 3600
#: Of the environment of `bifrost up` a lab sees these, and nothing that is not listed.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "NUMBA_CACHE_DIR", "SSL_CERT_FILE", "CUDA_HOME", "LD_LIBRARY_PATH")


def kernel_specs(*, gpu: bool) -> dict[str, dict[str, Any]]:
    """Return the kernels by folder name: one that computes on the CPU, and on a machine with a GPU one that uses it."""
    argv = [sys.executable, "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    common = {"argv": argv, "language": "python", "metadata": {"debugger": True}}
    specs = {"python3": common | {"display_name": "Bifrost (CPU)", "env": {"CUDA_VISIBLE_DEVICES": ""}}}
    if gpu:
        specs["bifrost-gpu"] = common | {"display_name": "Bifrost (GPU)", "env": {}}
    return specs


def write_kernels(folder: Path, *, gpu: bool) -> Path:
    """Write the kernels below `folder` and return it, as ``JUPYTER_PATH`` wants it; others there are removed."""
    kernels = folder / "kernels"
    shutil.rmtree(kernels, ignore_errors=True)
    for name, spec in kernel_specs(gpu=gpu).items():
        (kernels / name).mkdir(parents=True)
        (kernels / name / "kernel.json").write_text(json.dumps(spec, indent=1), encoding="utf-8")
    return folder


def write_lab_settings(folder: Path) -> Path:
    """Write what labs begin with below `folder` and return it.

    Nobody is asked whether to fetch news from a website, and a lab is dark where its owner's system is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    first = {
        "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
        "@jupyterlab/apputils-extension:themes": {"adaptive-theme": True},
    }
    (folder / "overrides.json").write_text(json.dumps(first, indent=1), encoding="utf-8")
    return folder


def lab_arguments(settings: Path, *, as_root: bool) -> list[str]:
    """Return what every lab is started with; `settings` is the folder of what labs begin with.

    Messages to kernels go over Unix sockets: over TCP they are unencrypted. An idle kernel ends, a busy one does not,
    and a server ends once it has neither kernels nor requests.
    """
    arguments = [
        "--KernelManager.transport=ipc",
        f"--MappingKernelManager.cull_idle_timeout={IDLE_KERNEL_S}",
        "--MappingKernelManager.cull_interval=300",
        "--MappingKernelManager.cull_busy=False",
        "--MappingKernelManager.cull_connected=True",
        f"--ServerApp.shutdown_no_activity_timeout={IDLE_SERVER_S}",
        f"--LabApp.app_settings_dir={settings}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    return arguments + (["--allow-root"] if as_root else [])


def lab_environment(settings: Settings, kernels: Path, *, url: str) -> dict[str, str]:
    """Return what all labs find in their environment, beside `PASSED_ON` and each its own hub token."""
    given = {"JUPYTER_PATH": str(kernels), "PYTHONPATH": str(NOTEBOOKS.parent), "PLATFORM_URL": url}
    if settings.sample_data is not None:
        given["BIFROST_SAMPLE_DATA"] = str(settings.sample_data)
    return given


async def prepare_lab(spawner: Any, settings: Settings) -> None:
    """Let a lab connect to the database as its owner, with a home of its own: the platform's it neither needs nor gets.

    Raises
    ------
    BifrostError
        If the person has no role, or no login can be made for them; the lab is then not started.
    """
    name, folder = spawner.user.name, Path(spawner.home_dir)
    role = ADMIN if spawner.user.admin else role_of_groups(group.name for group in spawner.user.groups)
    if role is None or not may_research(role):
        raise EnvironmentProblem(f"{name} has no role that researches", "ask whoever looks after the accounts")
    own = await asyncio.to_thread(database_environment, settings, name, role)
    spawner.environment = spawner.environment | own | {"BIFROST_HOME": str(folder / ".bifrost")}
    if settings.hub_auth != "pam":  # there the folder is the person's own, and not ours to write
        await asyncio.to_thread(prepare_folder, folder)
        # The sockets of kernels: their paths may have 107 letters, of which a home folder can take too many.
        spawner.environment[RUNTIME] = tempfile.mkdtemp(prefix="bifrost-lab-")


def clear_lab(spawner: Any) -> None:
    """Remove what a lab that has ended leaves in the system's temporary folder."""
    if runtime := spawner.environment.pop(RUNTIME, None):
        shutil.rmtree(runtime, ignore_errors=True)


def prepare_folder(folder: Path, *, notebooks: Path = NOTEBOOKS) -> None:
    """Copy the tutorials and templates that `folder` lacks into it; what its owner has changed stays."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for source in sorted(notebooks.rglob("*.ipynb")):
        target = folder / source.relative_to(notebooks)
        if "reports" not in source.parts and ".ipynb_checkpoints" not in source.parts and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
