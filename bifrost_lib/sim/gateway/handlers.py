"""Importing this fills the registry with every family of handlers."""

from bifrost_lib.sim.gateway import (
    accounts,
    calculations,
    company,
    contracts,
    depth,
    history,
    market_data,
    news,
    orders,
    real_time_bars,
    scanner,
    system,
    tick_history,
)

__all__ = [
    "accounts",
    "calculations",
    "company",
    "contracts",
    "depth",
    "history",
    "market_data",
    "news",
    "orders",
    "real_time_bars",
    "scanner",
    "system",
    "tick_history",
]
