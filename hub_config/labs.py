"""A quant's JupyterLab: its kernels, what its processes may see, and when an idle one ends."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from bifrost_lib.core.settings import Settings

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
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


def lab_arguments(*, as_root: bool) -> list[str]:
    """Return what every lab is started with.

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
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    return arguments + (["--allow-root"] if as_root else [])


def lab_environment(settings: Settings, kernels: Path) -> dict[str, str]:
    """Return what a lab and its kernels find in their environment, beside `PASSED_ON` and their own hub token."""
    given = {
        "BIFROST_HOME": str(settings.home),
        "JUPYTER_PATH": str(kernels),
        "PYTHONPATH": str(NOTEBOOKS.parent),
        "JUPYTERHUB_SINGLEUSER_APP": "jupyterlab.labapp.LabApp",
    }
    if settings.sample_data is not None:
        given["BIFROST_SAMPLE_DATA"] = str(settings.sample_data)
    if settings.database_url is not None:  # a server of yours: the embedded one is found by the home
        given["BIFROST_DATABASE_URL"] = settings.database_url.replace("+psycopg2", "")
    return given


def prepare_folder(folder: Path, *, notebooks: Path = NOTEBOOKS) -> None:
    """Copy the tutorials and templates that `folder` lacks into it; what its owner has changed stays."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for source in sorted(notebooks.rglob("*.ipynb")):
        target = folder / source.relative_to(notebooks)
        if "reports" not in source.parts and ".ipynb_checkpoints" not in source.parts and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
