"""The ranked candidates: a table to read, and a grid to click in."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from bokeh.models import ColumnDataSource, InlineStyleSheet
from bokeh.models.widgets.tables import DataTable, HTMLTemplateFormatter, TableColumn

from bifrost_lib.views.columns import COLUMNS, Column, Record, sort_value
from bifrost_lib.views.html import Html, notice, page_html
from bifrost_lib.views.palette import FONT, Palette, theme_palette

ROW_HEIGHT = 24


def candidates_table(records: Sequence[Record], *, theme: str = "light") -> Html:
    """Show ranked candidates in a notebook or a report.

    Parameters
    ----------
    records : sequence of mapping
        Candidates under the vocabulary's names, best first.
    theme : {"light", "dark"}
    """
    if not records:
        return page_html(notice("empty", "No candidates", "Nothing in the chain fits the strategy."), theme=theme)
    heads = "".join(f"<th class='{_align(column)}' title='{column.help}'>{column.header}</th>" for column in COLUMNS)
    rows = "".join(f"<tr title='{escape(str(record.get('why', '')))}'>{_row(record)}</tr>" for record in records)
    return page_html(
        f"<table class='bf-table bf-ranked'><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>", theme=theme
    )


def candidates_grid(records: Sequence[Record], *, theme: str = "light", rows: int = 10, selected: int = 0) -> DataTable:
    """Return the ranked candidates as a grid whose rows can be selected and whose columns sort.

    ``grid.source.selected.indices`` holds the positions in `records` that are selected; one row starts selected.

    Parameters
    ----------
    records : sequence of mapping
        Candidates under the vocabulary's names, best first; at least one.
    theme : {"light", "dark"}
    rows : int
        How many rows are visible without scrolling.
    selected : int
        Position in `records` of the row that starts selected.
    """
    palette = theme_palette(theme)
    data: dict[str, Any] = {}
    for column in COLUMNS:
        data[column.name] = [sort_value(record, column) for record in records]
        data[f"{column.name}_text"] = [column.text(record) for record in records]
    source = ColumnDataSource(data)
    source.selected.indices = [selected]
    return DataTable(
        source=source,
        columns=[_grid_column(column) for column in COLUMNS],
        index_position=None,
        autosize_mode="force_fit",
        row_height=ROW_HEIGHT,
        height=ROW_HEIGHT * (rows + 1) + 10,
        sizing_mode="stretch_width",
        reorderable=False,
        margin=0,
        stylesheets=[InlineStyleSheet(css=_grid_style(palette))],
        styles={"font-family": FONT},
        css_classes=["bf-grid"],
    )


def candidates_still(records: Sequence[Record], *, rows: int = 10, selected: int = 0) -> str:
    """Return HTML that looks like `candidates_grid` of the same, until a browser can build that."""
    heads = "".join(f"<th class='{_align(column)}'>{column.header}</th>" for column in COLUMNS)
    lines = "".join(
        f"<tr{' class=bf-selected' if place == selected else ''}>{_row(record)}</tr>"
        for place, record in enumerate(records[:rows])
    )
    widths = "".join(f"<col style='width: {column.width}px'>" for column in COLUMNS)
    return (
        f"<div class='bf-still-grid' style='height: {ROW_HEIGHT * (rows + 1) + 10}px'>"
        f"<table class='bf-table bf-ranked'><colgroup>{widths}</colgroup>"
        f"<thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _grid_column(column: Column) -> TableColumn:
    if column.name == "score":
        bar = '<i><b style="width:<%= Math.round(value) %>%"></b></i>'
        template = f'<div class="score"><span><%= score_text %></span>{bar}</div>'
    else:
        colour = "<%= value < 0 ? 'below' : '' %>" if column.name in ("ev", "premium") else ""
        template = f'<div class="{_align(column)} {colour}"><%= {column.name}_text %></div>'
    return TableColumn(
        field=column.name,
        title=column.header,
        width=column.width,
        formatter=HTMLTemplateFormatter(template=template),
    )


def _row(record: Record) -> str:
    return "".join(f"<td class='{_align(column)}'>{_cell(record, column)}</td>" for column in COLUMNS)


def _cell(record: Record, column: Column) -> str:
    text = escape(column.text(record))
    if column.name != "score" or record["score"] is None:
        return text
    return f"<div class='bf-score'><span>{text}</span><i><b style='width:{record['score']:.0f}%'></b></i></div>"


def _align(column: Column) -> str:
    return "bf-number" if column.is_number and column.name != "score" else "bf-text"


def _grid_style(palette: Palette) -> str:
    numbers = ", ".join(
        f".slick-header-column:nth-child({place})"
        for place, column in enumerate(COLUMNS, start=1)
        if _align(column) == "bf-number"
    )
    return f"""
    :host {{ background: {palette.panel}; border: 1px solid {palette.line}; border-radius: 8px; overflow: hidden; }}
    .slick-header, .slick-header-columns {{ background: {palette.raised} !important; border: 0 !important; }}
    .slick-header-column {{ background: {palette.raised} !important; color: {palette.muted} !important;
      border-color: {palette.line} !important; font-size: 11.5px; font-weight: 600;
      padding: 4px 8px 4px 0; }}
    .slick-header-column .slick-column-name {{ float: none !important; display: inline; }}
    {numbers} {{ text-align: right !important; }}
    .slick-viewport, .grid-canvas {{ background: {palette.panel} !important; }}
    .slick-row, .slick-row.odd {{ background: {palette.panel} !important; color: {palette.text}; font-size: 12.5px;
      cursor: pointer; }}
    .slick-row:hover .slick-cell {{ background: {palette.raised} !important; }}
    .slick-row .slick-cell {{ padding: 0 8px; border: 0 !important; border-bottom: 1px solid {palette.line} !important;
      line-height: {ROW_HEIGHT - 1}px; background: transparent; color: {palette.text}; }}
    .slick-row .slick-cell.selected {{ background: color-mix(in srgb, {palette.accent} 20%, {palette.panel})
      !important; }}
    .slick-cell.active {{ outline: none; }}
    .bf-number, .bf-text {{ font-variant-numeric: tabular-nums; overflow: hidden; text-overflow: ellipsis; }}
    .bf-number {{ text-align: right; }}
    .below {{ color: {palette.loss}; }}
    .score {{ display: flex; height: 100%; gap: 8px; align-items: center; font-variant-numeric: tabular-nums; }}
    .score span {{ min-width: 30px; text-align: right; font-weight: 600; }}
    .score i {{ flex: 1; height: 6px; border-radius: 3px; background: {palette.raised}; }}
    .score b {{ display: block; height: 6px; border-radius: 3px; background: {palette.accent}; }}
    """
