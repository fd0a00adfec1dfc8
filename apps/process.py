"""What the processes that serve pages have in common: when they say that they are ready, and how trouble ends them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from bifrost_lib.core.errors import BifrostError, EnvironmentProblem
from bifrost_lib.core.settings import Settings, load_settings


def announce() -> None:
    """Say ``ready`` on standard output; whatever comes later goes to standard error."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def run(serve: Callable[[Settings], None]) -> int:
    """Serve until it ends and return the exit status; a problem is one line on standard error."""
    try:
        serve(load_settings())
    except ImportError as problem:
        return _refuse(EnvironmentProblem(str(problem), "install the extra 'notebooks'"))
    except BifrostError as problem:
        return _refuse(problem)
    return 0


def _refuse(problem: BifrostError) -> int:
    sys.stderr.write(f"{problem}\n")
    return 1
