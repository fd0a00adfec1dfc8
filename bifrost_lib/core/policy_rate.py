"""What money cost at the beginning of a year: a first guess for the rate of options whose quotes do not tell it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

#: Effective federal funds rate, average of the December before the year, in percent. Source: Board of Governors of the
#: Federal Reserve System, release H.15, series FEDFUNDS. A year that is not there takes the last one before it.
_DECEMBER_BEFORE: dict[int, float] = {
    1990: 8.45, 1991: 7.31, 1992: 4.43, 1993: 2.92, 1994: 2.96, 1995: 5.45, 1996: 5.60, 1997: 5.29, 1998: 5.50,
    1999: 4.68, 2000: 5.30, 2001: 6.40, 2002: 1.82, 2003: 1.24, 2004: 0.98, 2005: 2.16, 2006: 4.16, 2007: 5.24,
    2008: 4.24, 2009: 0.16, 2010: 0.12, 2011: 0.18, 2012: 0.07, 2013: 0.16, 2014: 0.09, 2015: 0.12, 2016: 0.24,
    2017: 0.54, 2018: 1.30, 2019: 2.27, 2020: 1.55, 2021: 0.09, 2022: 0.08, 2023: 4.10, 2024: 5.33, 2025: 4.48,
    2026: 3.72,
}  # fmt: skip
_YEARS = np.array(sorted(_DECEMBER_BEFORE))
_RATES = np.log1p(np.array([_DECEMBER_BEFORE[year] for year in sorted(_DECEMBER_BEFORE)]) / 100.0)


def policy_rates(ts: npt.NDArray[np.datetime64]) -> npt.NDArray[np.float64]:
    """Return the continuous annual policy rate that was known when the year of each `ts` (naive UTC) began.

    Moments before 1990 take the rate of 1990. Only a guess: it is used where put-call parity cannot tell the rate.
    """
    year = ts.astype("datetime64[Y]").astype(np.int64) + 1970
    place = np.clip(np.searchsorted(_YEARS, year, side="right") - 1, 0, len(_YEARS) - 1)
    return np.asarray(_RATES[place])
