"""Interactive Brokers: a session that survives, a budget of market-data lines, and what was observed.

The only package that knows the IB client.
"""
