"""Pictures and tables of backtests say what their frames say, and a tear sheet needs nothing but itself."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.views import backtests as views
from bifrost_lib.views import formats, history, report_page
from bifrost_lib.workflows.backtests import sheet_facts, write_tear_sheet

from .backtest_fakes import result
from .backtest_frames import CAPITAL, STATISTICS, bands_of, equity_of, grid_of, trades_and_legs


def sources(chart: Any, column: str) -> list[Any]:
    """What is drawn of a column, by picture."""
    drawn = [one.data_source.data for one in chart.renderers if hasattr(one, "data_source")]
    return [data for data in drawn if column in data]


def made_of(days: dict[str, float]) -> pd.DataFrame:
    ts = pd.to_datetime([f"{day} 16:00" for day in days]).tz_localize("America/New_York").tz_convert("UTC")
    return pd.DataFrame({"ts": ts, "equity": list(days.values())})


def test_months_compound_to_their_year_and_the_first_one_counts_from_the_capital() -> None:
    equity = made_of({"2025-11-28": 110.0, "2025-12-31": 99.0, "2026-01-30": 99.0, "2026-02-27": 108.9})
    found = views.monthly_returns(equity, capital=100.0)
    assert found.loc[2025, [11, 12, "total"]].tolist() == pytest.approx([0.1, -0.1, -0.01])
    assert found.loc[2026, [1, 2, "total"]].tolist() == pytest.approx([0.0, 0.1, 0.1])
    assert found.loc[2026, list(range(3, 13))].isna().all()
    whole = (1 + found.drop(columns="total").stack()).prod()
    assert whole == pytest.approx((1 + found["total"]).prod()) == pytest.approx(1.089)
    newest = views.monthly_grid(found)["rows"][0]["cells"]
    assert [newest[0], newest[1]["text"], newest[2], newest[3]["text"]] == [
        "2026", "0.0", {"text": "+10.0", "kind": "good"}, formats.MISSING,
    ]  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_equity_lies_in_its_band(theme: str) -> None:
    trades, _ = trades_and_legs()
    equity = equity_of(trades)
    chart = history.chart_figure(views.equity_chart(equity, bands_of(equity), theme=theme), theme=theme, title="")
    assert np.array_equal(sources(chart, "equity")[0]["equity"], equity["equity"])
    labels = [item.label.value for legend in chart.legend for item in legend.items]
    assert labels == ["costs and day of entry too", "fills: mid to worst", "equity"]
    alone = history.chart_figure(views.equity_chart(equity, theme=theme), theme=theme, title="")
    assert [item.label.value for legend in alone.legend for item in legend.items] in ([], ["equity"])


def test_trades_without_a_result_are_drawn_nowhere_and_told_in_the_table() -> None:
    trades, legs = trades_and_legs()
    chart = history.chart_figure(views.trade_chart(trades), theme="light", title="")
    drawn = sum(len(data["pnl"]) for data in sources(chart, "pnl"))
    assert drawn == int((trades["pnl"].notna() & trades["closed"].notna()).sum())
    rows = {row["key"]: row["cells"] for row in views.trades_grid(trades, legs)["rows"]}
    odd = rows[str(len(trades) // 2)]
    assert odd[7] == formats.MISSING and odd[11]["kind"] == "bad" and odd[12] == {"text": "3", "kind": "warn"}
    assert rows["0"][3]["text"] == f"+470P {formats.MINUS}480P {formats.MINUS}525C +535C"
    assert rows[str(len(trades) - 1)][1] == formats.MISSING and rows[str(len(trades) - 1)][11]["kind"] == "warn"
    with pytest.raises(UnknownNameError):
        views.trade_chart(trades, against="mood")


def test_a_map_of_a_grid_takes_the_mean_over_all_else() -> None:
    summary = grid_of()
    chart = history.chart_figure(
        views.grid_map(summary, x="dte.target", y="exits.take_profit.share", value="sharpe"), theme="light", title=""
    )
    (cells,) = sources(chart, "sets")
    mean = summary[(summary["dte.target"] == 30) & (summary["exits.take_profit.share"] == 0.5)]["sharpe"].mean()
    at = list(zip(cells["across"], cells["down"], strict=True)).index(("30", "0.5"))
    assert float(cells["value"][at]) == pytest.approx(mean, abs=1e-5) and set(cells["sets"]) == {"4"}
    alone = views.grid_map(summary, x="dte.target", y="dte.target", value="sharpe")
    (cells,) = sources(history.chart_figure(alone, theme="light", title=""), "sets")
    assert sorted(cells["across"]) == sorted(str(one) for one in summary["dte.target"].unique()), "one row"
    with pytest.raises(InputError) as caught:
        views.grid_map(summary, x="dte.target", y="nothing", value="sharpe")
    assert caught.value.name == "summary.nothing"
    parallel = views.parallel_chart(summary, parameters=["dte.target", "exits.take_profit.share"], value="sharpe")
    assert history.chart_figure(parallel, theme="dark", title="").renderers


def test_attribution_leaves_out_what_is_unknown_or_nothing() -> None:
    parts = {"delta": -3.0, "vega": float("nan"), "dividends": 0.0, "theta": 5.0}
    chart = history.chart_figure(views.attribution_chart(parts), theme="light", title="")
    assert list(chart.x_range.factors) == ["delta", "theta"]
    with pytest.raises(InputError):
        views.attribution_chart({"delta": float("nan")})


def test_warnings_come_before_figures() -> None:
    said = " ".join(views.warnings_of(STATISTICS, {"capital": 4}))
    assert "1 trade still open" in said and "1 trade not priced" in said and "1,420 would be needed" in said
    assert "On 4 sessions nothing was opened: capital." in said
    assert views.warnings_of({"closed": 400, "sessions": 500, "min_track_record": 200.0}) == []


def test_a_tear_sheet_stands_alone_and_survives_its_way_to_another_process(tmp_path: Path) -> None:
    from bifrost_lib.strategies import strategy_named

    document = strategy_named("iron_condor")
    found = replace(result(), document_hash=document.sha256)
    facts = sheet_facts(found, document, attribution={"theta": 10.0}, sources=["simulated"])
    here = views.sheet_page(views.Sheet(**facts))
    path = write_tear_sheet(
        found, document, tmp_path / "sheet.html", attribution={"theta": 10.0}, sources=["simulated"]
    )
    there = path.read_text(encoding="utf-8")
    assert "default-src 'none'" in there  # so what its scripts may name is not asked for
    assert not report_page.names_a_network(re.sub(r"<script>.*?</script>", "", there, flags=re.DOTALL))
    for page in (here, there):
        assert (
            "SIMULATED" in page
            and "sell 1 put, delta -0.16" in page
            and "gives away 53%" in page.replace("give away", "gives away")
        )
        assert "At 3 moments a leg had no price to believe" in page
        charts = json.loads(page.split('id="charts">')[1].split("</script>")[0])
        assert set(charts) == {"equity", "drawdown", "margin", "trades", "excursions", "exits", "attribution"}
    assert all("Worst trades" in page and f"{formats.MINUS}594" in page for page in (here, there))
    with pytest.raises(InputError) as caught:
        write_tear_sheet(found, strategy_named("covered_call"), tmp_path / "sheet.html")
    assert caught.value.name == "document"
    assert found.capital == CAPITAL
