"""Before a part starts: ``python -m hub_config.systemd.places`` writes where the parts listen.

`bifrost up` takes whatever ports are free. Units start one by one and again after a failure, so theirs follow from
the public port alone: whoever writes them writes the same.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bifrost_lib.core.errors import BifrostError
from bifrost_lib.core.settings import load_settings
from bifrost_lib.workflows.hub import Places, read_registry

_FIRST_PAGE = 10


def fixed_places(port: int, pages: Sequence[str]) -> Places:
    """Return the public port, right after it the proxy's own and the hub's, and from ten after it the pages'."""
    return Places(port, port + 1, port + 2, {name: port + _FIRST_PAGE + i for i, name in enumerate(pages)})


def main() -> int:
    """Write them; problems are one line on standard error."""
    try:
        settings = load_settings()
        fixed_places(settings.hub_port, [page.name for page in read_registry()]).write(settings.home)
    except BifrostError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
