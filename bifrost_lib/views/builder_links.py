"""What leads out of the builder: a link to what it shows, the legs as a table, the structure as a document."""

from __future__ import annotations

from html import escape

from bifrost_lib.views.builder_state import BuilderState
from bifrost_lib.views.downloads import download_link, link_off
from bifrost_lib.views.inputs import Export

STALE = "the quotes are too old to act on; choose a moment of the past to work with it"


def builder_links(state: BuilderState, export: Export | None, *, is_stale: bool) -> str:
    """Return HTML: the links of a builder's head.

    Parameters
    ----------
    state : BuilderState
        What is shown; its link is relative, so that it holds wherever the page is served.
    export : Export, optional
        The structure as text; None where there is none.
    is_stale : bool
        Whether the quotes are too old to act on: the table stays, documents do not leave the page.
    """
    again = f"<a class='bf-link' title='a link that shows this again' href='?{escape(state.query())}'>Link</a>"
    if export is None:
        return again
    table = download_link(export.csv, name=f"{export.stem}.csv", kind="text/csv", label="Legs CSV")
    files = (
        ("Document YAML", f"{export.stem}.yaml", "application/yaml", export.yaml),
        ("JSON", f"{export.stem}.json", "application/json", export.json),
        ("by delta", f"{export.stem}_by_delta.yaml", "application/yaml", export.by_delta),
    )
    if why := STALE if is_stale else export.reason:
        return again + table + "".join(link_off(label, why=why) for label, *_ in files)
    return again + table + "".join(
        download_link(text, name=name, kind=kind, label=label) for label, name, kind, text in files
    )  # fmt: skip
