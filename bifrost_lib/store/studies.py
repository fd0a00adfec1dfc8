"""Studies of strategies: what was searched, and every look at the days that were kept back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import psycopg2
from sqlalchemy import Engine

from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.store.json_values import json_column
from bifrost_lib.store.reading import cursor_of
from bifrost_lib.store.transactions import written

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

_STUDY = (
    *("study_id", "name", "owner", "document", "document_hash", "grid", "symbols", "start_day", "end_day"),
    *("holdout_start", "holdout_end", "settings", "created", "created_by", "frozen", "frozen_by", "choice"),
    *("choice_hash", "reason"),
)
_HEAVY = ("document", "grid", "choice")
_RUN = (
    *("run_id", "ts", "who", "kind", "sets", "first_day", "last_day", "cube_sha256", "code_version", "statistics"),
    "path",
)
_LOOK = ("look_id", "number", "ts", "who", "document_hash", "purpose", "statistics", "cube_sha256")
_COUNTS = (
    "(SELECT count(*) FROM study_looks WHERE study_looks.study_id = backtest_studies.study_id) AS looks, "
    "(SELECT coalesce(sum(sets), 0) FROM study_runs WHERE study_runs.study_id = backtest_studies.study_id) "
    "AS sets_tried"
)


def save_study(
    store: Store,
    *,
    name: str,
    document: Mapping[str, Any],
    document_hash: str,
    grid: Mapping[str, Any] | None,
    symbols: Sequence[str],
    start_day: date,
    end_day: date,
    holdout_start: date,
    holdout_end: date,
    settings: Mapping[str, Any],
    created: datetime,
    created_by: str,
) -> int:
    """Begin a study; return its key. What it studies, and which days are kept back, never changes afterwards.

    Raises
    ------
    InputError
        If there is a study of that name, or the days kept back do not lie within its own.
    """
    if not name.strip():
        raise InputError("name", name, "a name")
    if not start_day < holdout_start <= holdout_end <= end_day:
        given = f"{holdout_start} to {holdout_end}"
        raise InputError("holdout_start", given, f"days kept back within {start_day} to {end_day}, after its first")
    values = (
        *(name, json_column(document), document_hash, json_column(grid) if grid is not None else None),
        *([symbol.upper() for symbol in symbols], start_day, end_day, holdout_start, holdout_end),
        *(json_column(settings), as_utc(created, name="created"), created_by),
    )
    columns = [column for column in _STUDY[1:14] if column != "owner"]
    with written(store.engine, store.place) as cursor:
        try:
            cursor.execute(
                f"INSERT INTO backtest_studies ({', '.join(columns)}) "  # noqa: S608
                f"VALUES ({', '.join(['%s'] * len(columns))}) RETURNING study_id",
                values,
            )
        except psycopg2.errors.UniqueViolation:
            raise InputError("name", name, "a name that no study has yet") from None
        return int(cursor.fetchone()[0])


def read_study(store: Store | Engine, name: str) -> dict[str, Any]:
    """Return a study by its columns, with `looks` at its hold-out and `sets_tried` in all its searches.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    with cursor_of(store.engine) as cursor:
        cursor.execute(
            f"SELECT {', '.join(_STUDY)}, {_COUNTS} FROM backtest_studies WHERE name = %s",  # noqa: S608
            (name,),
        )
        row = cursor.fetchone()
        if row is None:
            raise _unknown(cursor, name)
    study = dict(zip((*_STUDY, "looks", "sets_tried"), row, strict=True))
    study |= {column: as_utc(study[column]) for column in ("created", "frozen") if study[column] is not None}
    return study | {"looks": int(study["looks"]), "sets_tried": int(study["sets_tried"])}


def list_studies(store: Store | Engine) -> pd.DataFrame:
    """Return all studies, the newest first: their columns but the documents, with `looks` and `sets_tried`."""
    columns = [column for column in _STUDY if column not in _HEAVY]
    with cursor_of(store.engine) as cursor:
        cursor.execute(
            f"SELECT {', '.join(columns)}, {_COUNTS} FROM backtest_studies ORDER BY created DESC, study_id DESC"  # noqa: S608
        )
        frame = pd.DataFrame(cursor.fetchall(), columns=[*columns, "looks", "sets_tried"])
    return _typed(frame, moments=("created", "frozen"), counts=("study_id", "looks", "sets_tried"))


def freeze_study(
    store: Store,
    name: str,
    *,
    choice: Mapping[str, Any],
    choice_hash: str,
    reason: str | None,
    frozen: datetime,
    frozen_by: str,
) -> None:
    """Make the choice of a study final, which opens its hold-out.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    InputError
        If it is frozen already.
    """
    with written(store.engine, store.place) as cursor:
        cursor.execute(
            "UPDATE backtest_studies SET choice = %s, choice_hash = %s, reason = %s, frozen = %s, frozen_by = %s "
            "WHERE name = %s AND frozen IS NULL",
            (json_column(choice), choice_hash, reason, as_utc(frozen, name="frozen"), frozen_by, name),
        )
        if cursor.rowcount == 1:
            return
        cursor.execute("SELECT frozen, owner FROM backtest_studies WHERE name = %s", (name,))
        found = cursor.fetchone()
        if found is None:
            raise _unknown(cursor, name)
        if found[0] is None:
            raise InputError("study", name, f"a study of your own; this one is {found[1]}'s")
        raise InputError("study", name, f"a study that is not frozen; this one is since {as_utc(found[0]).isoformat()}")


def add_study_run(
    store: Store,
    name: str,
    *,
    ts: datetime,
    who: str,
    kind: str,
    sets: int,
    first_day: date,
    last_day: date,
    cube_sha256: Mapping[str, str],
    code_version: str,
    statistics: Mapping[str, Any],
    path: str | None = None,
) -> int:
    """Note a search on the part of a study that may be seen; return its key."""
    with written(store.engine, store.place) as cursor:
        columns = ("study_id", *_RUN[1:])
        cursor.execute(
            f"INSERT INTO study_runs ({', '.join(columns)}) "  # noqa: S608
            f"VALUES ({', '.join(['%s'] * len(columns))}) RETURNING run_id",
            (
                *(_study_id(cursor, name), as_utc(ts, name="ts"), who, kind, sets, first_day, last_day),
                *(json_column(cube_sha256), code_version, json_column(statistics), path),
            ),
        )
        return int(cursor.fetchone()[0])


def list_study_runs(store: Store | Engine, name: str) -> pd.DataFrame:
    """Return the searches of a study, the newest first."""
    with cursor_of(store.engine) as cursor:
        cursor.execute(
            f"SELECT {', '.join(_RUN)} FROM study_runs WHERE study_id = %s ORDER BY ts DESC, run_id DESC",  # noqa: S608
            (_study_id(cursor, name),),
        )
        frame = pd.DataFrame(cursor.fetchall(), columns=list(_RUN))
    return _typed(frame, moments=("ts",), counts=("run_id", "sets"))


def begin_look(
    store: Store, name: str, *, ts: datetime, who: str, document_hash: str, purpose: str | None = None
) -> int:
    """Write down a look at the hold-out of a study before anything is seen; return its number, 1 for the first.

    Raises
    ------
    InputError
        If the study is not frozen: its hold-out is closed.
    """
    with written(store.engine, store.place) as cursor:
        study_id = _study_id(cursor, name)
        # Two looks at once must not get one number; the row itself may be another person's.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('study_looks'), %s::int)", (study_id,))
        cursor.execute(
            "SELECT frozen IS NOT NULL, (SELECT coalesce(max(number), 0) FROM study_looks WHERE study_id = %(study)s) "
            "FROM backtest_studies WHERE study_id = %(study)s",
            {"study": study_id},
        )
        is_frozen, looks = cursor.fetchone()
        if not is_frozen:
            raise InputError("study", name, "a frozen study; the days that this one keeps back are closed until then")
        cursor.execute(
            "INSERT INTO study_looks (study_id, number, ts, who, document_hash, purpose) "
            "VALUES (%s, %s, %s, %s, %s, %s)",
            (study_id, looks + 1, as_utc(ts, name="ts"), who, document_hash, purpose),
        )
        return int(looks) + 1


def finish_look(
    store: Store, name: str, number: int, *, statistics: Mapping[str, Any], cube_sha256: Mapping[str, str]
) -> None:
    """Write down what a look showed."""
    with written(store.engine, store.place) as cursor:
        cursor.execute(
            "UPDATE study_looks SET statistics = %s, cube_sha256 = %s WHERE study_id = %s AND number = %s "
            "AND statistics IS NULL",
            (json_column(statistics), json_column(cube_sha256), _study_id(cursor, name), number),
        )
        if cursor.rowcount != 1:
            raise InputError("number", number, f"a look of study {name!r} that was begun and is not finished")


def list_looks(store: Store | Engine, name: str) -> pd.DataFrame:
    """Return the looks at the hold-out of a study, by number."""
    with cursor_of(store.engine) as cursor:
        cursor.execute(
            f"SELECT {', '.join(_LOOK)} FROM study_looks WHERE study_id = %s ORDER BY number",  # noqa: S608
            (_study_id(cursor, name),),
        )
        frame = pd.DataFrame(cursor.fetchall(), columns=list(_LOOK))
    return _typed(frame, moments=("ts",), counts=("look_id", "number"))


def _study_id(cursor: Any, name: str) -> int:
    cursor.execute("SELECT study_id FROM backtest_studies WHERE name = %s", (name,))
    found = cursor.fetchone()
    if found is None:
        raise _unknown(cursor, name)
    return int(found[0])


def _unknown(cursor: Any, name: str) -> UnknownNameError:
    cursor.execute("SELECT name FROM backtest_studies")
    return UnknownNameError("study", name, [known for (known,) in cursor] or ["none is begun yet"])


def _typed(frame: pd.DataFrame, *, moments: Sequence[str], counts: Sequence[str]) -> pd.DataFrame:
    return frame.astype(dict.fromkeys(moments, "datetime64[us, UTC]") | dict.fromkeys(counts, "int64"))
