"""Importing this fills the registry with every family of handlers."""

from bifrost_lib.sim.gateway import accounts, contracts, market_data, news, orders, system

__all__ = ["accounts", "contracts", "market_data", "news", "orders", "system"]
