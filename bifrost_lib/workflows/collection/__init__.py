"""Collecting from the gateway into the store: sweeps, their ledger, and the service that runs them."""
