"""A second backtester, slow and plain, written from the rules alone: what the fast one is compared with.

It goes through quotes row by row, one trade after another, in the order in which the rules are written down, and
shares no code with what it judges: of the library it reads documents, the exchange's calendar, and nothing else.
"""
