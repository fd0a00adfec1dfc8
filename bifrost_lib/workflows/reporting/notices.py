"""Telling people that a report is there, or that it failed."""

from __future__ import annotations

import logging
from collections.abc import Sequence

log = logging.getLogger(__name__)


def notify(addresses: Sequence[str], *, title: str, text: str, is_failure: bool) -> bool:
    """Send a message to every address, in the notation of apprise; return whether all of them took it.

    A message that cannot be sent is logged, never with its address, which holds a secret.
    """
    if not addresses:
        return False
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its own lines repeat the address that failed
    taken = 0
    kind = apprise.NotifyType.FAILURE if is_failure else apprise.NotifyType.SUCCESS
    for number, address in enumerate(addresses, start=1):
        service = apprise.Apprise.instantiate(address, suppress_exceptions=True)
        if service is None:
            log.warning("notify_urls: address %d of %d is none that apprise knows", number, len(addresses))
        elif not apprise.Apprise(service).notify(title=title, body=text, notify_type=kind):
            log.warning("notify_urls: %s, address %d, did not take a message", service.service_name, number)
        else:
            taken += 1
    return taken == len(addresses)
