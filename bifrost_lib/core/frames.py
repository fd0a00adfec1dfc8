"""Frame schemas: a frame either has the vocabulary's columns and dtypes, or the call fails."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.vocabulary import VOCABULARY


def check_frame(frame: pd.DataFrame, columns: Sequence[str], *, name: str = "frame") -> pd.DataFrame:
    """Return `frame` with exactly `columns`, in that order, or raise.

    Raises
    ------
    InputError
        If a column is missing or its dtype is not the vocabulary's; `error.name` is ``name.column``.
    """
    kinds = dict(zip(frame.columns, frame.dtypes, strict=True))
    for column in columns:
        if column not in kinds:
            raise InputError(f"{name}.{column}", list(frame.columns), "this column to be present")
        wanted, found = VOCABULARY[column].dtype, kinds[column]
        if not _is(found, wanted):
            raise InputError(f"{name}.{column}", str(found), f"dtype {wanted}")
    return frame[list(columns)]


def empty_frame(columns: Sequence[str]) -> pd.DataFrame:
    """Return a frame without rows that has `columns` with the vocabulary's dtypes."""
    return pd.DataFrame({column: pd.Series(dtype=VOCABULARY[column].dtype) for column in columns})


def _is(found: object, wanted: str) -> bool:
    return isinstance(found, pd.CategoricalDtype) if wanted == "category" else str(found) == wanted
