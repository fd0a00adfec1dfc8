"""Tables that grow with time: hypertables where the server has TimescaleDB, monthly partitions elsewhere.

Both carry the same names and answer the same queries.
"""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

PLAIN, APACHE, COMMUNITY = "plain", "apache", "community"
LEVELS = (PLAIN, APACHE, COMMUNITY)
TIME_TABLES = ("option_snapshots", "market_conditions")

#: A batch of compression holds up to 1,000 rows that lie together when sorted so: one moment of one underlying is
#: then a few batches, which keeps reading a chain fast. By contract it would have to open a batch for each.
_COMPRESSION = {
    "option_snapshots": "timescaledb.compress_segmentby = 'stock_id', timescaledb.compress_orderby = 'ts, contract_id'",
    "market_conditions": "timescaledb.compress_segmentby = 'stock_id', timescaledb.compress_orderby = 'ts'",
}
_log = logging.getLogger(__name__)
_DAILY_COLUMNS = ("bid", "ask", "last", "volume", "open_interest", "spot", "iv", "delta")


def creation_options(level: str) -> dict[str, Any]:
    """Return what `create_table` must be told for a time table."""
    return {"postgresql_partition_by": "RANGE (ts)"} if level == PLAIN else {}


def finish(connection: Connection, table: str, level: str) -> None:
    """Turn a freshly created time table into what `level` offers.

    Chunks of a week keep the indexes of the chunk being filled in memory; those older than a month hardly change.
    The primary key contains the time column, as unique indexes of a hypertable must.
    """
    if level == PLAIN:
        return
    connection.execute(
        text(f"SELECT create_hypertable('{table}', by_range('ts', INTERVAL '7 days'), create_default_indexes => false)")
    )
    if level == COMMUNITY:
        _attempt(
            connection,
            f"compression of {table}",
            f"ALTER TABLE {table} SET (timescaledb.compress, {_COMPRESSION[table]})",
            f"SELECT add_compression_policy('{table}', compress_after => INTERVAL '30 days')",
        )


def create_daily_view(connection: Connection, level: str) -> None:
    """Create `option_daily`: the last state of each contract on each day at the exchange.

    Where the server can, a continuous aggregate that also looks at rows which came after its last refresh;
    elsewhere a view. WITH NO DATA, because filling one cannot run inside a transaction.
    """
    day, newest = "time_bucket(INTERVAL '1 day', ts, 'America/New_York')", "last({}, ts)"
    if level == PLAIN:
        day, newest = "date_trunc('day', ts, 'America/New_York')", "(array_agg({} ORDER BY ts DESC))[1]"
    columns = ", ".join(f"{newest.format(name)} AS {name}" for name in _DAILY_COLUMNS)
    query = (
        f"SELECT {day} AS day, stock_id, contract_id, count(*) AS snapshots, min(ts) AS first_ts, "  # noqa: S608
        f"max(ts) AS last_ts, {columns} FROM option_snapshots GROUP BY 1, 2, 3"
    )
    if level == COMMUNITY and _attempt(
        connection,
        "the continuous aggregate option_daily",
        "CREATE MATERIALIZED VIEW option_daily WITH (timescaledb.continuous, timescaledb.materialized_only = false) "
        f"AS {query} WITH NO DATA",
        "SELECT add_continuous_aggregate_policy('option_daily', start_offset => NULL, "
        "end_offset => INTERVAL '2 days', schedule_interval => INTERVAL '1 day')",
    ):
        return
    connection.execute(text(f"CREATE VIEW option_daily AS {query}"))


def drop_daily_view(connection: Connection) -> None:
    """Remove `option_daily`, whichever kind it is."""
    # A continuous aggregate shows itself as a plain view, but must be dropped as what it was created as.
    is_continuous = level_of(connection) == COMMUNITY and connection.scalar(
        text("SELECT 1 FROM timescaledb_information.continuous_aggregates WHERE view_name = 'option_daily'")
    )
    connection.execute(text(f"DROP {'MATERIALIZED VIEW' if is_continuous else 'VIEW'} option_daily"))


def _attempt(connection: Connection, what: str, *statements: str) -> bool:
    """Run statements that make things faster or smaller but not different; without them the store works too."""
    try:
        with connection.begin_nested():
            for statement in statements:
                connection.execute(text(statement))
    except DBAPIError as error:
        _log.warning("%s could not be set up, the store works without it: %s", what, str(error.orig).strip())
        return False
    return True


def offered_level(connection: Connection) -> str:
    """Return the level at which new tables can be made on this server."""
    if connection.scalar(text("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'")) is None:
        return PLAIN
    license_ = connection.scalar(text("SELECT current_setting('timescaledb.license', true)"))
    return APACHE if license_ == "apache" else COMMUNITY


def level_of(connection: Connection) -> str:
    """Return the level of the tables that exist: their kind was settled when they were made."""
    kind = connection.scalar(text("SELECT relkind FROM pg_class WHERE oid = to_regclass('option_snapshots')"))
    return PLAIN if kind in ("p", None) else offered_level(connection)
