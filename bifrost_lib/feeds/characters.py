"""Bytes of text by name, for kernels, which read bytes and not characters."""

from __future__ import annotations

from typing import Final

TAB: Final = ord("\t")
LINE_FEED: Final = ord("\n")
RETURN: Final = ord("\r")
SPACE: Final = ord(" ")
QUOTE: Final = ord('"')
DOLLAR: Final = ord("$")
PER_CENT: Final = ord("%")
PLUS: Final = ord("+")
MINUS: Final = ord("-")
POINT: Final = ord(".")
COLON: Final = ord(":")
ZERO: Final = ord("0")
NINE: Final = ord("9")
A, C, P, Z = (ord(letter) for letter in "ACPZ")
#: Letters that may be written small or large are compared as small ones, with this bit set.
SMALL: Final = ord("a") - ord("A")
SMALL_A, SMALL_E, SMALL_M, SMALL_P, SMALL_T, SMALL_X, SMALL_Z = (ord(letter) for letter in "aemptxz")
