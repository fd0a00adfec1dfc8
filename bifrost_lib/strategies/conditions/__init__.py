"""When a document may be entered: the market's figures, and the days around earnings and dividends."""
