"""A wall of small payoff pictures, one card for each structure."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.errors import InputError
from bifrost_lib.views.html import Html, page_html

Floats = npt.NDArray[np.float64]

GALLERY_COLUMNS = ("name", "spot", "pnl_at_expiry", "pnl_now")
WIDTH, HEIGHT, PAD = 200.0, 92.0, 6.0

_FLAT = 1e-6  # currency: what varies less is drawn as nothing

_STYLE = """
.bf-gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(208px, 1fr)); gap: 10px; }
.bf-card { background: var(--bf-panel); border: 1px solid var(--bf-line); border-radius: 8px; padding: 9px 10px;
  display: flex; flex-direction: column; gap: 4px; min-width: 0; font-size: 12px; line-height: 1.35;
  color: var(--bf-text); }
.bf-card strong { font-size: 13px; }
.bf-card svg { width: 100%; height: auto; display: block; }
.bf-card-legs { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 11px; color: var(--bf-muted); }
.bf-gallery-note { font-size: 12px; color: var(--bf-muted); margin: 0 0 10px; }
"""
_LEGEND = (
    "Profit at the near expiry (line and areas) and today (dashed) over the price; the dotted line is the price now."
)


def payoff_gallery(
    profiles: pd.DataFrame,
    *,
    spot: float,
    legs: Mapping[str, str],
    views: Mapping[str, str],
    theme: str = "light",
) -> Html:
    """Draw the payoffs of many structures side by side, in the order of the frame, each to its own scale.

    Parameters
    ----------
    profiles : DataFrame
        ``name``, and per name ``spot`` (ascending, currency per share), ``pnl_at_expiry`` and ``pnl_now`` (currency;
        NaN breaks a line).
    spot : float
        Price of the underlying now.
    legs, views : mapping
        What is written under each picture: the legs in short, and what one must believe to want it.
    theme : {"light", "dark"}

    Raises
    ------
    InputError
        If `profiles` has no rows or lacks a column.
    """
    for column in GALLERY_COLUMNS:
        if column not in profiles.columns or profiles.empty:
            raise InputError(f"profiles.{column}", list(profiles.columns), "a frame with rows and this column")
    cards = [
        _card(str(name), rows, spot, legs.get(str(name), ""), views.get(str(name), ""))
        for name, rows in profiles.groupby("name", sort=False)
    ]
    wall = f"<div class='bf-gallery' role='list'>{''.join(cards)}</div>"
    return page_html(f"<style>{_STYLE}</style><p class='bf-gallery-note'>{_LEGEND}</p>{wall}", theme=theme)


def _card(name: str, rows: pd.DataFrame, spot: float, legs: str, view: str) -> str:
    return (
        f"<div class='bf-card' role='listitem'><strong>{escape(name.replace('_', ' '))}</strong>"
        f"{_picture(rows, name, spot)}<span class='bf-card-legs'>{escape(legs)}</span><span>{escape(view)}</span></div>"
    )


def _picture(rows: pd.DataFrame, name: str, spot: float) -> str:
    prices, expiry, now = (rows[column].to_numpy(dtype=np.float64) for column in GALLERY_COLUMNS[1:])
    values = np.concatenate([expiry, now, [0.0]])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if high - low < _FLAT:
        low, high, expiry, now = -1.0, 1.0, np.zeros_like(expiry), np.zeros_like(now)
    x = PAD + (prices - prices[0]) / (prices[-1] - prices[0]) * (WIDTH - 2 * PAD)
    at = PAD + (spot - prices[0]) / (prices[-1] - prices[0]) * (WIDTH - 2 * PAD)

    def y(pnl: Floats | float) -> Floats:
        scaled: Floats = PAD + (high - np.asarray(pnl, dtype=np.float64)) / (high - low) * (HEIGHT - 2 * PAD)
        return scaled

    zero = float(y(0.0))
    areas = "".join(
        f"<path d='M{x[0]:.1f},{zero:.1f}L{_line(x, y(part))[1:]}L{x[-1]:.1f},{zero:.1f}Z' "
        f"fill='var(--bf-{colour})' fill-opacity='0.2'/>"
        for part, colour in ((np.maximum(expiry, 0.0), "profit"), (np.minimum(expiry, 0.0), "loss"))
    )
    thin, muted = "stroke-width='0.8'", "stroke='var(--bf-muted)'"
    return (
        f"<svg viewBox='0 0 {WIDTH:g} {HEIGHT:g}' role='img' aria-label='payoff of {escape(name)}'>{areas}"
        f"<path d='M{PAD},{zero:.1f}H{WIDTH - PAD}' {muted} {thin}/>"
        f"<path d='M{at:.1f},{PAD}V{HEIGHT - PAD}' {muted} {thin} stroke-dasharray='1.5 2.5'/>"
        f"<path d='{_line(x, y(now))}' fill='none' stroke='var(--bf-now)' stroke-width='1.4' stroke-dasharray='4 3'/>"
        f"<path d='{_line(x, y(expiry))}' fill='none' stroke='var(--bf-text)' stroke-width='1.7'/></svg>"
    )


def _line(x: Floats, y: Floats) -> str:
    # A value that is not known breaks the line.
    known = np.isfinite(y)
    starts = known & ~np.concatenate([[False], known[:-1]])
    return "".join(
        f"{'M' if start else 'L'}{a:.1f},{b:.1f}" for a, b, ok, start in zip(x, y, known, starts, strict=True) if ok
    )
