"""An executed notebook as one page that stands alone: ``python -m bifrost_lib.views.report_page``.

A process of its own, because drawing needs more memory than the services that ask for it may keep. It reads the job as
JSON from its standard input: `notebook`, `page` (the file to write) and `facts` of the run.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from bifrost_lib.views.report_style import report_style

_STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)
_REMOTE = re.compile(r"""(?:src|href)\s*=\s*["']?\s*(?:https?:)?//""", re.IGNORECASE)


def report_page(notebook: Path, facts: Mapping[str, Any]) -> str:
    """Return an executed notebook as an HTML page without code, that asks nothing of any network.

    Parameters
    ----------
    notebook : Path
        As papermill left it, failed or not.
    facts : mapping
        `name`, `title`, `run`, `attempt`, `parameters`, `started` (ISO 8601), `problem`, `version`.
    """
    from nbconvert import HTMLExporter

    exporter: Any = HTMLExporter()  # type: ignore[no-untyped-call]
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    exporter.raw_template = files("bifrost_lib.views").joinpath("report_page.html").read_text(encoding="utf-8")
    started = datetime.fromisoformat(str(facts["started"]))
    shown = {**facts, "started": f"{started:%Y-%m-%d %H:%M:%S}"}
    resources = {"style": report_style(), "facts": shown}
    page, _ = exporter.from_filename(str(notebook), resources=resources)
    return _once(str(page), report_style())


def _once(page: str, style: str) -> str:
    """Leave the style sheet, which every output carries for notebooks, in the head alone."""
    head, body, rest = page.partition("</head>")
    return head + body + _STYLE.sub(lambda found: "" if style in found.group() else found.group(), rest)


def names_a_network(page: str) -> bool:
    """Tell whether a page would load something from elsewhere."""
    return bool(_REMOTE.search(page))


def main() -> None:
    """Draw the page that the job asks for."""
    job = json.loads(sys.stdin.read())
    page = report_page(Path(job["notebook"]), job["facts"])
    draft = Path(job["page"]).with_suffix(".new")
    draft.write_text(page, encoding="utf-8")
    draft.replace(job["page"])


if __name__ == "__main__":
    main()
