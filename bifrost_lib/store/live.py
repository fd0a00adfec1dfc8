"""The newest quote of each contract that is streamed: overwritten in place, announced at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import Engine

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store


def publish_quotes(store: Store, frame: pd.DataFrame, *, source: str | None = None) -> int:
    raise NotImplementedError


def live_quotes(engine: Engine, symbol: str, *, at: datetime, max_age: timedelta | None = None) -> pd.DataFrame:
    raise NotImplementedError


def forget_quotes(store: Store, *, before: datetime) -> int:
    raise NotImplementedError
