"""Where the simulated exchange's quotes come from: a synthetic market, a replay of a stored one, or a test's script."""
