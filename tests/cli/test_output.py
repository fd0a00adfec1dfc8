"""What is printed for machines: stable keys, null for missing, moments in UTC."""

import json

import numpy as np
import pandas as pd

from bifrost_lib.cli.output import frame_rows, json_ready, number, print_csv, print_json


def test_missing_is_null_and_never_nan(capsys):
    print_json({"iv": float("nan"), "max_loss": np.float64("inf"), "rank": np.int64(1), "rows": [{"bid": np.nan}]})
    assert json.loads(capsys.readouterr().out) == {"iv": None, "max_loss": None, "rank": 1, "rows": [{"bid": None}]}


def test_frames_become_rows_with_moments_and_dates():
    frame = pd.DataFrame(
        {
            "ts": pd.to_datetime(["2026-08-12T20:00:00Z"]).astype("datetime64[us, UTC]"),
            "expiry": pd.to_datetime(["2026-09-18"]).astype("datetime64[s]"),
            "right": pd.Categorical(["C"]),
            "iv": [np.nan],
            "strike": [640.0],
        }
    )
    assert frame_rows(frame, ["ts", "expiry", "right", "iv", "strike"]) == [
        {"ts": "2026-08-12T20:00:00Z", "expiry": "2026-09-18", "right": "C", "iv": None, "strike": 640.0}
    ]


def test_csv_leaves_missing_empty_and_nests_json(capsys):
    print_csv([{"rank": 1, "iv": float("nan"), "legs": [{"qty": -1}]}], ["rank", "iv", "legs"])
    assert capsys.readouterr().out == 'rank,iv,legs\n1,,"[{""qty"": -1}]"\n'


def test_numbers_for_people():
    assert number(1234.567) == "1,234.57"
    assert number(float("nan")) == number(None) == number(float("inf")) == "-"


def test_moments_are_written_in_utc():
    assert json_ready(pd.Timestamp("2026-08-12T20:00Z").to_pydatetime()) == "2026-08-12T20:00:00Z"
