"""``bifrost strategy``: the catalogue, and documents of one's own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bifrost_lib.cli import watching
from bifrost_lib.cli.arguments import Json
from bifrost_lib.cli.output import print_json, print_table
from bifrost_lib.core.errors import DocumentError, InputError, StoreError

if TYPE_CHECKING:
    from bifrost_lib.strategies import StrategyDocument

app = typer.Typer(no_args_is_help=True, help="Strategies as documents: the catalogue, and your own.")
for command in (watching.save, watching.saved, watching.forget, watching.hits):
    app.command()(command)

HEADER = """\
# {name}: a strategy document. Change it, then:  bifrost strategy validate FILE
# and rank its candidates:                       bifrost scan SPY --strategy FILE
#
# Strikes (rule): by delta, otm, at_money, strike, premium, same_as, offset, same_premium, wing, mirror.
# Also understood: entry (weekdays, iv_rank, vol_index, earnings, conditions ...), exits (take_profit, stop,
# days_in_trade, dte, delta, roll), sizing, costs. Every field is explained in the JSON Schema:
#   bifrost strategy schema
"""

Name = Annotated[str, typer.Argument(help="A name of the catalogue, an alias, or a file.", show_default=False)]


@app.command("list")
def list_strategies(as_json: Json = False) -> None:
    """List the strategies of the catalogue.

    Example: bifrost strategy list --json
    """
    from bifrost_lib.strategies import CATALOG

    if as_json:
        print_json([_summary(document) for document in CATALOG.values()])
        return
    rows = [
        [name, _legs(found), found.risk_shape, found.cash, " ".join(found.outlook), found.view]
        for name, found in CATALOG.items()
    ]
    header = ("name", "legs", "risk", "cash", "outlook", "view")
    print_table(f"{len(rows)} strategies", rows, header, left=header, note="bifrost strategy show NAME explains one.")


@app.command()
def show(
    name: Name,
    as_yaml: Annotated[bool, typer.Option("--yaml", help="Print the document as YAML.")] = False,
    as_json: Json = False,
) -> None:
    """Explain a strategy, or print its document.

    Example: bifrost strategy show jade_lizard --yaml
    """
    from bifrost_lib.strategies import describe_document, leg_words, resolve_strategy, write_document

    if as_yaml and as_json:
        raise InputError("--yaml --json", "both", "one of them")
    document = resolve_strategy(name)
    if as_yaml or as_json:
        sys.stdout.write(write_document(document, form="json" if as_json else "yaml", full=as_json))
        return
    rows = [[leg.name, leg_words(leg)] for leg in document.legs]
    rows += [[topic, text] for topic, text in describe_document(document).items()]
    print_table(document.name, rows, ("", "what it is"), left=("", "what it is"))


@app.command()
def validate(
    file: Annotated[Path, typer.Argument(help="A document in YAML or JSON.", show_default=False)], as_json: Json = False
) -> None:
    """Check a document: say in one line what it holds, or what the first mistake is.

    Example: bifrost strategy validate my_condor.yaml
    """
    from bifrost_lib.strategies import read_file

    try:
        document = read_file(file)
    except DocumentError as error:
        if as_json:
            print_json({"valid": False, "field": error.name, "expected": error.expected, "nearest": error.nearest})
        raise
    if as_json:
        print_json({"valid": True, **_summary(document), "sha256": document.sha256})
    else:
        shape = f"{_legs(document)}, {document.risk_shape} risk"
        print(f"{file}: {document.name} is valid ({shape}; sha256 {document.sha256[:12]})")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="What to call it.", show_default=False)],
    like: Annotated[str | None, typer.Option(help="Strategy to start from. Default: that of its name.")] = None,
    output: Annotated[Path | None, typer.Option("-o", help="File to write; it must not exist.")] = None,
) -> None:
    """Write a document to start from: a copy of a strategy of the catalogue under a name of your own.

    Example: bifrost strategy new my_condor --like iron_condor -o my_condor.yaml
    """
    from bifrost_lib.strategies import CATALOG, strategy_named, write_document

    document = strategy_named(like or (name if name in CATALOG else "bull_put_spread"))
    own = document.with_(name=name, aliases=())
    text = HEADER.format(name=name) + write_document(own)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise InputError("-o", str(output), "a file that does not exist yet") from None
    except OSError as error:
        raise StoreError(f"{output} cannot be written: {error.strerror}") from None
    print(output)


@app.command()
def schema() -> None:
    """Print the JSON Schema of strategy documents.

    Example: bifrost strategy schema > strategy.schema.json
    """
    from bifrost_lib.strategies import StrategyDocument

    print_json(StrategyDocument.model_json_schema())


def _summary(document: StrategyDocument) -> dict[str, Any]:
    return {
        "name": document.name,
        "view": document.view,
        "legs": [
            {"name": leg.name, "right": leg.right, "qty": leg.qty, "expiry": leg.expiry if leg.is_option else None}
            for leg in document.legs
        ],
        "outlook": list(document.outlook),
        "risk": document.risk,
        "risk_shape": document.risk_shape,
        "cash": document.cash,
        "margin": document.margin,
        "aliases": list(document.aliases),
    }


def _legs(document: StrategyDocument) -> str:
    return " ".join(f"{leg.qty:+d}{leg.right}{'*' if leg.expiry == 'far' else ''}" for leg in document.legs)
