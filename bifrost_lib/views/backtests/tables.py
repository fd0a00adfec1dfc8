"""Grids as HTML, for notebooks and for sheets that stand alone."""

from __future__ import annotations

from html import escape
from typing import Any

from bifrost_lib.views.html import notice
from bifrost_lib.views.live.tables import GridTable
from bifrost_lib.views.report_style import ReportHtml

_KINDS = {"good": "bf-up", "bad": "bf-down", "up": "bf-up", "down": "bf-down", "warn": "bf-warned", "muted": "bf-dim"}


def grid_html(table: GridTable) -> ReportHtml:
    """Return a grid as a table that follows the reader's theme; a grid without rows says why."""
    title = str(table.get("caption", ""))
    if (said := table.get("notice")) is not None:
        return ReportHtml(notice(str(said["kind"]), title or "Nothing to show", str(said["text"])))
    columns = table["columns"]
    heads = "".join(
        f"<th class='{_side(one)}' scope='col' title='{escape(one['help'], quote=True)}'>{escape(one['title'])}"
        f"{' <small>' + escape(one['unit']) + '</small>' if one['unit'] else ''}</th>"
        for one in columns
    )
    head = f"<thead><tr>{heads}</tr></thead>" if any(one["title"] for one in columns) else ""
    rows = "".join(
        f"<tr>{''.join(_cell(cell, one) for cell, one in zip(row['cells'], columns, strict=True))}</tr>"
        for row in table["rows"]
    )
    caption = f"<caption>{escape(title)}</caption>" if title else ""
    return ReportHtml(
        f"<div class='bf-wide'><table class='bf-table'>{caption}{head}<tbody>{rows}</tbody></table></div>"
    )


def _cell(cell: Any, one: dict[str, Any]) -> str:
    given = cell if isinstance(cell, dict) else {"text": cell}
    kind = _KINDS.get(given.get("kind", ""), "")
    title = f" title='{escape(given['title'], quote=True)}'" if given.get("title") else ""
    return f"<td class='{_side(one)} {kind}'{title}>{escape(str(given['text']))}</td>"


def _side(one: dict[str, Any]) -> str:
    return "bf-text" if one["text"] else ""
