"""Lines into checked quotes: the kernel's columns are given their meaning and each row is accepted or refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.core.vocabulary import SETTLEMENTS, STYLES
from bifrost_lib.feeds import exchange_time
from bifrost_lib.feeds.binding import Plan
from bifrost_lib.feeds.lines import Lines
from bifrost_lib.feeds.mapping import Mapping
from bifrost_lib.feeds.moments import BAD, BLANK, DATE_ONLY, LOCAL, UTC
from bifrost_lib.feeds.quotes import PRICES, SIZES, Array, Listing, Quotes, clean_name, empty_quotes, take
from bifrost_lib.feeds.records import REASONS, Reject
from bifrost_lib.feeds.scanner import BAD_QUOTES, EMBEDDED_NUL, FINE, WRONG_COLUMNS

_CODE = {reason: code for code, reason in enumerate(REASONS, start=1)}
_REASON = ["", *REASONS]
_LINE_FAULTS = {EMBEDDED_NUL: "embedded_nul", BAD_QUOTES: "bad_quotes", WRONG_COLUMNS: "wrong_columns"}
_DAY_US = 86_400_000_000
_NOT_GIVEN = -1


@dataclass
class Context:
    """What holds for all rows of a part: the file's mapping, and what its name or footer says in place of columns."""

    mapping: Mapping
    plan: Plan
    listing: Listing
    symbol: str = ""
    ts: int | None = None
    expiry: int | None = None
    part: int = 0
    member: str | None = None


def moments_of(lines: Lines, context: Context) -> tuple[Array, Array, Array]:
    """Return UTC microseconds, a reason code (0: fine) and the exchange date of each row's observation."""
    plan, mapping = context.plan, context.mapping
    reason = np.zeros(lines.count, dtype=np.int8)
    word = "ts" if "ts" in plan.moments else "date" if "date" in plan.moments else ""
    if not word:
        value = np.full(lines.count, context.ts or 0, dtype=np.int64)
        return value, reason, exchange_time.exchange_days(value)
    value = lines.moments[plan.moments[word]].copy()
    flag = lines.flags[plan.moments[word]].copy()
    reason[flag == BLANK] = _CODE["missing_date"]
    reason[flag == BAD] = _CODE["bad_date"]
    if word == "date" and "time" in plan.moments:
        _add_clock(lines, plan, value, flag, reason)
    days = value // _DAY_US
    reason[(reason == 0) & ((days < exchange_time.FIRST) | (days > exchange_time.LAST))] = _CODE["bad_date"]
    value[reason != 0] = 0
    flag[reason != 0] = UTC
    zone = ZoneInfo(mapping.time.get("zone", EXCHANGE_TZ.key))
    if (local := flag == LOCAL).any():
        value[local] = exchange_time.local_to_utc(value[local], zone)
    if (dated := flag == DATE_ONLY).any():
        value[dated], closed = _at_close(value[dated] // _DAY_US, mapping)
        reason[np.flatnonzero(dated)[closed]] = _CODE["not_a_session"]
    return value, reason, exchange_time.exchange_days(value)


def _add_clock(lines: Lines, plan: Plan, value: Array, flag: Array, reason: Array) -> None:
    clock, clock_flag = lines.moments[plan.moments["time"]], lines.flags[plan.moments["time"]]
    reason[(reason == 0) & (clock_flag == BLANK)] = _CODE["missing_date"]
    reason[(reason == 0) & (clock_flag == BAD)] = _CODE["bad_date"]
    both = reason == 0
    value[both] = value[both] // _DAY_US * _DAY_US + clock[both] % _DAY_US
    flag[both] = LOCAL


def _at_close(days: Array, mapping: Mapping) -> tuple[Array, Array]:
    # The moment that a bare date stands for, and the rows whose date is no session.
    closes = exchange_time.session_closes(days)
    closed = closes == exchange_time.NO_SESSION
    at = str(mapping.time.get("date_only", "session_close"))
    if at == "session_close":
        return np.where(closed, 0, closes), closed
    minutes = int(at[:2]) * 60 + int(at[3:])
    zone = ZoneInfo(mapping.time.get("zone", EXCHANGE_TZ.key))
    # On a short day the snapshot is as long before the close as on a full one.
    moment = exchange_time.local_to_utc(days * _DAY_US + minutes * 60_000_000, zone)
    early = exchange_time.session_closes(days) - (16 * 60 - minutes) * 60_000_000
    return np.where(closed, 0, np.minimum(moment, early)), closed


def read_quotes(lines: Lines, context: Context) -> tuple[Quotes, list[Reject], int]:
    """Return the accepted quotes, the refused ones, and how many there were together."""
    plan = context.plan
    offered: int = lines.count * len(plan.sides)
    rejects: list[Reject] = []
    broken = lines.status != FINE
    if broken.any():
        rejects = _line_rejects(lines, np.flatnonzero(broken), context)
        offered -= int(np.count_nonzero(broken)) * len(plan.sides) - len(rejects)
        lines = lines.only(~broken)
    shared, reason = _contracts(lines, context)
    pieces = [_side(lines, side, shared, reason, context) for side in plan.sides]
    quotes, reasons = pieces[0] if len(pieces) == 1 else _interleaved(pieces)
    refused = np.flatnonzero(reasons)
    if len(refused):
        header = ",".join(plan.header)
        for row in refused.tolist():
            text = lines.raw(row // len(plan.sides))
            name = "repeated_header" if _is_header(text, header, plan) else _REASON[reasons[row]]
            rejects.append(_reject(lines, row // len(plan.sides), name, text, context))
        quotes = take(quotes, reasons == 0)
    return quotes, rejects, offered


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


def _contracts(lines: Lines, context: Context) -> tuple[Quotes, Array]:
    # What all quotes of a line share, and the first reason to refuse them.
    plan, listing = context.plan, context.listing
    shared = empty_quotes(lines.count)
    shared["line"], shared["part"][:] = lines.line.copy(), context.part
    shared["ts"], time_reason, quoted_on = moments_of(lines, context)
    reason = np.zeros(lines.count, dtype=np.int8)
    _symbols(lines, context, shared, reason)
    _mark_first(reason, time_reason != 0, time_reason)
    _expiries(lines, context, shared, reason)
    _strikes_and_rights(lines, context, shared, reason)
    if "trading_class" not in plan.texts and not plan.occ and "trading_class" not in context.mapping.constants:
        shared["trading_class"] = listing.class_codes(shared["symbol"], shared["expiry"])
    _conventions(lines, context, shared, reason)
    _spot(lines, context, shared, reason)
    _mark_first(reason, shared["expiry"] < quoted_on, _CODE["expired"])
    return shared, reason


def _mark_first(reason: Array, rows: Array, code: Any) -> None:
    rows = rows & (reason == 0)
    reason[rows] = code[rows] if isinstance(code, np.ndarray) else code


def _word_codes(words: list[str], mapping: Mapping, meaning: Any) -> Array:
    # Each distinct word's meaning: a code, _NOT_GIVEN for a blank one, below that for one that means nothing.
    blank = {"", *mapping.blank_words}
    return np.array(
        [_NOT_GIVEN if word.strip().lower() in blank else meaning(word) for word in words] or [_NOT_GIVEN],
        dtype=np.int32,
    )


def _symbols(lines: Lines, context: Context, shared: Quotes, reason: Array) -> None:
    plan, listing, mapping = context.plan, context.listing, context.mapping
    constants = mapping.constants

    def known(names: Any) -> Any:
        return lambda word: names.code(clean_name(word)) if clean_name(word) else _NOT_GIVEN - 1

    root = "trading_class" if "trading_class" in plan.texts else "occ.root" if plan.occ else ""
    if root:
        codes = _word_codes(lines.words[plan.texts[root]], mapping, known(listing.classes))[
            lines.codes[plan.texts[root]]
        ]
        shared["trading_class"] = codes
    elif constants.get("trading_class"):
        shared["trading_class"][:] = listing.classes.code(str(constants["trading_class"]))
    if "symbol" in plan.texts:
        slot = plan.texts["symbol"]
        codes = _word_codes(lines.words[slot], mapping, known(listing.symbols))[lines.codes[slot]]
        _mark_first(reason, codes == _NOT_GIVEN, _CODE["missing_symbol"])
        _mark_first(reason, codes < _NOT_GIVEN, _CODE["bad_symbol"])
        shared["symbol"] = np.maximum(codes, 0)
    elif context.symbol:
        shared["symbol"][:] = listing.symbols.code(context.symbol)
    elif root:
        word = "bad_occ_symbol" if root == "occ.root" else "missing_symbol"
        _mark_first(reason, shared["trading_class"] < 0, _CODE[word])
        if listing.classes.names:
            shared["symbol"] = listing.symbol_of_class(np.maximum(shared["trading_class"], 0))
    if not listing.symbols.names:
        listing.symbols.code("?")


def _expiries(lines: Lines, context: Context, shared: Quotes, reason: Array) -> None:
    plan = context.plan
    word = "expiry" if "expiry" in plan.moments else "occ.expiry" if plan.occ else ""
    if not word:
        shared["expiry"][:] = context.expiry or 0
        return
    value, flag = lines.moments[plan.moments[word]], lines.flags[plan.moments[word]]
    days = value // _DAY_US
    _mark_first(reason, flag == BLANK, _CODE["missing_expiry"])
    _mark_first(reason, flag == BAD, _CODE["bad_expiry" if word == "expiry" else "bad_occ_symbol"])
    possible = (days >= exchange_time.FIRST) & (days <= exchange_time.LAST)
    _mark_first(reason, ~possible, _CODE["bad_expiry"])
    shared["expiry"] = np.where(possible, days, exchange_time.FIRST).astype(np.int32)


def _strikes_and_rights(lines: Lines, context: Context, shared: Quotes, reason: Array) -> None:
    plan, mapping = context.plan, context.mapping
    if "right" in plan.texts:
        calls = {word.lower() for word in mapping.rights.get("call", ("c", "call", "calls"))}
        puts = {word.lower() for word in mapping.rights.get("put", ("p", "put", "puts"))}
        meaning = {**dict.fromkeys(calls, 1), **dict.fromkeys(puts, 0)}
        slot = plan.texts["right"]
        codes = _word_codes(lines.words[slot], mapping, lambda word: meaning.get(word.strip().lower(), -2))
        right = codes[lines.codes[slot]]
        _mark_first(reason, right == _NOT_GIVEN, _CODE["missing_right"])
        _mark_first(reason, right < _NOT_GIVEN, _CODE["bad_right"])
        shared["is_call"] = right == 1
    elif plan.occ and len(plan.sides) == 1:
        shared["is_call"] = lines.numbers[plan.numbers["occ.right"]] == 1
    strike = lines.numbers[plan.numbers["strike" if "strike" in plan.numbers else "occ.strike"]]
    if "strike" in plan.numbers:
        bad = (lines.bad_numbers >> plan.numbers["strike"]) & 1 == 1
        _mark_first(reason, np.isnan(strike) & ~bad, _CODE["missing_strike"])
        _mark_first(reason, bad | (strike <= 0), _CODE["bad_strike"])
    shared["strike"] = strike.copy()
    if plan.occ:
        _compare_with_occ(lines, context, shared, reason)


def _compare_with_occ(lines: Lines, context: Context, shared: Quotes, reason: Array) -> None:
    plan = context.plan
    flag = lines.flags[plan.moments["occ.expiry"]]
    _mark_first(reason, flag == BAD, _CODE["bad_occ_symbol"])
    given = flag == DATE_ONLY
    strike = lines.numbers[plan.numbers["occ.strike"]]
    differs = lines.moments[plan.moments["occ.expiry"]] // _DAY_US != shared["expiry"]
    differs |= np.abs(strike - shared["strike"]) > 1e-3
    if len(plan.sides) == 1:
        differs |= (lines.numbers[plan.numbers["occ.right"]] == 1) != shared["is_call"]
    _mark_first(reason, given & differs, _CODE["contract_mismatch"])
    blank = flag == BLANK
    if blank.any():
        shared["trading_class"] = shared["trading_class"].copy()
        named = blank & (reason == 0)
        shared["trading_class"][named] = context.listing.class_codes(shared["symbol"][named], shared["expiry"][named])


def _conventions(lines: Lines, context: Context, shared: Quotes, reason: Array) -> None:
    plan, listing, mapping = context.plan, context.listing, context.mapping
    unnamed = shared["trading_class"] < 0
    if unnamed.any():
        shared["trading_class"][unnamed] = listing.class_codes(shared["symbol"][unnamed], shared["expiry"][unnamed])
    shared["style"], shared["settlement"] = listing.conventions(shared["trading_class"])
    for word, allowed in (("style", STYLES), ("settlement", SETTLEMENTS)):
        initials = {name[0].lower(): code for code, name in enumerate(allowed)}
        if word in plan.texts:
            slot = plan.texts[word]
            codes = _word_codes(
                lines.words[slot], mapping, lambda text, known=initials: known.get(text.strip()[:1].lower(), -2)
            )[lines.codes[slot]]
            _mark_first(reason, codes < _NOT_GIVEN, _CODE[f"bad_{word}"])
            shared[word] = np.where(codes >= 0, codes, shared[word]).astype(np.int8)
        elif word in mapping.constants:
            shared[word][:] = initials[str(mapping.constants[word])[0].lower()]
    shared["multiplier"][:] = float(mapping.constants.get("multiplier", 100.0))
    if "multiplier" in plan.numbers:
        slot = plan.numbers["multiplier"]
        given = lines.numbers[slot]
        bad = ((lines.bad_numbers >> slot) & 1 == 1) | (given <= 0)
        _mark_first(reason, bad, _CODE["bad_multiplier"])
        shared["multiplier"] = np.where(np.isnan(given), shared["multiplier"], given)


def _spot(lines: Lines, context: Context, shared: Quotes, reason: Array) -> None:
    plan, mapping = context.plan, context.mapping
    values = {}
    for word in ("spot", "spot_bid", "spot_ask"):
        if word in plan.numbers:
            slot = plan.numbers[word]
            value = lines.numbers[slot].copy()
            _mark_first(reason, (lines.bad_numbers >> slot) & 1 == 1, _CODE["bad_number"])
            _mark_first(reason, value < 0, _CODE["negative_price"])
            if word in mapping.zero_is_missing:
                value[value == 0] = np.nan
            values[word] = value
    spot = values.get("spot", np.full(lines.count, float(mapping.constants.get("spot", np.nan))))
    _mark_first(reason, spot == 0, _CODE["bad_spot"])
    if "spot_bid" in values and "spot_ask" in values:
        spot = np.where(np.isnan(spot), (values["spot_bid"] + values["spot_ask"]) / 2, spot)
    if "moneyness" in plan.numbers and "spot" not in values and context.ts is not None:
        spot = np.where(np.isnan(spot), _spot_by_moneyness(lines, context, shared, reason), spot)
    shared["spot"] = spot


def _spot_by_moneyness(lines: Lines, context: Context, shared: Quotes, reason: Array) -> float:
    # Moneyness is (spot - strike) / spot for calls and its opposite for puts, rounded. The spot is the price, to the
    # cent, that all rows of the snapshot allow; NaN when there is none.
    moneyness = lines.numbers[context.plan.numbers["moneyness"]]
    use = (reason == 0) & (np.abs(moneyness) < 10)
    sign = np.where(shared["is_call"], 1.0, -1.0)[use]
    strike, moneyness = shared["strike"][use], moneyness[use]
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


def _side(lines: Lines, side: str, shared: Quotes, reason: Array, context: Context) -> tuple[Quotes, Array]:
    plan, mapping = context.plan, context.mapping
    dot = f"{side}." if side else ""
    quotes, reason = dict(shared), reason.copy()
    if side:
        quotes["is_call"] = np.full(lines.count, side == "call")
    mask, blank = 0, np.ones(lines.count, dtype=bool)
    for word in (*PRICES, *SIZES):
        slot = plan.numbers.get(dot + word)
        if slot is not None:
            quotes[word] = value = lines.numbers[slot].copy()
            mask |= 1 << slot
            blank &= np.isnan(value)
    bad = (lines.bad_numbers & mask) != 0
    if side:
        _mark_first(reason, blank & ~bad, _CODE["blank_side"])
    _mark_first(reason, bad, _CODE["bad_number"])
    for words, code in ((PRICES, _CODE["negative_price"]), (SIZES, _CODE["negative_size"])):
        for word in words:
            if dot + word in plan.numbers:
                _mark_first(reason, quotes[word] < 0, code)
                if word in mapping.zero_is_missing:
                    quotes[word][quotes[word] == 0] = np.nan
    return quotes, reason


def _interleaved(pieces: list[tuple[Quotes, Array]]) -> tuple[Quotes, Array]:
    # Put and call of a strike next to each other, as the file has them and as the sort wants them.
    (puts, put_reasons), (calls, call_reasons) = pieces
    quotes = {}
    for name, values in puts.items():
        both = np.empty(2 * len(values), dtype=values.dtype)
        both[0::2], both[1::2] = values, calls[name]
        quotes[name] = both
    reasons = np.empty(2 * len(put_reasons), dtype=put_reasons.dtype)
    reasons[0::2], reasons[1::2] = put_reasons, call_reasons
    return quotes, reasons
