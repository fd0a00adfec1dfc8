"""Processes that gather market data for as long as they run; each is a thin shell around a workflow."""
