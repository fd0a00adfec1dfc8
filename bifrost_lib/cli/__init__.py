"""Floor 9: the command line. Every command is a few lines around a workflow."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from bifrost_lib.core.errors import BifrostError


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line: one clear line on stderr and a non-zero exit for anything a user can cause."""
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit status."""
    from bifrost_lib.cli.app import build_app, usage_problem

    try:
        _configure_logging()
        status = build_app()(arguments or ["--help"], prog_name="bifrost", standalone_mode=False)
        return status if isinstance(status, int) else 0
    except BifrostError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return _fail("interrupted", status=130)
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        if (problem := usage_problem(error)) is None:
            raise
        return _fail(problem, status=2) if problem else 1


def _fail(message: str, *, status: int = 1) -> int:
    print("bifrost: " + " ".join(message.split()), file=sys.stderr)
    return status


def _configure_logging() -> None:
    from bifrost_lib.core.settings import load_settings

    logging.basicConfig(level=load_settings().log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
