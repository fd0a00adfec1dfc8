"""A cube cut to some of its sessions, in which nothing is left of what was known later."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest.chains.cube import EARNINGS, QUOTES, ChainCube

Array = npt.NDArray[Any]

# What is known of a contract and needs no numbering anew where others are left out.
_CONTRACTS = ("expiry_day", "expires_us", "strike", "is_call", "is_am", "is_american", "multiplier")


def cut(cube: ChainCube, first: int, last: int) -> ChainCube:
    """Return the cube of the sessions [first, last), as `ChainCube.between` describes it.

    What is per session, moment, row or quote is sliced, so that memory maps stay maps; contracts, groups and classes
    that no row of these sessions names are left out, and the others are numbered anew.
    """
    moments = slice(int(cube.session_moment[first]), int(cube.session_moment[last]))
    rows = slice(int(cube.session_row[first]), int(cube.session_row[last]))
    quotes = slice(*(_place(cube.row_quote, at, len(cube.bid)) for at in (rows.start, rows.stop)))
    entries = slice(*np.searchsorted(cube.sg_session, [first, last]).tolist())
    forwards = slice(*(_place(cube.sg_forward_start, at, len(cube.forward)) for at in (entries.start, entries.stop)))
    kept, row_contract = np.unique(cube.row_contract[rows], return_inverse=True)
    groups, group = np.unique(cube.group[kept], return_inverse=True)
    day = int(cube.session_day[last - 1])
    splits, dividends = cube.split_day <= day, cube.dividend_day <= day
    learnt = cube.earnings_known_us <= cube.moment_us[moments.stop - 1]
    changed: dict[str, Any] = {name: getattr(cube, name)[kept] for name in _CONTRACTS}
    changed |= {name: one[quotes] for name in QUOTES if (one := getattr(cube, name)) is not None}
    changed |= {name: getattr(cube, name)[learnt] for name in EARNINGS}
    changed |= {name: getattr(cube, name)[first:last] for name in ("session_day", "open_spot", "close_spot")}
    return replace(
        cube,
        **changed,
        **_classes_kept(cube, kept),
        session_moment=cube.session_moment[first : last + 1] - moments.start,
        moment_us=cube.moment_us[moments],
        spot=cube.spot[moments],
        group=group.astype(np.int32),
        group_first=np.searchsorted(group, np.arange(len(groups) + 1)).astype(np.int64),
        session_row=cube.session_row[first : last + 1] - rows.start,
        row_contract=row_contract.astype(np.int32),
        row_quote=cube.row_quote[rows] - quotes.start,
        sg_session=cube.sg_session[entries] - np.int32(first),
        sg_group=np.searchsorted(groups, cube.sg_group[entries]).astype(np.int32),
        sg_row=cube.sg_row[entries.start : entries.stop + 1] - rows.start,
        sg_forward_start=cube.sg_forward_start[entries] - forwards.start,
        forward=cube.forward[forwards],
        split_day=cube.split_day[splits],
        split_ratio=cube.split_ratio[splits],
        dividend_day=cube.dividend_day[dividends],
        dividend=cube.dividend[dividends],
        conditions={name: one[first:last] for name, one in cube.conditions.items()},
        known_sha256="",
    )


def _place(starts: Array, at: int, end: int) -> int:
    return int(starts[at]) if at < len(starts) else end


def _classes_kept(cube: ChainCube, kept: Array) -> dict[str, Any]:
    codes, code = np.unique(cube.class_code[kept], return_inverse=True)
    return {"classes": tuple(cube.classes[one] for one in codes), "class_code": code.astype(np.int16)}
