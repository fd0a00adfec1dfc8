"""What changed since another picture of the same chain."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.workflows.live.pictures import ChainPicture, contract_places

Floats = npt.NDArray[np.float64]

#: What `chain_since` adds.
CHANGE_COLUMNS = ("mid_change", "iv_change", "open_interest_change")


def chain_since(rows: pd.DataFrame, before: ChainPicture | None) -> pd.DataFrame:
    """Return `rows` with the change of mid, volatility and open interest since `before`.

    Parameters
    ----------
    rows : DataFrame
        CHAIN_COLUMNS, all of a chain or one expiration of it.
    before : ChainPicture, optional
        NaN everywhere without it, and for contracts that it does not hold or did not quote.
    """
    names = [column.removesuffix("_change") for column in CHANGE_COLUMNS]
    if before is None:
        return rows.assign(**dict.fromkeys(CHANGE_COLUMNS, np.nan))
    old = before.chain
    places = contract_places(old, rows)
    changes: dict[str, Any] = {}
    for name in names:
        earlier = np.where(places >= 0, old[name].to_numpy()[places], np.nan)
        changes[f"{name}_change"] = rows[name].to_numpy() - earlier
    return rows.assign(**changes)


def expiry_summary(picture: ChainPicture, before: ChainPicture | None = None) -> pd.DataFrame:
    """Return one row an expiration: where its volatility stands and how much it trades.

    Returns
    -------
    DataFrame
        `expiry`, `dte`, `forward`, `iv` (at the money: linear in strike between the strikes around the forward, the
        mean of call and put), `iv_change` (against `before`), `move` (currency per share: the at-the-money straddle's
        mid), `volume`, `open_interest` (contracts), `put_call` (open interest of puts over calls), `ts` (newest).
    """
    frame = _summaries(picture.chain)
    if before is None:
        return frame.assign(iv_change=np.nan)
    old = _summaries(before.chain).set_index("expiry")["iv"]
    return frame.assign(iv_change=frame["iv"] - frame["expiry"].map(old).astype(float))


def _summaries(chain: pd.DataFrame) -> pd.DataFrame:
    # Arrays, since a group of a frame costs more than all that is computed of it.
    names = ("strike", "forward", "spot", "iv", "mid", "volume", "open_interest")
    values: dict[str, Floats] = {name: chain[name].to_numpy(dtype=np.float64) for name in names}
    is_call, expiry = (chain["right"] == "C").to_numpy(), chain["expiry"].to_numpy()
    dte, ts = chain["dte"].to_numpy(), chain["ts"].dt.tz_localize(None).to_numpy()
    edges = np.flatnonzero(np.append(True, expiry[1:] != expiry[:-1]))
    rows = []
    for first, end in zip(edges, np.append(edges[1:], len(expiry)), strict=True):
        part = slice(first, end)
        summary = _summary({name: column[part] for name, column in values.items()}, is_call[part])
        rows.append({"expiry": expiry[first], "dte": int(dte[part].min()), **summary, "ts": ts[part].max()})
    frame = pd.DataFrame(rows)
    return frame.assign(ts=frame["ts"].dt.tz_localize("UTC"))


def _summary(values: dict[str, Floats], is_call: npt.NDArray[np.bool_]) -> dict[str, float]:
    known = values["forward"][~np.isnan(values["forward"])]
    forward = float(np.median(known)) if len(known) else float("nan")
    centre = forward if len(known) else float(values["spot"][0])
    sides = [
        (values["strike"][side], {name: values[name][side] for name in ("iv", "mid")}) for side in (is_call, ~is_call)
    ]
    iv, mid = ([_at(centre, strikes, held[name]) for strikes, held in sides] for name in ("iv", "mid"))
    calls, puts = (_sum(values["open_interest"][side]) for side in (is_call, ~is_call))
    solved = [one for one in iv if not np.isnan(one)]
    return {
        "forward": forward,
        "iv": float(np.mean(solved)) if solved else float("nan"),
        "move": sum(mid),
        "volume": _sum(values["volume"]),
        "open_interest": _sum(values["open_interest"]),
        "put_call": puts / calls if calls > 0 else float("nan"),
    }


def _at(centre: float, strikes: Floats, values: Floats) -> float:
    """Return a side's value at `centre`, between the strikes around it that are known; NaN outside of them."""
    known = ~np.isnan(values)
    strikes, values = strikes[known], values[known]
    if not len(strikes) or not strikes.min() <= centre <= strikes.max():
        return float("nan")
    order = np.argsort(strikes, kind="stable")
    return float(np.interp(centre, strikes[order], values[order]))


def _sum(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.sum()) if len(known) else float("nan")
