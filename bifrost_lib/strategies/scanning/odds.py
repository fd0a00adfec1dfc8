"""A candidate's odds under a fitted surface, beside the lognormal ones that it was ranked by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrost_lib.strategies.measures.laws import surface_law
from bifrost_lib.strategies.measures.outcomes import outcomes
from bifrost_lib.strategies.measures.profile import profile_of

if TYPE_CHECKING:
    from bifrost_lib.pricing import VolSurface


def under_surface(record: Mapping[str, Any], surface: VolSurface) -> dict[str, Any]:
    """Return a candidate's record with ``pop_surface`` and ``ev_surface`` filled in.

    They stay None where legs expire at two times, since what the later ones are worth then hangs on more than a
    distribution of prices, and where the surface does not reach the expiry.
    """
    options = [leg for leg in record["legs"] if leg["right"] != "S"]
    law = surface_law(surface, tau=record["tau"], forward=record["forward"])
    if law is None or len({leg["expiry"] for leg in options}) > 1:
        return dict(record)
    shares = sum(leg["qty"] for leg in record["legs"] if leg["right"] == "S")
    profile = profile_of(
        strike=[leg["strike"] for leg in options],
        weight=[record["multiplier"] * leg["qty"] for leg in options],
        is_call=np.array([leg["right"] == "C" for leg in options]),
        shares=record["multiplier"] * shares,
        premium=record["premium"],
    )
    found = outcomes(profile, law)
    return {**record, "pop_surface": found.pop, "ev_surface": found.ev}
