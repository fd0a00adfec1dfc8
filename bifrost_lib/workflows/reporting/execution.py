"""The process in which one attempt runs: ``python -m bifrost_lib.workflows.reporting.execution``.

It reads the job as one line of JSON from its standard input, which stays open for as long as someone waits for the
result; when it closes, the process and its kernel end.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from bifrost_lib.workflows.reporting.processes import ProcessTree

START_TIMEOUT_S = 90
#: What a cell shows may arrive this long after its end; a report without it is a failure, where nbclient says nothing.
SHOWN_WITHIN_S = 60


def main() -> None:
    """Run the notebook that the job names and write what became of it beside its result."""
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_whoever_waits, daemon=True).start()
    outcome = _execute(job)
    Path(job["outcome"]).write_text(json.dumps(outcome), encoding="utf-8")


def _execute(job: dict[str, Any]) -> dict[str, str]:
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    config = Config()
    config.KernelManager.transport = "ipc"  # kernels over TCP are not encrypted
    try:
        papermill.execute_notebook(
            job["notebook"], job["output"], parameters=job["parameters"], kernel_name="python3", cwd=job["folder"],
            progress_bar=False, report_mode=True, start_timeout=START_TIMEOUT_S, config=config,
            iopub_timeout=SHOWN_WITHIN_S, raise_on_iopub_timeout=True,
        )  # fmt: skip
    except PapermillExecutionError as error:
        return {"error": str(error.ename), "problem": f"{error.ename} in cell {error.cell_index}: {error.evalue}"}
    except TimeoutError:
        return {"error": "TimeoutError", "problem": f"what a cell showed did not arrive within {SHOWN_WITHIN_S} s"}
    except DeadKernelError:
        return {"error": "DeadKernelError", "problem": "its kernel died, killed from outside or by a fault of its own"}
    except RuntimeError as error:  # the kernel did not come up
        return {"error": type(error).__name__, "problem": f"the kernel did not start: {error}"}
    return {"error": "", "problem": ""}


def _end_with_whoever_waits() -> None:
    sys.stdin.read()
    tree = ProcessTree(os.getpid())
    tree.kill()  # ourselves with it


if __name__ == "__main__":
    main()
