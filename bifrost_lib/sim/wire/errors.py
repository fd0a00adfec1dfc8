"""What a gateway says when something cannot be done: IB's codes with the texts that TWS sends."""

from __future__ import annotations


class WireError(Exception):
    """A frame that cannot be read or written: `code` and `text` are what the other side is told."""

    def __init__(self, code: int, text: str) -> None:
        self.code, self.text = code, text
        super().__init__(f"{code} {text}")
