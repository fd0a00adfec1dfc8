"""How much of a grid's best result is luck: deflated ratios, cross-validation, and splits of history."""
