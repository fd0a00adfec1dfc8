"""A chain cut into smiles: one per class and expiry, seen at one moment, in log-moneyness and total variance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.calendar import SECONDS_PER_YEAR
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

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
    good = rows[(rows["quality"] == "ok").to_numpy() & (iv > 0) & (forward > 0)]
    k = np.log(good["strike"].to_numpy() / good["forward"].to_numpy())
    iv, tau, is_call = good["iv"].to_numpy(), good["tau"].to_numpy(), (good["right"] == "C").to_numpy()
    found = []
    for places in by_expiry(good):
        order = places[np.argsort(k[places], kind="stable")]
        found.append(Smile(float(np.median(tau[places])), k[order], iv[order], is_call[order]))
    return sorted(found, key=lambda smile: smile.tau)


def by_expiry(rows: pd.DataFrame) -> list[Places]:
    """Return where in `rows` each class and expiry stands; of those that expire at one moment only the largest."""
    if rows.empty:
        return []
    tau = rows["tau"].to_numpy()
    # Plain arrays: a data frame for each of a few hundred rows would cost more than all that is computed from it.
    keys = [_codes(rows[name]) for name in GROUP]
    order = np.lexsort(keys[::-1])
    starts = np.flatnonzero(np.any([np.diff(key[order]) != 0 for key in keys], axis=0)) + 1
    largest: dict[int, Places] = {}
    for places in np.split(order, starts):
        minute = round(float(np.median(tau[places])) * SECONDS_PER_YEAR / 60.0)
        if minute not in largest or len(places) > len(largest[minute]):
            largest[minute] = np.sort(places)
    return list(largest.values())


def _codes(column: pd.Series[Any]) -> npt.NDArray[Any]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return np.asarray(column.cat.codes.to_numpy())
    return pd.factorize(column, sort=True)[0]
