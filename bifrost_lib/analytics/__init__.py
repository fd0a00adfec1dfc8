"""What a market is like: IV rank, realised volatility, skew, term structure, put/call ratios."""
