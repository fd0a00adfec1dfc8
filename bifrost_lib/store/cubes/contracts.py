"""Contracts of a stored cube, numbered in the order in which they first came, so that columns only grow."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.store.contract_book import ContractBook
from bifrost_lib.store.cubes.columns import mapped
from bifrost_lib.store.cubes.layout import COLUMNS

Array = npt.NDArray[Any]
CONTRACT_COLUMNS = tuple(name for name, (shelf, _) in COLUMNS.items() if shelf == "contract")
_SAME = ("expiry_day", "expires_us", "strike", "multiplier", "is_call", "is_am", "is_american")


class KnownContracts:
    """The contracts that a cube has, and the numbers that new ones get."""

    def __init__(self, contract_ids: Array, classes: tuple[str, ...]) -> None:
        self._numbers = {key: number for number, key in enumerate(contract_ids.tolist())}
        self.classes = list(classes)

    def __len__(self) -> int:
        return len(self._numbers)

    def numbers(self, contract_ids: Array, places: Array, book: ContractBook) -> tuple[Array, dict[str, Array]]:
        """Return the number of each contract, and the columns of those that are new."""
        keys = contract_ids.tolist()
        new = [place for place, key in enumerate(keys) if key not in self._numbers]
        for place in new:
            self._numbers[keys[place]] = len(self._numbers)
        numbers = np.array([self._numbers[key] for key in keys], dtype=np.int32)
        at = places[new]
        columns = {name: book.column(name)[at] for name in _SAME}
        columns["class_no"] = np.array([self._class(book.classes[no]) for no in book.column("class_no")[at]], "<i2")
        return numbers, columns | {"contract_id": contract_ids[new]}

    def _class(self, name: str) -> int:
        if name not in self.classes:
            self.classes.append(name)
        return self.classes.index(name)


def read_contracts(folder: Path, count: int) -> dict[str, Array]:
    """Return the columns of contracts, by name."""
    return {name: np.array(mapped(folder, name, 0, count)) for name in CONTRACT_COLUMNS}


def contracts_digest(folder: Path, count: int, classes: tuple[str, ...] | list[str]) -> str:
    """Return the digest of all contracts."""
    told = hashlib.sha256("\n".join(classes).encode())
    for column in read_contracts(folder, count).values():
        told.update(column.view(np.uint8).data)
    return told.hexdigest()
