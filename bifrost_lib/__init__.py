"""The library that notebooks, dashboards, collectors and reports of Bifrost stand on."""

__version__ = "0.1.0"
