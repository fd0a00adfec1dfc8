"""Transactions that write: committed whole, or rolled back whole and told in our errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from sqlalchemy import Engine

from bifrost_lib.store.reading import name_of
from bifrost_lib.store.trouble import translated


@contextmanager
def transaction(engine: Engine, place: str = "") -> Iterator[Any]:
    """Give a driver connection; commit when the block ends, roll back when it raises.

    `place` names the database in errors, where the engine alone cannot.
    """
    with translated(place or name_of(engine)):
        pooled = engine.raw_connection()
        try:
            yield pooled.driver_connection
            pooled.commit()
        except BaseException:
            _roll_back(pooled)
            raise
        finally:
            pooled.close()


@contextmanager
def written(engine: Engine, place: str = "") -> Iterator[Any]:
    """Give a cursor in a transaction of its own; see `transaction`."""
    with transaction(engine, place) as connection:
        yield connection.cursor()


def _roll_back(pooled: Any) -> None:
    try:
        pooled.rollback()
    except psycopg2.Error:
        pooled.invalidate()  # the server is gone, and with it the transaction
