"""Lines into checked quotes: the kernel's columns are given their meaning and each row is accepted or refused."""

from __future__ import annotations

import re

import numpy as np

from bifrost_lib.feeds.binding import Plan
from bifrost_lib.feeds.draft import REASON, Context, Draft
from bifrost_lib.feeds.identity import read_contracts, read_symbols
from bifrost_lib.feeds.lines import Lines
from bifrost_lib.feeds.observed import moments_of
from bifrost_lib.feeds.quotes import PRICES, SIZES, Array, Quotes, empty_quotes, take
from bifrost_lib.feeds.records import Reject
from bifrost_lib.feeds.scan_layout import BAD_QUOTES, EMBEDDED_NUL, FINE, WRONG_COLUMNS

_LINE_FAULTS = {EMBEDDED_NUL: "embedded_nul", BAD_QUOTES: "bad_quotes", WRONG_COLUMNS: "wrong_columns"}


def read_quotes(lines: Lines, context: Context) -> tuple[Quotes, list[Reject]]:
    """Return the accepted quotes and the refused ones; together as many as the lines offer."""
    sides, rejects = context.plan.sides, []
    broken = lines.status != FINE
    if broken.any():
        rejects = _line_rejects(lines, np.flatnonzero(broken), context)
        lines = lines.only(~broken)
    shared = _shared(lines, context)
    pieces = [_side(shared, side) for side in sides]
    quotes, reasons = _interleaved(pieces) if len(pieces) > 1 else (pieces[0].quotes, pieces[0].reason)
    refused = np.flatnonzero(reasons)
    if len(refused):
        header = ",".join(context.plan.header)
        for row in refused.tolist():
            text = lines.raw(row // len(sides))
            name = "repeated_header" if _is_header(text, header, context.plan) else REASON[reasons[row]]
            rejects.append(_reject(lines, row // len(sides), name, text, context))
        quotes = take(quotes, reasons == 0)
    return quotes, rejects


def _is_header(text: str, header: str, plan: Plan) -> bool:
    cells = text.replace('"', "").removeprefix("\ufeff").split(plan.delimiter)
    return cells[0].strip() == plan.header[0] and ",".join(cell.strip() for cell in cells) == header


def _reject(lines: Lines, row: int, reason: str, text: str, context: Context) -> Reject:
    return Reject(int(lines.line[row]), context.member, reason, text[:1000])


def _line_rejects(lines: Lines, rows: Array, context: Context) -> list[Reject]:
    footer = context.mapping.footer
    rejects = []
    for row in rows.tolist():
        text = lines.raw(row)
        if footer and re.search(footer, text):
            continue
        reject = _reject(lines, row, _LINE_FAULTS[int(lines.status[row])], text, context)
        rejects += [reject] * len(context.plan.sides)
    return rejects


def _shared(lines: Lines, context: Context) -> Draft:
    # What all quotes of a line share, and the first reason to refuse them.
    quotes = empty_quotes(lines.count)
    quotes["line"], quotes["part"][:] = lines.line.copy(), context.part
    quotes["ts"], untimely, quoted_on = moments_of(lines, context)
    draft = Draft(lines, context, quotes, np.zeros(lines.count, dtype=np.int8))
    read_symbols(draft)
    draft.refuse_for(untimely)
    read_contracts(draft)
    _spots(draft)
    draft.refuse(quotes["expiry"] < quoted_on, "expired")
    return draft


def _spots(draft: Draft) -> None:
    plan, mapping, values = draft.plan, draft.mapping, {}
    for word in ("spot", "spot_bid", "spot_ask"):
        if word in plan.numbers:
            values[word] = value = draft.number(word).copy()
            draft.refuse(draft.is_no_number(word), "bad_number")
            draft.refuse(value < 0, "negative_price")
            if word in mapping.zero_is_missing:
                value[value == 0] = np.nan
    spot = values.get("spot", np.full(draft.lines.count, float(mapping.constants.get("spot", np.nan))))
    draft.refuse(spot == 0, "bad_spot")
    if "spot_bid" in values and "spot_ask" in values:
        spot = np.where(np.isnan(spot), (values["spot_bid"] + values["spot_ask"]) / 2, spot)
    if "moneyness" in plan.numbers and "spot" not in values and draft.context.ts is not None:
        spot = np.where(np.isnan(spot), _spot_by_moneyness(draft), spot)
    draft.quotes["spot"] = spot


def _spot_by_moneyness(draft: Draft) -> float:
    # Moneyness is (spot - strike) / spot for calls and its opposite for puts, rounded. The spot is the price, to the
    # cent, that all rows of the snapshot allow; NaN when there is none.
    moneyness = draft.number("moneyness")
    use = (draft.reason == 0) & (np.abs(moneyness) < 10)
    sign = np.where(draft.quotes["is_call"], 1.0, -1.0)[use]
    strike, moneyness = draft.quotes["strike"][use], moneyness[use]
    for half in (0.51e-4, 0.51e-3):
        ends = [1 - sign * (moneyness + side * half) for side in (-1, 1)]
        usable = (ends[0] > 1e-3) & (ends[1] > 1e-3)
        if not usable.any():
            return np.nan
        bounds = [strike[usable] / end[usable] for end in ends]
        low, high = float(np.minimum(*bounds).max()), float(np.maximum(*bounds).min())
        cents = round((low + high) / 2, 2)
        if low <= cents <= high:
            return cents
    return np.nan


def _side(shared: Draft, side: str) -> Draft:
    # The quotes of one right in lines that hold a call and a put, else those of all rows: `side` is empty then.
    draft = Draft(shared.lines, shared.context, dict(shared.quotes), shared.reason.copy())
    plan, quotes, count = draft.plan, draft.quotes, draft.lines.count
    prefix = f"{side}." if side else ""
    if side:
        quotes["is_call"] = np.full(count, side == "call")
    given = [word for word in (*PRICES, *SIZES) if prefix + word in plan.numbers]
    is_bad, is_blank = draft.is_no_number(*(prefix + word for word in given)), np.ones(count, dtype=bool)
    for word in given:
        quotes[word] = draft.number(prefix + word).copy()
        is_blank &= np.isnan(quotes[word])
    if side:
        draft.refuse(is_blank & ~is_bad, "blank_side")
    draft.refuse(is_bad, "bad_number")
    for word in given:
        draft.refuse(quotes[word] < 0, "negative_price" if word in PRICES else "negative_size")
        if word in draft.mapping.zero_is_missing:
            quotes[word][quotes[word] == 0] = np.nan
    return draft


def _interleaved(pieces: list[Draft]) -> tuple[Quotes, Array]:
    # Put and call of a strike next to each other, as the file has them and as the sort wants them.
    puts, calls = pieces
    quotes = {name: _alternating(values, calls.quotes[name]) for name, values in puts.quotes.items()}
    return quotes, _alternating(puts.reason, calls.reason)


def _alternating(first: Array, second: Array) -> Array:
    both = np.empty(2 * len(first), dtype=first.dtype)
    both[0::2], both[1::2] = first, second
    return both
