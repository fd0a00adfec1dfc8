"""What of each card sweeps may use, and what a sweep takes of it.

A worker announces `card_bytes` as a resource, each chunk of a sweep asks for what it takes, and Dask starts no chunk
on a worker that has less left: chunks wait in its queue, those of several people in turn, because each sweep has few
chunks there at a time. What fits on no card runs on the processors. So nothing is begun that a card cannot hold.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

from bifrost_lib.workflows import sweeps

Admitted, Need, admit, need_of = sweeps.Admitted, sweeps.Need, sweeps.admit, sweeps.need_of

__all__ = ["Admitted", "Card", "Need", "admit", "card_bytes", "need_of", "read_cards"]

#: Of each card, for the driver's own data of every process on it, compiled code, and what others run there.
KEPT_FREE = 1_500_000_000
_SHARE = 0.95  # memory comes in blocks: the last of it cannot be had
_MIB = 1024 * 1024
_ASK = ("nvidia-smi", "--query-gpu=index,name,memory.total,memory.free", "--format=csv,noheader,nounits")


@dataclass(frozen=True)
class Card:
    """A GPU: its number, name, and bytes of memory in all and not in use."""

    index: int
    name: str
    total: int
    free: int


def read_cards(said: str | None = None) -> list[Card]:
    """Return the GPUs of this machine as its driver tells them; none where there is no driver.

    Parameters
    ----------
    said : str, optional
        What ``nvidia-smi`` said; asked when it is not given.
    """
    if said is None:
        if shutil.which(_ASK[0]) is None:
            return []
        done = subprocess.run(_ASK, capture_output=True, text=True, timeout=60, check=False)
        said = done.stdout if done.returncode == 0 else ""
    cards = []
    for line in said.strip().splitlines():
        index, name, total, free = (part.strip() for part in line.split(","))
        if total.isdigit() and free.isdigit():  # a card that is shared out by other means has no figures of its own
            cards.append(Card(int(index), name, int(total) * _MIB, int(free) * _MIB))
    return cards


def card_bytes(card: Card) -> int:
    """Return the bytes of a card that sweeps may use together; 0 where others use nearly all of it.

    Examples
    --------
    >>> card_bytes(Card(0, "24 GB card", 24 * 1024**3, 23 * 1024**3)) / 1e9
    22.036...
    """
    return max(0, int(_SHARE * (card.free - KEPT_FREE)))
