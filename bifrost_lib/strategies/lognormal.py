"""Probabilities of a lognormal price, as scalar kernels that loops over arrays turn into SIMD."""

from __future__ import annotations

from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.pricing import elementary

_SCALAR = {"forceinline": True, "error_model": "numpy", "fastmath": {"contract"}}
_INV_SQRT_TWO_PI = 0.3989422804014327
_exponential, _log_ratio, _mills_ratio = elementary.exponential, elementary.log_ratio, elementary.mills_ratio


@kernel(**_SCALAR)
def normal_cdf(z: float) -> float:
    """Return the standard normal distribution function at `z`."""
    size = abs(z)
    tail = _mills_ratio(size) * _INV_SQRT_TWO_PI * _exponential(-0.5 * size * size)
    return 1.0 - tail if z > 0.0 else tail


@kernel(error_model="numpy", fastmath={"contract"}, nogil=True)
def probabilities_below(prices: Any, forward: float, total_vol: float, out: Any) -> None:
    """Fill `out` with P(S_T < price) for a lognormal price with mean `forward` and log deviation `total_vol`.

    Prices are > 0. With `total_vol` 0 the price is certain to be the forward.
    """
    if total_vol <= 0.0:
        for i in range(prices.size):
            out[i] = 1.0 if forward < prices[i] else 0.0
        return
    inverse, shift = 1.0 / total_vol, 0.5 * total_vol
    for i in range(prices.size):
        out[i] = normal_cdf(_log_ratio(prices[i], forward) * inverse + shift)
