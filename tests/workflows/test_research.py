"""A study is begun whole or not at all, and overlapping entries are not counted as evidence."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.cli import run
from bifrost_lib.core.errors import InputError
from bifrost_lib.core.intervals import wilson_interval
from bifrost_lib.workflows import entries_by_third, entry_summary, new_study, running_profit

NOTEBOOKS = ["01_design.ipynb", "02_backtest.ipynb", "03_optimise.ipynb", "04_decide.ipynb"]


def entries(pnl, *, held_days=3, iv_rank=None):
    """One entry a day, each held for `held_days`; None was never entered, NaN is still held."""
    at = pd.date_range("2026-03-02 21:00", periods=len(pnl), freq="D", tz="UTC").astype("datetime64[us, UTC]")
    values = np.array([math.nan if value is None else value for value in pnl], dtype=float)
    ended = (at + pd.Timedelta(days=held_days)).to_series(index=range(len(pnl))).where(~np.isnan(values))
    rank = np.linspace(0, 1, len(pnl)) if iv_rank is None else iv_rank
    return pd.DataFrame(
        {
            "session": [moment.date() for moment in at], "at": at, "ended": ended, "pnl": values,
            "legs": [None if value is None else [{}] for value in pnl], "max_loss": 400.0, "pop": 0.8,
            "iv_rank": rank, "skew": 0.0, "term_slope": 0.0, "iv": 0.2,
        }
    )  # fmt: skip


def test_a_summary_counts_what_did_not_overlap():
    frame = entries([100.0, 100.0, -300.0, 100.0, 100.0, 100.0, 50.0, None, math.nan])
    found = entry_summary(frame)
    assert (found["days"], found["entered"], found["ended"], found["independent"]) == (9, 8, 7, 3)
    assert (found["pnl_sum"], found["pnl_worst"], found["drawdown"]) == (250.0, -300.0, -300.0)
    assert found["win_rate"] == pytest.approx(6 / 7)
    assert (found["win_low"], found["win_high"]) == pytest.approx(wilson_interval(3 * 6 / 7, 3))
    pnl = frame["pnl"].dropna()
    assert found["t"] == pytest.approx(pnl.mean() / (pnl.std() / math.sqrt(3)))
    assert found["return_on_risk"] == pytest.approx(pnl.mean() / 400)


def test_nothing_known_is_nan_and_not_nought():
    found = entry_summary(entries([None, math.nan]))
    assert (found["days"], found["entered"], found["ended"]) == (2, 1, 0)
    assert all(math.isnan(found[name]) for name in ("win_rate", "pnl_mean", "pnl_sum", "drawdown", "t"))
    assert math.isnan(entry_summary(entries([50.0]))["t"])


def test_the_running_sum_falls_from_its_highest_point_and_from_nought():
    found = running_profit(entries([-50.0, 200.0, -80.0, -40.0, 300.0]))
    assert found["equity"].tolist() == [-50.0, 150.0, 70.0, 30.0, 330.0]
    assert found["drawdown"].tolist() == [-50.0, 0.0, -80.0, -120.0, 0.0]


def test_thirds_hold_every_entry_that_ended_once():
    frame = entries([10.0] * 6 + [-5.0] * 6)
    thirds = entries_by_third(frame)
    assert thirds.index.tolist() == ["low", "middle", "high"]
    assert thirds["ended"].sum() == 12
    assert thirds.loc["low", "win_rate"] == 1 and thirds.loc["high", "win_rate"] == 0
    unknown = entries_by_third(entries([1.0, 2.0], iv_rank=[math.nan, math.nan]))
    assert unknown["ended"].tolist() == [0, 0, 0] and unknown["from"].isna().all()
    with pytest.raises(InputError) as caught:
        entries_by_third(frame, "volume")
    assert caught.value.name == "of"


def test_a_study_has_its_name_in_every_notebook(tmp_path, capsys):
    assert run(["new", "research", "calm-puts", "--into", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["folder"] == str(tmp_path / "calm-puts")
    assert [path.rsplit("/", 1)[1] for path in told["notebooks"]] == NOTEBOOKS
    for name in NOTEBOOKS:
        text = (tmp_path / "calm-puts" / name).read_text(encoding="utf-8")
        cells = json.loads(text)["cells"]
        assert cells[0]["source"][0].startswith("# calm-puts: ")
        assert 'study = "calm-puts"' in "".join(cells[1]["source"])
        assert "my_study" not in text
    assert [path.name for path in tmp_path.iterdir()] == ["calm-puts"]


@pytest.mark.parametrize("name", ["", "Calm", "../calm", "calm puts", "1calm", "-x", "calm\n", "a" * 41])
def test_a_name_that_is_none_is_refused(tmp_path, name):
    with pytest.raises(InputError) as caught:
        new_study(name, tmp_path)
    assert caught.value.name == "name" and list(tmp_path.iterdir()) == []


def test_what_is_there_is_left_alone(tmp_path):
    (tmp_path / "calm").mkdir()
    with pytest.raises(InputError) as caught:
        new_study("calm", tmp_path)
    assert "exists" in caught.value.expected and list((tmp_path / "calm").iterdir()) == []
    with pytest.raises(InputError) as caught:
        new_study("calm", tmp_path / "nowhere")
    assert caught.value.name == "into"


def test_half_a_study_is_no_study(tmp_path, monkeypatch):
    def fails(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.rename", fails)
    assert run(["new", "research", "calm", "--into", str(tmp_path)]) == 1
    assert list(tmp_path.iterdir()) == []
