"""In which order contracts without a line of their own take turns on the lines that rotate."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.microstructure.line_choice import LineChoice
from bifrost_lib.microstructure.surface_points import Ints


def rotation_order(choice: LineChoice, age_s: npt.ArrayLike) -> Ints:
    """Order the rows that are not held by how much has probably been missed of each.

    Parameters
    ----------
    choice : LineChoice
        Tells what the held lines leave unknown of each row, and how much it matters.
    age_s : array_like (n,)
        Seconds since each row was last seen, >= 0; NaN or infinite: never.

    Returns
    -------
    array of int
        Rows of the chain, first the one to look at next.

    Raises
    ------
    InputError
        If `age_s` is not one number >= 0 (or NaN) per row of the choice's chain.

    Notes
    -----
    What was never seen comes first. Then by weight * sd**2 * age: volatilities diffuse, so the variance of what was
    missed grows with time, and of it the held lines explain all but the share that `sd` stands for. Rows that have no
    place on the surface come last, the oldest first. Ties keep the chain's order.
    """
    age = np.asarray(age_s, dtype=np.float64)
    if age.shape != choice.sd.shape or (age < 0).any():
        raise InputError("age_s", age, f"one number of seconds >= 0 for each of the {len(choice.sd)} rows")
    never = ~np.isfinite(age)
    missed = choice.weight * np.nan_to_num(choice.sd) ** 2
    score = np.where(never, missed, missed * np.where(never, 0.0, age))
    order = np.lexsort((np.arange(len(age)), -np.where(never, 0.0, age), -score, ~never))
    return np.asarray(order[~np.isin(order, choice.held)], dtype=np.int64)
