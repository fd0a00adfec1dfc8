"""A ladder says every number with its sign, and missing as missing; a patch holds the cells that moved."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from bifrost_lib.core.errors import InputError
from bifrost_lib.views import live as views

NAMES = ["open_interest", "volume", "mid_change", "iv", "delta", "bid", "mid", "ask"]


def rows(**changes: dict[tuple[float, str], Any]) -> pd.DataFrame:
    """Three strikes, calls and puts; `changes` by column, then by strike and right."""
    made = []
    for strike in (95.0, 100.0, 105.0):
        for right in ("C", "P"):
            made.append(
                {"strike": strike, "right": right, "trading_class": "ABC", "expiry": pd.Timestamp("2026-12-18"),
                 "quality": "ok", "ts": pd.Timestamp("2026-11-20 15:00Z"), "open_interest": 1200.0, "volume": 7.0,
                 "mid_change": -0.125, "iv": 0.2234, "delta": 0.5 if right == "C" else -0.5, "bid": 1.0, "mid": 1.05,
                 "ask": 1.1, "gamma": 0.01234, "theta": -73.0, "vega": 41.5}
            )  # fmt: skip
    frame = pd.DataFrame(made)
    for name, cells in changes.items():
        for (strike, right), value in cells.items():
            frame.loc[(frame["strike"] == strike) & (frame["right"] == right), name] = value
    return frame


def table(frame: pd.DataFrame, *, spot: float = 101.0, key: str = "ABC", beside: str = "Market") -> dict[str, Any]:
    made: dict[str, Any] = views.ladder_table(frame, spot=spot, key=key, beside=beside)
    return made


def test_calls_stand_left_and_puts_right_of_the_strike() -> None:
    made = table(rows(bid={(100.0, "P"): 2.5}))
    assert [column["name"] for column in made["columns"]] == [*NAMES, "bid", "mid", "ask", *reversed(NAMES[:-3])]
    middle = made["rows"][1]
    assert middle["strike"] == "100"
    assert middle["cells"][:8] == ["1,200", "7", "\u22120.12", "22.3", "0.50", "1.00", "1.05", "1.10"]
    assert middle["cells"][8:12] == ["2.50", "1.05", "1.10", "\u22120.50"]
    assert [line["inside"] for line in made["rows"]] == [[True, False], [True, False], [False, True]]
    assert made["spot_row"] == 2


def test_greeks_stand_beside_the_quotes_in_a_traders_units() -> None:
    made = table(rows(vega={(100.0, "P"): float("nan")}), beside="Greeks")
    greeks = ["vega", "theta", "gamma", "delta", "iv"]
    assert [column["name"] for column in made["columns"]] == [*greeks, *NAMES[-3:], *NAMES[-3:], *reversed(greeks)]
    middle = made["rows"][1]["cells"]
    assert middle[:8] == ["0.415", "\u22120.200", "0.0123", "0.50", "22.3", "1.00", "1.05", "1.10"]
    assert middle[8:] == ["1.00", "1.05", "1.10", "22.3", "\u22120.50", "0.0123", "\u22120.200", "\u2013"]
    assert views.ladder_patch(table(rows()), made) is None  # other columns: drawn anew


def test_missing_is_a_dash_with_a_reason_never_a_zero() -> None:
    nan = float("nan")
    found = rows(
        bid={(95.0, "C"): nan}, mid={(95.0, "C"): nan}, iv={(95.0, "C"): nan}, mid_change={(95.0, "C"): nan},
        quality={(95.0, "C"): "one_sided"},
    )  # fmt: skip
    first = table(found)["rows"][0]
    assert first["cells"][:8] == ["1,200", "7", "\u2013", "\u2013", "0.50", "\u2013", "\u2013", "1.10"]
    assert (first["dim"], first["why"]) == ([True, False], ["one side is not quoted", ""])
    alone = table(rows().query("not (strike == 95 and right == 'P')"))["rows"][0]
    assert (alone["cells"][8:], alone["why"][1]) == (["\u2013"] * 8, "not listed")
    assert table(rows(), spot=nan)["spot_row"] == -1


def test_a_change_that_rounds_to_nothing_has_no_sign() -> None:
    assert views.cell_text("mid_change", -0.0004) == "0.00"
    assert views.cell_text("mid_change", 0.015) == "+0.01"


def test_two_classes_of_one_expiry_are_told_apart() -> None:
    both = pd.concat([rows(), rows().assign(trading_class="ABCW")])
    assert [line["strike"] for line in table(both)["rows"][:2]] == ["95 ABC", "95 ABCW"]


def test_a_patch_holds_what_moved() -> None:
    before = table(rows())
    after = table(rows(ask={(100.0, "C"): 1.2}, mid={(105.0, "P"): 1.0}), spot=104.0)
    patch = views.ladder_patch(before, after)
    assert patch == {"cells": [[1, 7, "1.20"], [2, 9, "1.00"]]}
    assert views.ladder_patch(before, before) == {"cells": []}
    moved = views.ladder_patch(before, table(rows(), spot=106.0))
    assert moved is None  # other cells are in the money: drawn anew


def test_another_expiry_or_another_strike_is_drawn_anew() -> None:
    before = table(rows())
    assert views.ladder_patch(before, table(rows(), key="ABC 2027")) is None
    assert views.ladder_patch(before, table(rows().query("strike < 105"))) is None
    assert views.ladder_patch(views.ladder_notice("empty", "Nothing", "at all"), before) is None


def test_frames_that_are_no_ladder_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        table(rows().drop(columns="delta"))
    assert caught.value.name == "rows.delta"
    two = rows()
    two.loc[0, "expiry"] = pd.Timestamp("2027-01-15")
    with pytest.raises(InputError) as caught:
        table(two)
    assert caught.value.name == "rows.expiry"


def test_csv_names_units_keeps_full_precision_and_leaves_missing_empty() -> None:
    text = views.csv_text(rows(iv={(95.0, "C"): float("nan")}).head(2), ["ts", "expiry", "strike", "right", "iv"])
    assert text.splitlines() == [
        'ts (New York),expiry (date),strike (currency per share),right,"iv (decimal, annual)"',
        "2026-11-20 10:00:00,2026-12-18,95.0,C,",
        "2026-11-20 10:00:00,2026-12-18,95.0,P,0.2234",
    ]
