"""Signals as text: comparisons of indicators, read without running any of it."""

from __future__ import annotations

import ast
import inspect
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest.signals import indicators
from bifrost_lib.backtest.signals.bars import PRICES, Bars
from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.core.native import Floats
from bifrost_lib.core.vocabulary import CONDITION_COLUMNS

_LONGEST = 500
_FIGURE, _CONDITION = "a figure", "a condition"

#: name -> function of `indicators`. Its array arguments called open, high, low and close are always the bars' own; one
#: called `values` is the close unless another figure is written first.
INDICATORS: Mapping[str, Callable[..., Floats]] = {
    name: getattr(indicators, name)
    for name in (
        "sma", "ema", "wilder", "deviation", "highest", "lowest", "lag", "change", "zscore", "rank", "percentile",
        "rsi", "rsi_simple", "atr", "atr_simple", "true_range", "bollinger_upper", "bollinger_lower", "macd",
        "macd_signal", "stochastic", "realized_vol", "breakout", "breakdown", "crosses_above", "crosses_below",
    )
}  # fmt: skip
_TRUTHS = ("breakout", "breakdown", "crosses_above", "crosses_below")

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
_SUMS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip


@dataclass(frozen=True)
class Signal:
    """A condition on bars; made by `signal`."""

    text: str
    _evaluate: Callable[[Bars], Floats]

    def truth(self, bars: Bars) -> Floats:
        """Return 1 where the signal holds on a bar, 0 where it does not, NaN where that is not known yet."""
        return np.broadcast_to(self._evaluate(bars), len(bars)).astype(np.float64)

    def holds(self, bars: Bars) -> npt.NDArray[np.bool_]:
        """Tell on which bars the signal is known to hold."""
        return np.asarray(self.truth(bars) == 1.0)

    def __str__(self) -> str:
        return self.text


def signal(text: str | Signal) -> Signal:
    """Read a condition on an underlying.

    Parameters
    ----------
    text : str
        Comparisons (``< <= > >=``) of figures, put together with ``and``, ``or``, ``not`` and brackets. A figure is a
        number, a price (``open high low close``), a column of ``market_conditions`` (``iv_rank``, ``vol_index``, ...),
        an indicator of `INDICATORS` with its numbers, or a sum, product, difference or ratio of those. An indicator is
        of the close, or of another figure that is written first: ``sma(iv, 20)``.

    Raises
    ------
    InputError
        If the text cannot be read, or is a figure where a condition is needed.
    UnknownNameError
        For a name that is neither a price, a column nor an indicator.

    Notes
    -----
    What is not known stays so: ``not (rsi(14) > 70)`` does not hold on the first bars either. But where one side
    of ``or`` holds, or one of ``and`` does not, the other need not be known.

    Examples
    --------
    >>> signal("close > sma(3) and not breakdown(2)").holds(Bars.of_closes([1.0, 2.0, 3.0, 4.0])).tolist()
    [False, False, True, True]
    """
    if isinstance(text, Signal):
        return text
    if len(text) > _LONGEST:
        raise InputError("signal", text, f"at most {_LONGEST} letters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError("signal", text, f"a condition such as 'close > sma(200)' ({error})") from None
    return Signal(text.strip(), _read(tree, _CONDITION))


def _read(node: ast.expr, kind: str) -> Callable[[Bars], Any]:
    """Return what evaluates `node`, which must be of `kind`."""
    for types, is_of, reader in _READERS:
        if isinstance(node, types):
            found = is_of(node) if callable(is_of) else is_of
            if found != kind:
                raise InputError("signal", ast.unparse(node), f"{kind}, not {found}")
            return reader(node)
    raise InputError("signal", ast.unparse(node), "comparisons of prices, numbers and indicators")


def _number(node: ast.Constant) -> Callable[[Bars], Any]:
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise InputError("signal", ast.unparse(node), "a number")
    value = float(node.value)
    return lambda bars: value


def _name(node: ast.Name) -> Callable[[Bars], Any]:
    name = node.id
    if name not in PRICES and name not in CONDITION_COLUMNS:
        raise UnknownNameError("signal", name, (*PRICES, *CONDITION_COLUMNS, *(f"{one}()" for one in INDICATORS)))

    def look(bars: Bars) -> Floats:
        if name not in PRICES and name not in bars.facts:
            raise InputError(
                "signal", name, f"a figure that is known here: {', '.join((*PRICES, *sorted(bars.facts)))}"
            )
        return bars.column(name)

    return look


def _sum(node: ast.BinOp) -> Callable[[Bars], Any]:
    if type(node.op) not in _SUMS:
        raise InputError("signal", ast.unparse(node), "+, -, * or /")
    work, left, right = _SUMS[type(node.op)], _read(node.left, _FIGURE), _read(node.right, _FIGURE)

    def add(bars: Bars) -> Any:
        with np.errstate(divide="ignore", invalid="ignore"):
            return work(np.float64(left(bars)), np.float64(right(bars)))

    return add


def _comparison(node: ast.Compare) -> Callable[[Bars], Any]:
    for op in node.ops:
        if type(op) not in _COMPARISONS:
            raise InputError("signal", ast.unparse(node), "a comparison by <, <=, > or >=")
    works = [_COMPARISONS[type(op)] for op in node.ops]
    sides = [_read(side, _FIGURE) for side in (node.left, *node.comparators)]

    def compare(bars: Bars) -> Floats:
        values = [np.broadcast_to(np.float64(side(bars)), len(bars)) for side in sides]
        parts = [
            np.where(np.isnan(one) | np.isnan(other), math.nan, work(one, other))
            for work, one, other in zip(works, values[:-1], values[1:], strict=True)
        ]
        return reduce(_least, parts)

    return compare


def _junction(node: ast.BoolOp) -> Callable[[Bars], Any]:
    parts = [_read(part, _CONDITION) for part in node.values]
    if isinstance(node.op, ast.And):
        return lambda bars: reduce(_least, [part(bars) for part in parts])
    return lambda bars: 1.0 - reduce(_least, [1.0 - part(bars) for part in parts])


def _least(one: Floats, other: Floats) -> Floats:
    # A part that does not hold decides, whatever else is not known.
    return np.where((one == 0.0) | (other == 0.0), 0.0, one * other)


def _sign(node: ast.UnaryOp) -> Callable[[Bars], Any]:
    if isinstance(node.op, ast.Not):
        inner = _read(node.operand, _CONDITION)
        return lambda bars: 1.0 - inner(bars)
    if isinstance(node.op, ast.USub):
        figure = _read(node.operand, _FIGURE)
        return lambda bars: -np.float64(figure(bars))
    raise InputError("signal", ast.unparse(node), "not or -")


def _call(node: ast.Call) -> Callable[[Bars], Any]:
    name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
    if name not in INDICATORS:
        raise UnknownNameError("signal", name, INDICATORS)
    work, words = INDICATORS[name], ast.unparse(node)
    if node.keywords:
        raise InputError("signal", words, "arguments without names")
    takes = list(inspect.signature(work).parameters.values())
    own = [one.name for one in takes if one.name in PRICES]
    figures = [one for one in takes if one.name in ("values", "first", "second")]
    numbers = [one for one in takes if one.name not in PRICES and one not in figures]
    given = list(node.args)
    required = [one for one in figures if one.name != "values"]
    written = len(figures) if required or (figures and given and not _is_number(given[0])) else 0
    sources = [_read(arg, _FIGURE) for arg in given[:written]]
    constants = list(_constants(given[written:], words))
    fewest = sum(one.default is inspect.Parameter.empty for one in numbers)
    if len(sources) < written or not fewest <= len(constants) <= len(numbers):
        raise InputError("signal", words, _form(name, required, numbers))
    work(*_trial(len(own) + len(figures)), *constants)  # a window that cannot be is refused before any bar is read

    def evaluate(bars: Bars) -> Floats:
        known = [bars.column(price) for price in own]
        known += [np.broadcast_to(np.float64(one(bars)), len(bars)).copy() for one in sources]
        known += [bars.close] if figures and not sources else []
        return work(*known, *constants)

    return evaluate


def _trial(count: int) -> list[Floats]:
    return [np.ones(2) for _ in range(count)]


def _is_number(node: ast.expr) -> bool:
    inner = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(inner, ast.Constant)


def _constants(nodes: list[ast.expr], words: str) -> Iterator[float]:
    for node in nodes:
        if not isinstance(node, ast.Constant) or isinstance(node.value, bool):
            raise InputError("signal", words, f"a number instead of {ast.unparse(node)!r}")
        if not isinstance(node.value, int | float):
            raise InputError("signal", words, f"a number instead of {node.value!r}")
        yield node.value


def _form(name: str, required: list[inspect.Parameter], numbers: list[inspect.Parameter]) -> str:
    return f"{name}({', '.join([one.name for one in required] + [one.name for one in numbers])})"


def _kind_of_call(node: ast.Call) -> str:
    return _CONDITION if isinstance(node.func, ast.Name) and node.func.id in _TRUTHS else _FIGURE


def _kind_of_sign(node: ast.UnaryOp) -> str:
    return _CONDITION if isinstance(node.op, ast.Not) else _FIGURE


#: Kinds of nodes that a signal may hold: what each yields, and what reads it.
_READERS: tuple[tuple[Any, Any, Callable[[Any], Callable[[Bars], Any]]], ...] = (
    (ast.BoolOp, _CONDITION, _junction),
    (ast.Compare, _CONDITION, _comparison),
    (ast.Call, _kind_of_call, _call),
    (ast.UnaryOp, _kind_of_sign, _sign),
    (ast.BinOp, _FIGURE, _sum),
    (ast.Name, _FIGURE, _name),
    (ast.Constant, _FIGURE, _number),
)
