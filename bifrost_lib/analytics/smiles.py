"""A chain cut into smiles: one per class and expiry, seen at one moment, in log-moneyness and total variance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.calendar import SECONDS_PER_YEAR
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

GROUP = ["expiry", "trading_class", "settlement", "multiplier"]
SMILE_COLUMNS = ("ts", *GROUP, "strike", "right", "forward", "iv", "tau", "quality")


@dataclass(frozen=True)
class Smile:
    """Implied volatilities of one expiry; arrays (n,), sorted by log-moneyness ln(strike / forward).

    `tau` in years from the moment that is asked about to the moment of expiry.
    """

    tau: float
    log_moneyness: Floats
    iv: Floats
    is_call: Bools


def known_at(chain: pd.DataFrame, at: datetime, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return the rows of `chain` that were known at `at` and had not expired, with `tau` counted from `at`.

    Raises
    ------
    InputError
        If a column is missing or `at` has no zone; ``error.name`` says which.
    """
    moment = pd.Timestamp(as_utc(at))
    for column in columns:
        if column not in chain.columns:
            raise InputError(f"chain.{column}", list(chain.columns), "this column to be present")
    rows = chain.loc[(chain["ts"] <= moment).to_numpy(), list(columns)]
    age = (moment - rows["ts"]).dt.total_seconds().to_numpy() / SECONDS_PER_YEAR
    rows = rows.assign(tau=rows["tau"].to_numpy() - age)
    return rows[rows["tau"].to_numpy() > 0]


def cut_smiles(chain: pd.DataFrame, at: datetime) -> list[Smile]:
    """Return the smiles of the good quotes known at `at`, by ascending time to expiry.

    Where several classes expire at one moment (an index and its weeklies never do, adjusted contracts may), the one
    with most quotes speaks.
    """
    rows = known_at(chain, at, SMILE_COLUMNS)
    forward, iv = rows["forward"].to_numpy(), rows["iv"].to_numpy()
    good = (rows["quality"] == "ok").to_numpy() & (iv > 0) & (forward > 0)
    found = [_smile(group) for group in by_expiry(rows[good])]
    return sorted(found, key=lambda smile: smile.tau)


def by_expiry(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """Split rows by class and expiry; of those that expire at one moment only the largest remains."""
    largest: dict[float, pd.DataFrame] = {}
    for _, group in rows.groupby(GROUP, observed=True):
        minute = round(float(group["tau"].median()) * SECONDS_PER_YEAR / 60.0)
        if minute not in largest or len(group) > len(largest[minute]):
            largest[minute] = group
    return list(largest.values())


def _smile(rows: pd.DataFrame) -> Smile:
    k = np.log(rows["strike"].to_numpy() / rows["forward"].to_numpy())
    order = np.argsort(k, kind="stable")
    is_call = (rows["right"] == "C").to_numpy()
    return Smile(float(rows["tau"].median()), k[order], rows["iv"].to_numpy()[order], is_call[order])
