"""``bifrost new``: something of one's own to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bifrost_lib.cli.arguments import Json
from bifrost_lib.cli.output import print_json

app = typer.Typer(no_args_is_help=True, help="Something of your own to start from: a research study.")


@app.callback()
def _group() -> None:
    # One command alone would lose its name.
    return


@app.command()
def research(
    name: Annotated[str, typer.Argument(help="What to call the study, for example calm_condors.", show_default=False)],
    into: Annotated[Path | None, typer.Option(help="Folder to make it in. Default: the current one.")] = None,
    as_json: Json = False,
) -> None:
    """Begin a study: four notebooks from design to decision, which run as they are and are there to be changed.

    Example: bifrost new research calm_condors --into ~/studies
    """
    from bifrost_lib.workflows import new_study

    study = new_study(name, into)
    paths = [str(notebook) for notebook in study.notebooks]
    if as_json:
        print_json({"name": study.name, "folder": str(study.folder), "notebooks": paths})
        return
    print("\n".join(paths))
    print(f"Next: open {study.notebooks[0].name} in JupyterLab and run the four in their order.")
