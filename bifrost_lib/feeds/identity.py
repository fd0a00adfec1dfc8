"""Which contract each row is about: symbol, expiry, strike and right, its conventions, and whether they agree."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from bifrost_lib.core.vocabulary import SETTLEMENTS, STYLES
from bifrost_lib.feeds import exchange_time
from bifrost_lib.feeds.draft import NOT_GIVEN, Draft
from bifrost_lib.feeds.moments import BAD, BLANK, DATE_ONLY
from bifrost_lib.feeds.quotes import Names, clean_name

_DAY_US = 86_400_000_000
_MEANS_NOTHING = NOT_GIVEN - 1
_SAME_STRIKE = 1e-3  # currency per share: an OCC symbol has thousandths


def read_symbols(draft: Draft) -> None:
    """Fill in the symbol of each row, and its trading class where it is given, and refuse rows without a symbol."""
    plan, constants, shared, listing = draft.plan, draft.mapping.constants, draft.quotes, draft.context.listing
    root = "trading_class" if "trading_class" in plan.texts else "occ.root" if plan.occ else ""
    if root:
        shared["trading_class"] = draft.coded(root, _known(listing.classes))
    elif constants.get("trading_class"):
        shared["trading_class"][:] = listing.classes.code(str(constants["trading_class"]))
    if "symbol" in plan.texts:
        codes = draft.coded("symbol", _known(listing.symbols))
        draft.refuse(codes == NOT_GIVEN, "missing_symbol")
        draft.refuse(codes < NOT_GIVEN, "bad_symbol")
        shared["symbol"] = np.maximum(codes, 0)
    elif draft.context.symbol:
        shared["symbol"][:] = listing.symbols.code(draft.context.symbol)
    elif root:
        draft.refuse(shared["trading_class"] < 0, "bad_occ_symbol" if root == "occ.root" else "missing_symbol")
        if listing.classes.names:
            shared["symbol"] = listing.symbol_of_class(np.maximum(shared["trading_class"], 0))
    if not listing.symbols.names:
        listing.symbols.code("?")  # every row is refused, and its code must still be one


def read_contracts(draft: Draft) -> None:
    """Fill in what makes each row's contract beside its symbol, and refuse rows whose contract cannot be told."""
    _expiries(draft)
    _strikes_and_rights(draft)
    if draft.plan.occ:
        _compare_with_occ(draft)
    _classes(draft)
    _conventions(draft)
    _multipliers(draft)


def _known(names: Names) -> Callable[[str], int]:
    return lambda word: names.code(clean_name(word)) if clean_name(word) else _MEANS_NOTHING


def _expiries(draft: Draft) -> None:
    plan, context, shared = draft.plan, draft.context, draft.quotes
    word = "expiry" if "expiry" in plan.moments else "occ.expiry" if plan.occ else ""
    if not word:
        shared["expiry"][:] = context.expiry or 0
        return
    value, flag = draft.moment(word)
    days = value // _DAY_US
    draft.refuse(flag == BLANK, "missing_expiry")
    draft.refuse(flag == BAD, "bad_expiry" if word == "expiry" else "bad_occ_symbol")
    possible = (days >= exchange_time.FIRST) & (days <= exchange_time.LAST)
    draft.refuse(~possible, "bad_expiry")
    shared["expiry"] = np.where(possible, days, exchange_time.FIRST).astype(np.int32)


def _strikes_and_rights(draft: Draft) -> None:
    plan, rights, shared = draft.plan, draft.mapping.rights, draft.quotes
    if "right" in plan.texts:
        calls = {word.lower() for word in rights.get("call", ("c", "call", "calls"))}
        puts = {word.lower() for word in rights.get("put", ("p", "put", "puts"))}
        meaning = {**dict.fromkeys(calls, 1), **dict.fromkeys(puts, 0)}
        right = draft.coded("right", lambda word: meaning.get(word.strip().lower(), _MEANS_NOTHING))
        draft.refuse(right == NOT_GIVEN, "missing_right")
        draft.refuse(right < NOT_GIVEN, "bad_right")
        shared["is_call"] = right == 1
    elif plan.occ and len(plan.sides) == 1:
        shared["is_call"] = draft.number("occ.right") == 1
    if "strike" in plan.numbers:
        strike, is_bad = draft.number("strike"), draft.is_no_number("strike")
        draft.refuse(np.isnan(strike) & ~is_bad, "missing_strike")
        draft.refuse(is_bad | (strike <= 0), "bad_strike")
    else:
        strike = draft.number("occ.strike")
    shared["strike"] = strike.copy()


def _compare_with_occ(draft: Draft) -> None:
    shared, listing = draft.quotes, draft.context.listing
    expiry, flag = draft.moment("occ.expiry")
    draft.refuse(flag == BAD, "bad_occ_symbol")
    differs = expiry // _DAY_US != shared["expiry"]
    differs |= np.abs(draft.number("occ.strike") - shared["strike"]) > _SAME_STRIKE
    if len(draft.plan.sides) == 1:
        differs |= (draft.number("occ.right") == 1) != shared["is_call"]
    draft.refuse((flag == DATE_ONLY) & differs, "contract_mismatch")
    blank = flag == BLANK
    if blank.any():
        shared["trading_class"] = shared["trading_class"].copy()
        named = blank & (draft.reason == 0)
        shared["trading_class"][named] = listing.class_codes(shared["symbol"][named], shared["expiry"][named])


def _classes(draft: Draft) -> None:
    plan, shared, listing = draft.plan, draft.quotes, draft.context.listing
    if "trading_class" not in plan.texts and not plan.occ and "trading_class" not in draft.mapping.constants:
        shared["trading_class"] = listing.class_codes(shared["symbol"], shared["expiry"])
    unnamed = shared["trading_class"] < 0
    if unnamed.any():
        shared["trading_class"][unnamed] = listing.class_codes(shared["symbol"][unnamed], shared["expiry"][unnamed])


def _conventions(draft: Draft) -> None:
    shared, constants = draft.quotes, draft.mapping.constants
    shared["style"], shared["settlement"] = draft.context.listing.conventions(shared["trading_class"])
    for word, allowed in (("style", STYLES), ("settlement", SETTLEMENTS)):
        initials = {name[0].lower(): code for code, name in enumerate(allowed)}
        if word in draft.plan.texts:
            codes = draft.coded(word, partial(_by_initial, initials))
            draft.refuse(codes < NOT_GIVEN, f"bad_{word}")
            shared[word] = np.where(codes >= 0, codes, shared[word]).astype(np.int8)
        elif word in constants:
            shared[word][:] = initials[str(constants[word])[0].lower()]


def _by_initial(codes: dict[str, int], text: str) -> int:
    return codes.get(text.strip()[:1].lower(), _MEANS_NOTHING)


def _multipliers(draft: Draft) -> None:
    shared = draft.quotes
    shared["multiplier"][:] = float(draft.mapping.constants.get("multiplier", 100.0))
    if "multiplier" in draft.plan.numbers:
        given = draft.number("multiplier")
        draft.refuse(draft.is_no_number("multiplier") | (given <= 0), "bad_multiplier")
        shared["multiplier"] = np.where(np.isnan(given), shared["multiplier"], given)
