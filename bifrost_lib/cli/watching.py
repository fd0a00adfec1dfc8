"""``bifrost strategy save, saved, forget, hits``: documents that are kept and watched, and what they found."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Annotated, Any

import typer

from bifrost_lib.cli.arguments import At, Json, read_at
from bifrost_lib.cli.output import number, print_json, print_table
from bifrost_lib.core.errors import InputError

HITS = ("ts", "name", "symbol", "score", "legs")


def save(
    strategy: Annotated[str, typer.Argument(help="A file with a document, or a name of the catalogue.")],
    called: Annotated[str | None, typer.Option("--as", help="Name to keep it under. Default: its own.")] = None,
    symbol: Annotated[list[str] | None, typer.Option(help="Watch it on this symbol; may be repeated.")] = None,
    watch: Annotated[bool, typer.Option("--watch/--no-watch", help="Evaluate it on each new snapshot.")] = True,
    least_score: Annotated[float, typer.Option(help="A candidate with a lower score is no hit, 0 to 100.")] = 0.0,
    as_json: Json = False,
) -> None:
    """Keep a strategy document, and have it evaluated on each new snapshot of its symbols (default: the watchlist's).

    Example: bifrost strategy save iron_condor --as calm_condor --symbol SIM --least-score 70
    """
    from bifrost_lib.store import save_document
    from bifrost_lib.strategies import resolve_strategy
    from bifrost_lib.workflows import open_desk

    if not 0 <= least_score <= 100:
        raise InputError("--least-score", least_score, "a score from 0 to 100")
    document = resolve_strategy(strategy)
    name, symbols = called or document.name, sorted({one.upper() for one in symbol or ()})
    with open_desk() as desk:
        save_document(
            desk.store, document.model_dump(mode="json"), name=name, document_hash=document.sha256,
            at=desk.clock.now(), symbols=symbols, monitored=watch, least_score=least_score,
        )  # fmt: skip
    if as_json:
        print_json({"name": name, "sha256": document.sha256, "symbols": symbols, "watched": watch})
        return
    where = f"watched on {', '.join(symbols) or 'the watchlist'}" if watch else "not watched"
    print(f"{name} is kept, {where}")


def saved(as_json: Json = False) -> None:
    """List the documents that are kept, and where they are watched.

    Example: bifrost strategy saved
    """
    from bifrost_lib.store import saved_documents
    from bifrost_lib.workflows import open_desk

    with open_desk() as desk:
        kept = saved_documents(desk.store)
    keys = ("name", "owner", "watched", "symbols", "least_score", "saved")
    rows = [(one.name, one.owner, one.monitored, list(one.symbols), one.least_score, one.saved) for one in kept]
    if as_json:
        print_json({"documents": [dict(zip(keys, row, strict=True)) for row in rows]})
    elif not rows:
        print("No document is kept: `bifrost strategy save NAME|FILE` keeps one.")
    else:
        shown = [
            [
                name,
                owner,
                "yes" if watched else "no",
                " ".join(symbols) or "watchlist",
                number(score, 0),
                f"{at:%Y-%m-%d %H:%M} UTC",
            ]
            for name, owner, watched, symbols, score, at in rows
        ]
        print_table("Kept documents", shown, keys, left=("name", "owner", "watched", "symbols", "saved"))


def forget(name: Annotated[str, typer.Argument(help="Name under which it is kept.")]) -> None:
    """Remove a kept document, and what it found.

    Example: bifrost strategy forget calm_condor
    """
    from bifrost_lib.store import remove_document
    from bifrost_lib.workflows import open_desk

    with open_desk() as desk:
        remove_document(desk.store, name)
    print(f"{name} is forgotten")


def hits(at: At = None, as_json: Json = False) -> None:
    """List what watched documents found, the newest first.

    Example: bifrost strategy hits --json
    """
    from bifrost_lib.store import document_hits
    from bifrost_lib.workflows import open_desk

    with open_desk() as desk:
        found = document_hits(desk.store, at=read_at(at)).to_dict("records")
    if as_json:
        print_json({"hits": found})
    elif not found:
        print("Nothing was found yet: the collectors evaluate watched documents on each new snapshot.")
    else:
        rows = [
            [f"{row['ts']:%Y-%m-%d %H:%M} UTC", row["name"], row["symbol"], number(row["score"], 1), _legs(row)]
            for row in found
        ]
        print_table("Hits", rows, HITS, left=("ts", "name", "symbol", "legs"))


def _legs(row: dict[Hashable, Any]) -> str:
    candidate = row["candidate"]
    legs = candidate.get("legs", ()) if isinstance(candidate, dict) else ()
    return "  ".join(f"{leg['qty']:+d} {leg['right']} {leg.get('strike') or ''}".rstrip() for leg in legs)
