"""The guard in front of everything that could send an order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_lib.core.errors import BifrostError

if TYPE_CHECKING:
    from bifrost_lib.core.settings import Settings


class ReadOnlyError(BifrostError):
    """Orders are refused because trading is not switched on."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"{what} refused: this installation is read-only; set BIFROST_IB_READ_ONLY=false to trade")


def require_trading(settings: Settings, what: str = "order") -> None:
    """Raise `ReadOnlyError` unless trading is switched on explicitly."""
    if settings.ib_read_only is not False:
        raise ReadOnlyError(what)
