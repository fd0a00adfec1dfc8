"""The words by which the hub, its proxy and its pages know each other: all derived from one secret of the home."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from bifrost_lib.workflows.hub.private_files import make_private


def shared_secret(home: Path, purpose: str) -> str:
    """Return the secret of a home for one purpose: 64 hexadecimal digits that tell nothing about those of others.

    It is made at the first call, and kept where only the home's owner can read it. Processes read it there: it is
    in no command line and in no environment.

    Parameters
    ----------
    home : Path
    purpose : str
        For example ``"page chain"`` or ``"proxy"``.
    """
    master = make_private(home / "run" / "hub-secret", secrets.token_hex(32))
    return hmac.new(bytes.fromhex(master), purpose.encode(), hashlib.sha256).hexdigest()


def page_token(home: Path, name: str) -> str:
    """Return the word by which the page `name` shows the hub that it is that page."""
    return shared_secret(home, f"page {name}")
