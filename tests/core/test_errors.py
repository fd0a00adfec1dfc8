"""Messages of errors: values stand there as somebody would write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.errors import InputError

MOMENT = datetime(2026, 1, 2, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (date(2026, 1, 2), "2026-01-02"),
        (MOMENT, "2026-01-02T21:00:00+00:00"),
        (pd.Timestamp(MOMENT), "2026-01-02T21:00:00+00:00"),
        (np.datetime64("2026-01-02"), "2026-01-02"),
        (np.datetime64("2026-01-02T21:00", "ns"), "2026-01-02T21:00:00.000000000"),
        (time(15, 45), "15:45:00"),
        (timedelta(minutes=15), "0:15:00"),
        (Path("chains/spy.csv"), "chains/spy.csv"),
        ((date(2026, 1, 2), None), "(2026-01-02, None)"),
        ([np.float64(1.5), np.int64(2)], "[1.5, 2]"),
        ({"start": date(2026, 1, 2)}, "{'start': 2026-01-02}"),
        ("2026-01-02", "'2026-01-02'"),
        (0.1, "0.1"),
    ],
)
def test_a_value_is_written_as_a_user_writes_it(value: Any, written: str) -> None:
    error = InputError("start", value, "an earlier day")
    assert str(error) == f"start: got {written}, expected an earlier day"
    assert error.value is value


def test_a_long_value_is_cut() -> None:
    assert len(str(InputError("days", [date(2026, 1, 2)] * 1000, "fewer"))) < 120
