"""OCC symbols both ways, and the conventions of option classes."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_lib.core.contracts import OptionContract, class_convention, occ_symbol, parse_occ_symbol, trading_class_of
from bifrost_lib.core.errors import InputError

CONTRACTS = st.builds(
    OptionContract,
    symbol=st.from_regex(r"[A-Z]{1,4}[0-9]?", fullmatch=True).filter(
        lambda s: class_convention(s).style == "american" and s != "OEX"
    ),
    expiry=st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    strike=st.integers(1, 99_999_999).map(lambda thousandths: thousandths / 1000),
    right=st.sampled_from("CP"),
)


def test_occ_example():
    contract = OptionContract("AAPL", date(2014, 6, 7), 650.0, "C")
    assert occ_symbol(contract) == "AAPL  140607C00650000"
    assert parse_occ_symbol("AAPL140607C00650000") == contract


@given(CONTRACTS)
def test_what_is_written_is_read_back(contract):
    text = occ_symbol(contract)
    assert len(text) == 21
    assert parse_occ_symbol(text) == contract
    assert parse_occ_symbol(text.replace(" ", "")) == contract


def test_an_index_class_brings_its_conventions():
    weekly = parse_occ_symbol("SPXW  210104C03700000")
    assert (weekly.symbol, weekly.style, weekly.settlement) == ("SPX", "european", "PM")
    assert class_convention("SPX").settlement == "AM"


def test_a_source_that_names_only_the_index_means_the_monthly_on_the_third_friday():
    assert trading_class_of("SPX", date(2021, 1, 15)) == "SPX"
    assert trading_class_of("SPX", date(2021, 1, 13)) == "SPXW"
    assert trading_class_of("AAPL", date(2021, 1, 13)) == "AAPL"


@pytest.mark.parametrize(
    "text",
    ["", "AAPL", "AAPL  141307C00650000", "AAPL  140607X00650000", "AAPL  140607C0065000", "aapl140607C00650000",
     "AAPL  140607C00000000", "TOOLONGX140607C00650000"],
)  # fmt: skip
def test_what_is_no_occ_symbol_is_named(text):
    with pytest.raises(InputError) as caught:
        parse_occ_symbol(text)
    assert caught.value.name == "occ_symbol"


@pytest.mark.parametrize(
    ("change", "name"),
    [({"strike": 0.0005}, "strike"), ({"strike": 100_000.0}, "strike"), ({"expiry": date(1999, 1, 15)}, "expiry"),
     ({"symbol": "brk/b"}, "trading_class")],
)  # fmt: skip
def test_contracts_that_occ_cannot_write(change, name):
    fields = {"symbol": "AAPL", "expiry": date(2014, 6, 7), "strike": 650.0, "right": "C"} | change
    with pytest.raises(InputError) as caught:
        occ_symbol(OptionContract(**fields))
    assert caught.value.name == name


@pytest.mark.parametrize(
    ("name", "value"), [("right", "X"), ("style", "asian"), ("settlement", "EU"), ("strike", -1.0)]
)
def test_impossible_contracts(name, value):
    fields = {"symbol": "AAPL", "expiry": date(2014, 6, 7), "strike": 650.0, "right": "C"} | {name: value}
    with pytest.raises(InputError) as caught:
        OptionContract(**fields)
    assert caught.value.name == name
