"""One peer on given arrays: ``python run.py PEER IN.npz OUT.npz``, with the peers' own Python.

It imports nothing of Bifrost. OUT holds the peer's answers; every line on standard input asks for one pass more, whose
CPU seconds are the answer on standard output.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

Arrays = dict[str, Any]


def vanilla_option_pricers(given: Arrays) -> Callable[[], Any]:
    """Return implied volatilities by its numba solver, in a compiled loop."""
    from numba import njit
    from vanilla_option_pricers import infer_bsm_implied_vol

    @njit
    def solve(forward, tau, strike, price, discount, calls, out):  # type: ignore[no-untyped-def]
        for i in range(out.size):
            kind = "C" if calls[i] else "P"
            out[i] = infer_bsm_implied_vol(forward[i], tau[i], strike[i], price[i], discount[i], kind)
        return out

    discount = np.exp(-given["rate"] * given["tau"])
    forward = given["spot"] * np.exp((given["rate"] - given["div_yield"]) * given["tau"])
    out = np.empty(len(forward))
    return lambda: solve(forward, given["tau"], given["strike"], given["price"], discount, given["calls"], out)


def fast_vollib(given: Arrays) -> Callable[[], Any]:
    """Return implied volatilities by its vectorised solver."""
    from fast_vollib import fast_implied_volatility

    flags = np.where(given["calls"], "c", "p")
    columns = (given["price"], given["spot"], given["strike"], given["tau"], given["rate"], flags, given["div_yield"])
    options: Arrays = {"model": "black_scholes_merton", "return_as": "numpy", "on_error": "ignore"}
    return lambda: fast_implied_volatility(*columns, **options)


def py_vollib(given: Arrays) -> Callable[[], Any]:
    """Return implied volatilities by its pure Python solver, one by one."""
    from vollib.black_scholes_merton.implied_volatility import implied_volatility

    flags = np.where(given["calls"], "c", "p")
    columns = (given["price"], given["spot"], given["strike"], given["tau"], given["rate"], given["div_yield"], flags)
    return lambda: [implied_volatility(*one) for one in zip(*columns, strict=True)]


def quantlib_iv(given: Arrays) -> Callable[[], Any]:
    """Return implied volatilities by its Black formula inversion, one by one."""
    import QuantLib as ql  # noqa: N813

    discount = np.exp(-given["rate"] * given["tau"])
    forward = given["spot"] * np.exp((given["rate"] - given["div_yield"]) * given["tau"])
    kinds = np.where(given["calls"], ql.Option.Call, ql.Option.Put)
    rows = list(zip(*(c.tolist() for c in (kinds, given["strike"], forward, given["price"], discount)), strict=True))
    root = np.sqrt(given["tau"])

    def solve() -> Any:
        found = np.full(len(rows), np.nan)
        for number, row in enumerate(rows):
            try:
                found[number] = ql.blackFormulaImpliedStdDev(*row)
            except RuntimeError:  # it gives up on prices that carry little volatility
                continue
        return found / root

    return solve


def quantlib_american(given: Arrays, scheme: str = "fastScheme") -> Callable[[], Any]:
    """Return American prices by its QD+ fixed-point engine, one by one over one process."""
    import QuantLib as ql  # noqa: N813

    day = ql.Date(2, 1, 2024)
    ql.Settings.instance().evaluationDate = day
    count = ql.Actual365Fixed()
    quotes = [ql.SimpleQuote(0.1) for _ in range(4)]
    flat = [ql.YieldTermStructureHandle(ql.FlatForward(day, ql.QuoteHandle(quote), count)) for quote in quotes[1:3]]
    vol = ql.BlackConstantVol(day, ql.NullCalendar(), ql.QuoteHandle(quotes[3]), count)
    process = ql.BlackScholesMertonProcess(ql.QuoteHandle(quotes[0]), *flat, ql.BlackVolTermStructureHandle(vol))
    engine = ql.QdFpAmericanEngine(process, getattr(ql.QdFpAmericanEngine, scheme)())
    columns = ("spot", "div_yield", "rate", "vol", "strike", "days", "calls")
    rows = list(zip(*(given[name].tolist() for name in columns), strict=True))

    def price() -> list[float]:
        found = []
        for spot, div_yield, rate, sigma, strike, days, call in rows:
            for quote, value in zip(quotes, (spot, div_yield, rate, sigma), strict=True):
                quote.setValue(value)
            payoff = ql.PlainVanillaPayoff(ql.Option.Call if call else ql.Option.Put, strike)
            option = ql.VanillaOption(payoff, ql.AmericanExercise(day, day + int(days)))
            option.setPricingEngine(engine)
            found.append(option.NPV())
        return found

    return price


def quantlib_american_exact(given: Arrays) -> Callable[[], Any]:
    """Return American prices by its high-precision scheme, the reference."""
    return quantlib_american(given, "highPrecisionScheme")


def quantlib_american_iv(given: Arrays) -> Callable[[], Any]:
    """Return volatilities of American prices by its `impliedVolatility`, one by one."""
    import QuantLib as ql  # noqa: N813

    day = ql.Date(2, 1, 2024)
    ql.Settings.instance().evaluationDate = day
    count = ql.Actual365Fixed()
    columns = ("spot", "div_yield", "rate", "strike", "days", "calls", "price")
    rows = list(zip(*(given[name].tolist() for name in columns), strict=True))

    def solve() -> list[float]:
        found = []
        for spot, div_yield, rate, strike, days, call, price in rows:
            flat = [ql.YieldTermStructureHandle(ql.FlatForward(day, value, count)) for value in (div_yield, rate)]
            vol = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(day, ql.NullCalendar(), 0.2, count))
            process = ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(spot)), *flat, vol)
            payoff = ql.PlainVanillaPayoff(ql.Option.Call if call else ql.Option.Put, strike)
            option = ql.VanillaOption(payoff, ql.AmericanExercise(day, day + int(days)))
            found.append(option.impliedVolatility(price, process, 1e-8, 200, 0.005, 4.0))
        return found

    return solve


def optionlab(given: Arrays) -> Callable[[], Any]:
    """Return the probability of profit of four-leg structures, one by one; it finds profits and breakevens as well."""
    from optionlab import Inputs, run_strategy

    rows = list(zip(given["strike"].tolist(), given["premium"].tolist(), strict=True))
    sides = (("put", "buy"), ("put", "sell"), ("call", "sell"), ("call", "buy"))

    def measure() -> list[float]:
        found = []
        for strikes, premiums in rows:
            legs = [
                {"type": kind, "action": action, "strike": strike, "premium": premium, "n": 100}
                for (kind, action), strike, premium in zip(sides, strikes, premiums, strict=True)
            ]
            market = {"stock_price": 100.0, "volatility": 0.25, "interest_rate": 0.03, "days_to_target_date": 45}
            inputs = Inputs.model_validate({**market, "min_stock": 50.0, "max_stock": 200.0, "strategy": legs})
            found.append(run_strategy(inputs).probability_of_profit)
        return found

    return measure


def fast_vollib_svi(given: Arrays) -> Callable[[], Any]:
    """Return SVI slices by its calibrator, one expiry at a time."""
    from fast_vollib.surface import SurfaceObservations
    from fast_vollib.surface.fitting import SVICalibrator

    k = given["log_moneyness"]
    slices = [
        SurfaceObservations(k=k, T=np.full(len(k), tau), iv=np.sqrt(w / tau))
        for tau, w in zip(given["tau"], given["total_variance"], strict=True)
    ]

    def fit() -> list[float]:
        for one in slices:
            SVICalibrator().fit(one)
        return [0.0]

    return fit


def optopsy(given: Arrays) -> Callable[[], Any]:
    """Return how many iron condors it trades: every day, every expiry within 45 days, with take-profit and stop."""
    import optopsy  # type: ignore[import-not-found]
    import pandas as pd

    data = pd.DataFrame(
        {
            "underlying_symbol": "BNCH", "option_type": np.where(given["calls"], "c", "p"),
            "expiration": given["expiry"].astype("datetime64[D]").astype("datetime64[ns]"),
            "quote_date": given["day"].astype("datetime64[D]").astype("datetime64[ns]"),
            "strike": given["strike"], "bid": given["bid"], "ask": given["ask"], "delta": given["delta"],
        }
    )  # fmt: skip
    near, far = ({"target": target, "min": target / 2, "max": 2 * target} for target in (0.2, 0.1))
    terms: Arrays = {"max_entry_dte": 45, "exit_dte": 0, "take_profit": 0.5, "stop_loss": -2.0, "raw": True}
    legs = {"leg1_delta": far, "leg2_delta": near, "leg3_delta": near, "leg4_delta": far}
    return lambda: [len(optopsy.iron_condor(data, **legs, **terms))]


def vectorbt(given: Arrays) -> Callable[[], Any]:
    """Return the figures of trading on all pairs of averages: total return, Sharpe ratio, max drawdown, trades."""
    import pandas as pd
    import vectorbt  # type: ignore[import-untyped]

    index = pd.date_range("2015-01-01", periods=len(given["close"]), freq="D")
    close = pd.Series(given["close"], index)

    def trade() -> Any:
        fast, slow = vectorbt.MA.run_combs(close, window=given["windows"], r=2, short_names=["fast", "slow"])
        entries, exits = fast.ma_crossed_above(slow), fast.ma_crossed_below(slow)
        held = vectorbt.Portfolio.from_signals(
            close, entries, exits, size=np.inf, fees=float(given["fees"]), slippage=float(given["slippage"]), freq="1D"
        )
        sharpe = held.sharpe_ratio(year_freq="252 days")
        return [held.total_return(), sharpe, held.max_drawdown(), held.trades.count()]

    return trade


PEERS = {
    run.__name__: run
    for run in (
        vanilla_option_pricers, fast_vollib, py_vollib, quantlib_iv, quantlib_american, quantlib_american_exact,
        quantlib_american_iv, fast_vollib_svi, optionlab, optopsy, vectorbt,
    )
}  # fmt: skip


def main(peer: str, source: str, target: str) -> None:
    """Run `peer` on the arrays in `source` and write its answers to `target`; then one timed pass for every line read.

    Whoever asks writes a line when its own pass is over and reads the CPU seconds of ours, so that the two take turns.
    """
    warnings.simplefilter("ignore")
    given = dict(np.load(source))
    work = PEERS[peer](given)
    np.savez(target, answers=np.asarray(work(), dtype=float))
    _tell("ready")
    for _ in sys.stdin:
        began = time.process_time()
        work()
        _tell(time.process_time() - began)


def _tell(answer: object) -> None:
    sys.stdout.write(f"{answer}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:4])
