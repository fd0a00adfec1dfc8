"""The web server before the platform: one nginx site, written by a pure function and tried on a running nginx."""

from __future__ import annotations

from hub_config.nginx.site import STRIPPED, Site, render_site

__all__ = ["STRIPPED", "Site", "render_site"]
