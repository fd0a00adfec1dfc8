"""Regulation T margins against what Interactive Brokers asked for, row by row, and against the rules' text."""

from __future__ import annotations

import csv
import os
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost_lib.sim.broker.margins import OptionLot, Terms, naked_requirement, reg_t_requirement

NEAR, FAR = date(2026, 12, 18), date(2027, 1, 15)
# Prices of one share's option at spot 410, as the table was recorded.
PRICES = {("C", 300): 112, ("C", 310): 100, ("C", 320): 92, ("C", 330): 82,
          ("P", 300): 0.02, ("P", 310): 0.03, ("P", 320): 0.05}  # fmt: skip

#: name in the table -> (shares, legs (right, strike, qty, expiry), spot, initial share of stock, tolerance).
#: The rows about covered options and protective puts were recorded while IB asked for 25 % of the stock (30 % short),
#: collars and conversions while it asked for Regulation T's 50 %.
STRUCTURES = {
    "short call 300": (0, [("C", 300, -1, NEAR)], 410, 0.5, 0.10),
    "short put 300": (0, [("P", 300, -1, NEAR)], 410, 0.5, 0.01),
    "covered call (short C300)": (100, [("C", 300, -1, NEAR)], 410, 0.25, 0.05),
    "covered put (short P300)": (-100, [("P", 300, -1, NEAR)], 410, 0.25, 0.03),
    "protective put (long P300)": (100, [("P", 300, 1, NEAR)], 410, 0.25, 0.01),
    "collar SPY524.62 C534/P514": (100, [("C", 534, -1, NEAR), ("P", 514, 1, NEAR)], 524.62, 0.5, 0.001),
    "conversion 524 SPY524.63": (100, [("C", 524, -1, NEAR), ("P", 524, 1, NEAR)], 524.63, 0.5, 0.001),
    "reverse conversion 524 SPY524.61": (-100, [("C", 524, 1, NEAR), ("P", 524, -1, NEAR)], 524.61, 0.5, 0.001),
    "vertical 10-wide credit": (0, [("C", 300, -1, NEAR), ("C", 310, 1, NEAR)], 410, 0.5, 1e-9),
    "vertical 10-wide debit": (0, [("C", 300, 1, NEAR), ("C", 310, -1, NEAR)], 410, 0.5, 1e-9),
    "short straddle 300": (0, [("C", 300, -1, NEAR), ("P", 300, -1, NEAR)], 410, 0.5, 0.07),
    "short strangle C310/P300": (0, [("C", 310, -1, NEAR), ("P", 300, -1, NEAR)], 410, 0.5, 0.13),
    "short call butterfly 300/310/320": (
        0, [("C", 300, -1, NEAR), ("C", 310, 2, NEAR), ("C", 320, -1, NEAR)], 410, 0.5, 1e-9),
    "short call calendar 300": (0, [("C", 300, 1, NEAR), ("C", 300, -1, FAR)], 410, 0.5, 0.06),
    "short put calendar 300": (0, [("P", 300, 1, NEAR), ("P", 300, -1, FAR)], 410, 0.5, 0.05),
    "iron butterfly 10-wide": (
        0, [("P", 300, 1, NEAR), ("P", 310, -1, NEAR), ("C", 310, -1, NEAR), ("C", 320, 1, NEAR)], 410, 0.5, 0.011),
    "iron condor 10-wide": (
        0, [("P", 300, 1, NEAR), ("P", 310, -1, NEAR), ("C", 320, -1, NEAR), ("C", 330, 1, NEAR)], 410, 0.5, 0.018),
    "short box": (
        0, [("C", 300, -1, NEAR), ("P", 300, 1, NEAR), ("C", 320, 1, NEAR), ("P", 320, -1, NEAR)], 410, 0.5, 1e-9),
}  # fmt: skip
# The table does not say the strikes of these.
WITHOUT_STRIKES = {"jelly roll", "short jelly roll", "bull call ladder", "bear put ladder"}


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, str]]:
    beside = Path(__file__).resolve().parents[4] / "shared" / "reference"
    data = os.environ.get("BIFROST_SAMPLE_DATA")
    path = (Path(data).parent / "reference" if data else beside) / "ib_margin_spy410.csv"
    if not path.exists():
        pytest.skip(f"no published margins at {path}; set BIFROST_SAMPLE_DATA to a folder beside `reference`")
    with path.open(newline="", encoding="utf-8") as lines:
        kept = [line for line in lines if not line.startswith("#")]
    return {row["position"]: row for row in csv.DictReader(kept)}


def _lots(legs):
    return [
        OptionLot(right, strike, expiry, qty, PRICES.get((right, strike), 5.0)) for right, strike, qty, expiry in legs
    ]


@pytest.mark.parametrize("name", STRUCTURES)
def test_structures_need_what_ib_showed(rows, name):
    shares, legs, spot, stock_initial, tolerance = STRUCTURES[name]
    found = reg_t_requirement(shares, _lots(legs), Terms(spot, stock_initial=stock_initial))
    assert found.maintenance == pytest.approx(float(rows[name]["IB_maintenance"]), rel=tolerance, abs=1e-6)
    assert found.initial == pytest.approx(float(rows[name]["IB_initial"]), rel=tolerance, abs=1e-6)


def test_every_row_of_the_table_is_spoken_for(rows):
    naked = {name for name in rows if name.startswith("naked")}
    assert set(rows) == set(STRUCTURES) | WITHOUT_STRIKES | naked


def test_naked_options_need_what_ib_showed(rows):
    for name, row in rows.items():
        if name.startswith("naked"):
            _, spot, series = name.split()
            right, (strike, price) = series[0].upper(), map(float, series.lstrip("calput").split("@"))
            lot = OptionLot(right, strike, NEAR, -1, price)
            terms = Terms(float(spot[3:]), broad_index=spot.startswith("SPX"))
            needed = 100 * naked_requirement(lot, terms)
            assert needed == pytest.approx(float(row["IB_initial"]), rel=0.02), name


def test_calendar_is_covered_by_the_later_long():
    lots = _lots([("C", 300, -1, NEAR), ("C", 300, 1, FAR)])
    assert reg_t_requirement(0, lots, Terms(410)).maintenance == 0
    diagonal = _lots([("C", 300, -1, NEAR), ("C", 320, 1, FAR)])
    assert reg_t_requirement(0, diagonal, Terms(410)).maintenance == 2000


def test_broad_index_needs_less():
    lot = OptionLot("P", 3800, NEAR, -1, 0.05)
    assert naked_requirement(lot, Terms(4550, broad_index=True)) == pytest.approx(380.05)


def test_shares_cover_only_what_they_can():
    one, two = _lots([("C", 430, -1, NEAR)]), _lots([("C", 430, -2, NEAR)])
    terms = Terms(410)
    more = reg_t_requirement(100, two, terms).maintenance - reg_t_requirement(100, one, terms).maintenance
    assert more == pytest.approx(100 * naked_requirement(one[0], terms))


def test_cash_account_secures_puts_and_forbids_naked_calls():
    terms = Terms(410, cash_account=True)
    assert reg_t_requirement(0, _lots([("P", 300, -2, NEAR)]), terms).initial == 60_000
    assert reg_t_requirement(100, [], terms).initial == 41_000
    assert reg_t_requirement(0, _lots([("C", 300, -1, NEAR)]), terms).initial == float("inf")
    assert reg_t_requirement(100, _lots([("C", 430, -1, NEAR)]), terms).initial == 41_000


LOTS = st.lists(
    st.builds(
        OptionLot,
        right=st.sampled_from("CP"),
        strike=st.sampled_from([380.0, 390.0, 400.0, 410.0, 420.0]),
        expiry=st.sampled_from([NEAR, FAR]),
        qty=st.integers(-3, 3),
        price=st.floats(0.05, 30),
    ),
    max_size=6,
)


@settings(max_examples=100)
@given(LOTS, st.sampled_from([-200, 0, 100, 300]), st.sampled_from("CP"))
def test_another_long_option_never_needs_more(lots, shares, right):
    terms = Terms(400)
    longer = [*lots, OptionLot(right, 400.0, FAR, 1, 5.0)]
    before, after = (reg_t_requirement(shares, held, terms) for held in (lots, longer))
    # Greedy pairing may spend the new option less than well, but never beyond the width between two strikes.
    assert after.maintenance <= before.maintenance + 4000
    assert 0 <= after.maintenance <= after.initial


@settings(max_examples=100)
@given(LOTS, st.integers(2, 4))
def test_requirement_scales_with_size(lots, times):
    terms = Terms(400)
    more = [OptionLot(lot.right, lot.strike, lot.expiry, lot.qty * times, lot.price) for lot in lots]
    once, often = reg_t_requirement(0, lots, terms), reg_t_requirement(0, more, terms)
    assert often.maintenance == pytest.approx(times * once.maintenance, abs=1e-6)
