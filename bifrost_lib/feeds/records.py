"""What a feed hands over: batches of quotes, and the rows that it refused with the reason why."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

#: Every reason for which a row is refused, in the order in which a row is tested; the first one that holds counts.
REASONS: dict[str, str] = {
    "embedded_nul": "the line holds a NUL byte",
    "bad_quotes": "a quoted field does not end on its line, or goes on after its closing quote",
    "wrong_columns": "the line has more or fewer columns than the header",
    "repeated_header": "the header again, in the middle of the file",
    "bad_member_name": "the name of the archive's member does not say which contract it holds",
    "blank_side": "nothing is given for this right in a line that holds a call and a put",
    "missing_symbol": "no underlying symbol",
    "bad_symbol": "the underlying symbol is not 1 to 12 letters, digits, dots or dashes",
    "missing_date": "no moment of observation",
    "bad_date": "the moment of observation is in none of the formats, or outside 1990-2060",
    "not_a_session": "dated on a weekend or an exchange holiday",
    "bad_occ_symbol": "the OCC symbol cannot be read",
    "missing_expiry": "no expiration date",
    "bad_expiry": "the expiration date is in none of the formats, or outside 1990-2060",
    "missing_right": "neither call nor put",
    "bad_right": "a right that is neither call nor put",
    "missing_strike": "no strike",
    "bad_strike": "a strike that is not a number > 0",
    "contract_mismatch": "the OCC symbol and the other columns name different contracts",
    "bad_style": "an exercise style that is neither American nor European",
    "bad_settlement": "a settlement that is neither AM nor PM",
    "bad_number": "a price, size or count that is not a finite number",
    "negative_price": "a price below zero",
    "negative_size": "a size, volume or open interest below zero",
    "bad_spot": "a price of the underlying that is zero",
    "bad_multiplier": "a multiplier that is not > 0",
    "unmatched_open_interest": "open interest of a contract that has no quote or trade in that session",
    "expired": "quoted on a day after the expiration date",
    "duplicate": "the same contract, moment and values as an earlier row",
    "conflicting_duplicate": "the same contract and moment as an earlier row with other values",
}


@dataclass(frozen=True)
class Reject:
    """One refused row: the `line` (1-based, of `member` when the file is an archive), the reason, and its text."""

    line: int | None
    member: str | None
    reason: str
    text: str


@dataclass(frozen=True)
class Batch:
    """Quotes of one file, complete for each (symbol, ts) that they hold.

    Attributes
    ----------
    quotes : DataFrame
        `core.vocabulary.QUOTE_COLUMNS`, sorted by symbol, trading_class, ts, expiry, strike, right (P before C).
    rows_read : int
        Quotes that the file offered for this batch: always ``len(quotes) + len(rejects)``. A line that holds a call
        and a put offers two.
    rejects : list of Reject
    fraction : float
        Share of the file that has been read so far, for progress bars.
    """

    quotes: pd.DataFrame
    rows_read: int
    rejects: list[Reject] = field(default_factory=list)
    fraction: float = 1.0
