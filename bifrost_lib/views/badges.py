"""How old the data is, and whether it is real: said on every page."""

from __future__ import annotations

from datetime import datetime
from html import escape

from bifrost_lib.core.clock import as_utc
from bifrost_lib.views.formats import exchange_time

FRESH_S, AGEING_S = 30.0, 300.0
SIMULATED_SOURCE = "simulated"


def freshness(as_of: datetime, now: datetime) -> str:
    """Return ``fresh`` (< 30 s), ``ageing`` (< 5 min) or ``stale``; data from the future counts as stale."""
    age_s = (as_utc(now, name="now") - as_utc(as_of, name="as_of")).total_seconds()
    if age_s < 0:
        return "stale"
    return "fresh" if age_s < FRESH_S else "ageing" if age_s < AGEING_S else "stale"


def age_text(age_s: float) -> str:
    """Return an age in the largest unit that fits: ``12 s``, ``4 min``, ``3 h``, ``52 days``."""
    for unit, seconds in (("days", 172_800.0), ("h", 7_200.0), ("min", 120.0)):
        if age_s >= seconds:
            size = {"days": 86_400.0, "h": 3_600.0, "min": 60.0}[unit]
            return f"{age_s / size:.0f} {unit}"
    return f"{age_s:.0f} s"


def freshness_badge(as_of: datetime, now: datetime) -> str:
    """Return HTML: the as-of time, the age, and a colour that tells whether to trust it (see `freshness`).

    Parameters
    ----------
    as_of : datetime
        Aware; the newest quote that is shown.
    now : datetime
        Aware; the present, or the moment that a reader has travelled to.
    """
    state = freshness(as_of, now)
    age_s = (now - as_of).total_seconds()
    age = f"{age_text(age_s)} old" if age_s >= 0 else "from the future"
    return (
        f'<span class="bf-badge bf-{state}" role="status"><span class="bf-dot"></span>'
        f"as of {escape(exchange_time(as_of))} · {age}</span>"
    )


def source_label(source: str) -> str:
    """Return HTML that names the source; simulated data carries a label that cannot be overlooked."""
    if source == SIMULATED_SOURCE:
        title = "These quotes are made up. No market traded them."
        return f'<span class="bf-badge bf-simulated" title="{title}">SIMULATED</span>'
    return f'<span class="bf-badge bf-source">{escape(source)}</span>'
