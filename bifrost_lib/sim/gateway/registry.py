"""Which function answers which message, and how a function refuses one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from bifrost_lib.sim.gateway.session import Session

Handler = Callable[["Session", Any], None]
H = TypeVar("H", bound=Handler)

HANDLERS: dict[type, Handler] = {}


class Refusal(Exception):  # noqa: N818 (an answer of the protocol, not a fault of the program)
    """A request that is answered with an error: its code, the facts of the code's text, or a text of its own."""

    def __init__(self, code: int, text: str = "", **facts: Any) -> None:
        self.code, self.text, self.facts = code, text, facts
        super().__init__(f"{code} {text}")


def handles(*kinds: type) -> Callable[[H], H]:
    """Declare the function that answers messages of these types."""

    def keep(handler: H) -> H:
        for kind in kinds:
            HANDLERS[kind] = handler
        return handler

    return keep


def invalid(cause: str) -> Refusal:
    """Return the refusal of a request whose fields do not make sense."""
    return Refusal(321, where="bW", cause=cause)
