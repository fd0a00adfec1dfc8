"""Pages on paper: a headless Chromium prints them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from bifrost_lib.core.errors import EnvironmentProblem

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LIMIT_S = 90.0


def find_browser() -> str | None:
    """Return the path of the browser that prints, None where there is none."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def need_browser() -> str:
    """Return the path of the browser that prints.

    Raises
    ------
    EnvironmentProblem
        If there is none; the message says what to install.
    """
    if (found := find_browser()) is None:
        raise EnvironmentProblem(
            "a PDF is printed by Chromium, and none is installed",
            "install one, for example: apt-get install chromium",
        )
    return found


def print_page(page: Path, target: Path) -> None:
    """Print an HTML file, which must need nothing from a network, to a PDF.

    Raises
    ------
    EnvironmentProblem
        If there is no browser, or it prints nothing.
    """
    browser = need_browser()
    with tempfile.TemporaryDirectory(prefix="bifrost-print-") as profile:
        command = [
            browser, "--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
            "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={profile}",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),  # its sandbox refuses to run for root
            "--no-pdf-header-footer", f"--print-to-pdf={target}", page.as_uri(),
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, timeout=LIMIT_S, check=False, umask=0o077)
        except subprocess.TimeoutExpired:
            raise EnvironmentProblem(f"{browser} did not print within {LIMIT_S:.0f} s", "try again") from None
    if not target.exists() or not target.read_bytes().startswith(b"%PDF"):
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise EnvironmentProblem(f"{browser} printed nothing: {said[-1][:300]}", "see whether it starts by itself")
