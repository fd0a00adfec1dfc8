"""The simulated IB Gateway: sockets, sessions, subscriptions, limits and faults."""
