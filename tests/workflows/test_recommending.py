"""Recommendations end with the cash that they really made, and never read what was not known yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.calendar import session_close, sessions
from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.core.errors import InputError
from bifrost_lib.core.settings import Settings
from bifrost_lib.pricing import price
from bifrost_lib.store import FileKey, ingestion, list_recommendations, save_corporate_actions, strategy_marks
from bifrost_lib.strategies import Exits, StrategyDocument, Target, payoff_at_expiry, strategy_named
from bifrost_lib.workflows import (
    FEWEST_OUTCOMES,
    Desk,
    find_strategies,
    open_desk,
    recalibrated_pop,
    with_analytics,
)
from bifrost_lib.workflows.finder.recommending import mark_recommendations, recommend, recommender

FIRST, EXPIRY, LATER = date(2026, 6, 1), date(2026, 6, 26), date(2026, 7, 24)
START = session_close(FIRST)
DAYS = sessions(FIRST, date(2026, 6, 30))


def quotes(symbol: str, ts: datetime, spot: float, *, width: float = 0.04) -> pd.DataFrame:
    """A chain of two expiries on a flat volatility, as a feed delivers it."""
    rows = []
    for expiry in (EXPIRY, LATER):
        tau = max((session_close(expiry) - ts).total_seconds() / (365 * 86400), 0.0)
        for strike in np.arange(80.0, 121.0, 2.5):
            for right in "PC":
                fair = float(price(spot=spot, strike=strike, tau=tau, vol=0.2, right=right, rate=0.03))
                rows.append((expiry, strike, right, max(fair - width / 2, 0.01), max(fair - width / 2, 0.01) + width))
    frame = pd.DataFrame(rows, columns=["expiry", "strike", "right", "bid", "ask"])
    frame = frame.assign(
        ts=pd.Timestamp(ts).as_unit("us"), symbol=symbol, trading_class=symbol, style="european",
        settlement="PM", multiplier=100.0,
        last=np.nan, bid_size=10.0, ask_size=10.0, volume=50.0, open_interest=500.0, spot=spot,
    )  # fmt: skip
    return frame.astype({"expiry": "datetime64[s]"})


def ingest(desk: Desk, symbol: str, path: dict[datetime, float], **changes: float) -> None:
    from bifrost_lib.core.vocabulary import QUOTE_COLUMNS, VOCABULARY

    with ingestion(
        desk.store, FileKey(path=f"{symbol} {min(path)}", sha256="0", size=0, format="t"), source="test"
    ) as writer:
        for ts, spot in path.items():
            frame = quotes(symbol, ts, spot, **changes)[list(QUOTE_COLUMNS)]
            frame = frame.astype({name: VOCABULARY[name].dtype for name in QUOTE_COLUMNS})
            frame = frame.sort_values(["symbol", "ts", "expiry", "strike", "right"], key=_order, ignore_index=True)
            writer.append(with_analytics(frame))


def _order(column: pd.Series) -> pd.Series:
    return column.map({"P": 0, "C": 1}).astype(int) if column.name == "right" else column


@pytest.fixture(scope="module")
def desk(database_settings: Settings) -> Iterator[Desk]:
    with open_desk(settings=database_settings, clock=SteppedClock(START)) as opened:
        yield opened


def closes(spots: list[float]) -> dict[datetime, float]:
    return {session_close(day): spot for day, spot in zip(DAYS, spots, strict=False)}


def short_dated(name: str, **changes: object) -> StrategyDocument:
    known = {"dte": {"low": 20, "target": 25, "high": 30}, "exits": Exits(), **changes}
    return strategy_named(name).with_(**known)


def entered(desk: Desk, symbol: str, document: StrategyDocument) -> tuple[int, dict[str, Any]]:
    scan = find_strategies(desk, symbol, document, at=START, top=3)
    (key,) = recommend(desk, scan, [1], by="ann")
    return key, scan.candidates.records()[0]


def kept(desk: Desk, key: int, at: datetime | None = None) -> dict[Any, Any]:
    frame = list_recommendations(desk.store, at=at)
    return frame[frame["history_id"] == key].to_dict("records")[0]


def test_held_to_expiry_the_profit_is_premium_and_payoff_to_the_cent(desk):
    path = closes([100.0 + 0.3 * n for n in range(len(DAYS))])
    ingest(desk, "UP", path)
    key, record = entered(desk, "UP", short_dated("iron_condor"))
    report = mark_recommendations(desk, session_close(date(2026, 6, 30)))
    found, final = kept(desk, key), path[session_close(EXPIRY)]
    expected = payoff_at_expiry(legs=record["legs"], spot=[final], premium=record["premium"])[0]
    assert found["pnl"] == pytest.approx(expected, abs=1e-9)
    assert found["expiry_pnl"] == found["pnl"]
    assert (found["exit_reason"], found["exit_spot"], found["settled"]) == ("expired", final, session_close(EXPIRY))
    marks = strategy_marks(desk.store, history_id=key)
    assert marks["ts"].tolist() == [session_close(day) for day in sessions(DAYS[1], EXPIRY)]
    assert report.settled == 1 and marks["reason"].isna().all()
    assert mark_recommendations(desk, session_close(date(2026, 6, 30))).followed == 0  # nothing is open any more


def test_nothing_after_the_moment_is_read(desk):
    """A crash is planted after the moment, and another on its evening: marks until then do not move."""
    path = closes([100.0] * 6)
    ingest(desk, "CRASH", path)
    key, _ = entered(desk, "CRASH", short_dated("bull_put_spread", exits=Exits(stop=Target(1.0, "credit"))))
    until = session_close(DAYS[4])
    mark_recommendations(desk, until)
    before = strategy_marks(desk.store, history_id=key, at=until)
    ingest(desk, "CRASH", {until + timedelta(minutes=5): 60.0, session_close(DAYS[6]): 55.0})
    mark_recommendations(desk, until)
    pd.testing.assert_frame_equal(strategy_marks(desk.store, history_id=key, at=until), before)
    assert kept(desk, key)["state"] == "open" and len(before) == 4
    mark_recommendations(desk, session_close(DAYS[6]))
    found = kept(desk, key)
    assert found["exit_reason"] == "stop at 100 % of credit" and found["settled"] == session_close(DAYS[6])
    assert kept(desk, key, at=until)["state"] == "open"


def test_closing_pays_the_spread_as_the_document_says(desk):
    ingest(desk, "WIDE", closes([100.0, 100.0]), width=0.10)
    key, record = entered(desk, "WIDE", short_dated("iron_condor"))
    mark_recommendations(desk, session_close(DAYS[1]))
    mark = strategy_marks(desk.store, history_id=key).iloc[0]
    chain = find_strategies(desk, "WIDE", short_dated("iron_condor"), at=session_close(DAYS[1])).chain
    mids = {(row.right, row.strike): row.mid for row in chain[chain["expiry"] == str(EXPIRY)].itertuples()}
    at_mid = sum(leg["qty"] * 100 * mids[leg["right"], leg["strike"]] for leg in record["legs"])
    assert mark["value"] == pytest.approx(at_mid - 4 * 100 * (0.53 - 0.5) * 0.10, abs=1e-6)
    assert mark["pnl"] == pytest.approx(record["premium"] + mark["value"], abs=1e-9)


@pytest.mark.parametrize(
    ("symbol", "exits", "reason"),
    [
        ("TAKE", Exits(take_profit=Target(0.25, "credit")), "take profit at 25 % of credit"),
        ("DTE", Exits(dte=14), "14 days to expiry"),
        ("HELD", Exits(days_in_trade=7), "7 days in trade"),
    ],
)
def test_an_exit_closes_at_the_first_close_that_reaches_it(desk, symbol, exits, reason):
    ingest(desk, symbol, closes([100.0] * len(DAYS)))
    key, record = entered(desk, symbol, short_dated("short_strangle", exits=exits))
    mark_recommendations(desk, session_close(date(2026, 6, 30)))
    found, marks = kept(desk, key), strategy_marks(desk.store, history_id=key)
    assert found["exit_reason"] == reason
    assert marks["ts"].iloc[-1] == found["settled"] and marks["pnl"].iloc[-1] == found["pnl"]
    days = [ts.date() for ts in marks["ts"]]
    assert found["expiry_pnl"] == pytest.approx(record["premium"])  # it would have expired worthless
    if exits.dte:
        assert days[-1] == date(2026, 6, 12)
    elif exits.days_in_trade:
        assert days[-1] == date(2026, 6, 8)
    else:
        assert (marks["pnl"].iloc[:-1] < 0.25 * record["premium"]).all() and found["pnl"] >= 0.25 * record["premium"]


def test_what_cannot_be_valued_has_no_mark_but_a_reason_and_is_made_good(desk):
    path = closes([100.0] * len(DAYS))
    missing = session_close(DAYS[2])
    ingest(desk, "HOLE", {ts: spot for ts, spot in path.items() if ts not in (missing, session_close(EXPIRY))})
    key, _ = entered(desk, "HOLE", short_dated("iron_condor"))
    report = mark_recommendations(desk, session_close(date(2026, 6, 30)))
    marks = strategy_marks(desk.store, history_id=key).set_index("ts")
    assert marks.loc[missing, "reason"] == f"no chain of {DAYS[2]} is stored" and np.isnan(marks.loc[missing, "pnl"])
    assert report.settled == 0 and kept(desk, key)["state"] == "open"
    assert marks.loc[session_close(EXPIRY), "reason"] == f"no price of the settlement on {EXPIRY} is stored"
    ingest(desk, "HOLE", {session_close(EXPIRY): 100.0})
    assert mark_recommendations(desk, session_close(date(2026, 6, 30))).settled == 1


def test_a_calendar_settles_its_near_leg_and_sells_the_other(desk):
    path = closes([100.0] * len(DAYS))
    ingest(desk, "TIME", path)
    key, record = entered(desk, "TIME", short_dated("call_calendar"))
    mark_recommendations(desk, session_close(date(2026, 6, 30)))
    found, (near, far) = kept(desk, key), sorted(record["legs"], key=lambda leg: leg["expiry"])
    rows = quotes("TIME", session_close(EXPIRY), 100.0)
    chosen = rows[(rows["expiry"] == str(LATER)) & (rows["strike"] == far["strike"]) & (rows["right"] == "C")].iloc[0]
    sold = chosen["ask"] - 0.75 * (chosen["ask"] - chosen["bid"])
    intrinsic = max(100.0 - near["strike"], 0.0)
    assert found["pnl"] == pytest.approx(record["premium"] + 100 * (sold - intrinsic), abs=1e-6)


def test_shares_earn_their_dividends_and_a_split_stops_the_marks(desk):
    for symbol in ("PAYS", "SPLIT"):
        ingest(desk, symbol, closes([100.0] * len(DAYS)))
    actions = [
        ("PAYS", "2026-06-10", "dividend", 0.5),
        ("PAYS", "2026-05-01", "dividend", 9.0),
        ("SPLIT", "2026-06-10", "split", 2.0),
    ]
    frame = pd.DataFrame(actions, columns=["symbol", "ex_date", "kind", "value"]).assign(source="test")
    save_corporate_actions(desk.store.engine, frame)
    keys = {symbol: entered(desk, symbol, short_dated("covered_call")) for symbol in ("PAYS", "SPLIT")}
    mark_recommendations(desk, session_close(date(2026, 6, 30)))
    found, record = kept(desk, keys["PAYS"][0]), keys["PAYS"][1]
    plain = payoff_at_expiry(legs=record["legs"], spot=[100.0], premium=record["premium"])[0]
    assert found["carried"] == 50.0 and found["pnl"] == pytest.approx(plain + 50.0, abs=1e-9)
    marks = strategy_marks(desk.store, history_id=keys["SPLIT"][0])
    assert marks["reason"].iloc[-1] == "split on 2026-06-10: the contracts were adjusted"
    assert marks["pnl"].notna().sum() == len(sessions(DAYS[1], date(2026, 6, 9)))
    assert kept(desk, keys["SPLIT"][0])["state"] == "open"


def test_ranks_that_are_not_there_are_refused(desk):
    ingest(desk, "RANK", closes([100.0]))
    scan = find_strategies(desk, "RANK", short_dated("iron_condor"), at=START, top=2)
    with pytest.raises(InputError) as caught:
        recommend(desk, scan, [1, 7], by="ann")
    assert caught.value.name == "rows"
    assert len(list_recommendations(desk.store, symbol="RANK")) == 0
    keys = recommend(desk, scan, scan.candidates.records(), by="ann")
    assert len(set(keys)) == 2 and recommend(desk, scan, [2], by="bob") == keys[1:]


@pytest.mark.parametrize(
    ("role", "may"),
    [("trader", False), ("", False), ("quant", True), ("operator", True), ("admin", True), (None, True)],
)
def test_a_pages_button_is_for_those_who_may_write(role: str | None, may: bool) -> None:
    nowhere: Any = None
    assert (recommender(nowhere, by="ann", role=role) is not None) == may


def test_a_scan_learns_from_what_had_settled_by_then(desk):
    """Three days of condors that all lost make the next less likely to win; on the first day nothing was known."""
    ingest(desk, "LEARN", {session_close(day): 85.0 if DAYS[2] < day <= EXPIRY else 100.0 for day in DAYS})
    condor = short_dated("iron_condor")
    for day in DAYS[2::-1]:
        first = find_strategies(desk, "LEARN", condor, at=session_close(day), top=40, recalibrated=True)
        recommend(desk, first, list(range(1, len(first.candidates) + 1)), by="ann")
    last = session_close(DAYS[-1])
    mark_recommendations(desk, last)
    plain = find_strategies(desk, "LEARN", condor, at=last, top=5)
    wiser = find_strategies(desk, "LEARN", condor, at=last, top=5, recalibrated=True)

    told = [scan.as_dict()["recalibration"] for scan in (first, plain, wiser)]
    assert (told[0]["outcomes"], told[0]["used"], told[1]) == (0, False, None)
    assert told[2]["outcomes"] >= told[2]["needed"] == FEWEST_OUTCOMES and told[2]["used"]
    assert first.candidates.records()[0]["pop_recalibrated"] is None
    for record in wiser.candidates.records():
        expected = recalibrated_pop(desk, record["pop"], at=last, strategy="iron_condor")
        assert record["pop_recalibrated"] == pytest.approx(float(expected), rel=1e-9)
        assert record["pop_recalibrated"] < 0.2 < record["pop"]
    assert wiser.candidates.records()[0]["score"] < plain.candidates.records()[0]["score"]
