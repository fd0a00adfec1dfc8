"""Grids and draws of parameters over a strategy document."""
