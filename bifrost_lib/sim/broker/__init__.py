"""The simulated broker: accounts, orders, fills, commissions, margins, positions, exercise."""
