"""What a trader takes out of the builder: the structure as a document, and its legs as a table."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import Any

from bifrost_lib.workflows.building import Structure

#: The measures that are told; pictures and tables of scenarios can be made again from the legs and the terms.
MEASURES = (
    *("premium", "max_profit", "max_profit_unbounded", "max_loss", "max_loss_unbounded", "breakevens", "pop", "ev"),
    *("return_on_risk", "margin", "maintenance_margin", "slippage_cost", "dte"),
    *("delta", "gamma", "theta", "vega", "rho"),
)
_COLUMNS = ("right", "qty", "strike", "expiry", "trading_class", "price", "bid", "ask", "iv", "tau", "open_interest")
_LEG_KEYS = ("right", "qty", "strike", "expiry", "trading_class", "price", "iv")


@dataclass(frozen=True)
class Export:
    """One structure as text; `stem` is a file name without its ending."""

    stem: str
    json: str
    yaml: str
    csv: str


def export_structure(structure: Structure) -> Export:
    """Return a structure as JSON and YAML, with what its measures were made from, and its legs as CSV."""
    import yaml

    market = structure.market
    document = _document(structure)
    return Export(
        stem=f"{market.symbol}_structure_{market.as_of:%Y-%m-%dT%H%MZ}",
        json=json.dumps(document, indent=2, allow_nan=False) + "\n",
        yaml=yaml.safe_dump(document, sort_keys=False, allow_unicode=True),
        csv=_legs_csv(structure),
    )


def _document(structure: Structure) -> dict[str, Any]:
    market = structure.market
    return {
        "symbol": market.symbol,
        "at": market.at.isoformat(),
        "as_of": market.as_of.isoformat(),
        "source": market.source,
        "fill": structure.fill,
        "terms": {name: _plain(value) for name, value in structure.terms.items()},
        "tau": float(structure.near.tau),
        "legs": [{name: _plain(leg[name]) for name in _LEG_KEYS if name in leg} for leg in structure.legs],
        "measures": {name: _plain(structure.measures[name]) for name in MEASURES},
    }


def _legs_csv(structure: Structure) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["symbol", *_COLUMNS, "multiplier", "as_of"])
    after = [structure.terms["multiplier"], structure.market.as_of.isoformat()]
    for leg in structure.legs:
        cells = ["" if leg.get(name) is None else leg[name] for name in _COLUMNS]
        writer.writerow([structure.market.symbol, *cells, *after])
    return out.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if value is None or isinstance(value, bool | int | str):
        return value
    return float(value)
