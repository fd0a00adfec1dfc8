"""Full accounts of a stock strategy, and indicators beyond our own, by vectorbt.

It takes seconds to load, and the GPU environment does not have it: nothing else imports this module.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import EnvironmentProblem, InputError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd


def portfolio(
    close: pd.Series[float] | pd.DataFrame,
    entries: npt.ArrayLike,
    exits: npt.ArrayLike,
    *,
    capital: float = 100_000.0,
    fees: float = 0.0,
    slippage: float = 0.0,
    delay: int = 0,
    frequency: str = "1D",
    **options: Any,
) -> Any:
    """Keep the accounts of trading underlyings on signals.

    Parameters
    ----------
    close : Series or DataFrame
        Currency per share, on an index of moments; a column for each underlying or set.
    entries, exits : array_like of bool
        Of the shape of `close`; what `Signal.holds` returns.
    capital : float
        Currency at the start, > 0, for each column.
    fees, slippage, delay
        As for `run_averages`, whose figures these accounts have; all money goes into each trade unless `size` is given.
    frequency : str
        Length of a bar, as pandas writes it.
    **options
        Those of ``vectorbt.Portfolio.from_signals``: `sl_stop`, `tp_stop`, `size`, `direction`, `cash_sharing`, ...

    Returns
    -------
    vectorbt.Portfolio
        Ask it for `total_return()`, `sharpe_ratio(year_freq="252 days")`, `trades.records_readable`, `value()`, ...

    Raises
    ------
    EnvironmentProblem
        If vectorbt is not installed.
    InputError
        If `capital` or `delay` is outside its domain, or the signals do not have the shape of `close`.
    """
    if not capital > 0:
        raise InputError("capital", capital, "currency > 0")
    if delay < 0:
        raise InputError("delay", delay, "0 bars or more")
    enter, leave = (_delayed(np.asarray(one, dtype=bool), delay) for one in (entries, exits))
    if enter.shape != close.shape or leave.shape != close.shape:
        raise InputError("entries", (enter.shape, leave.shape), f"signals of the shape of close: {close.shape}")
    terms: dict[str, Any] = {"size": math.inf, "fees": fees, "slippage": slippage, "freq": frequency}
    return _vectorbt().Portfolio.from_signals(close, enter, leave, init_cash=capital, **(terms | options))


def library_indicator(name: str, *series: npt.ArrayLike, output: str | None = None, **options: Any) -> Any:
    """Compute an indicator of vectorbt, or of a library that it wraps.

    Parameters
    ----------
    name : str
        One of vectorbt's own (``STOCH``, ``OBV``, ``MSTD``, ...), or ``talib:NAME``, ``pandas_ta:NAME``, ``ta:NAME`` of
        a library that is installed.
    *series : array_like (n,)
        What the indicator takes, in its order.
    output : str, optional
        Which of its outputs; default the first.
    **options
        Its parameters.

    Returns
    -------
    ndarray (n,)

    Raises
    ------
    EnvironmentProblem
        If vectorbt, or the library named, is not installed.
    UnknownNameError
        If there is no such indicator or output.
    """
    library = _vectorbt()
    source, _, short = name.rpartition(":")
    if source:
        maker = getattr(library.IndicatorFactory, f"from_{source}", None)
        if maker is None:
            raise UnknownNameError("library", source, ("talib", "pandas_ta", "ta"))
        try:
            kind = maker(short)
        except ImportError as error:
            raise EnvironmentProblem(
                f"{source} is not installed ({error})", "install it into this environment"
            ) from None
    else:
        known = [one for one in dir(library) if hasattr(getattr(library, one), "output_names")]
        if short not in known:
            raise UnknownNameError("indicator", short, known)
        kind = getattr(library, short)
    found = kind.run(*(np.asarray(one, dtype=np.float64) for one in series), **options)
    wanted = output or kind.output_names[0]
    if wanted not in kind.output_names:
        raise UnknownNameError("output", wanted, kind.output_names)
    return np.asarray(getattr(found, wanted), dtype=np.float64)


def _delayed(signals: npt.NDArray[np.bool_], bars: int) -> npt.NDArray[np.bool_]:
    if not bars:
        return signals
    return np.concatenate([np.zeros_like(signals[:bars]), signals[:-bars]])[: len(signals)]


def _vectorbt() -> Any:
    try:
        import vectorbt  # type: ignore[import-untyped]
    except ImportError as error:
        raise EnvironmentProblem(
            f"vectorbt cannot be loaded ({error})", "use an environment with the notebooks extra, not that of the GPUs"
        ) from None
    return vectorbt
