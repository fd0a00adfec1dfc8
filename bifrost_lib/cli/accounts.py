"""``bifrost account``: who may log in at the hub, in which role."""

from __future__ import annotations

from typing import Annotated

import typer

from bifrost_lib.cli.arguments import Json
from bifrost_lib.cli.output import print_json, print_table

app = typer.Typer(no_args_is_help=True, help="Local accounts of the hub: who may log in, and as what.")

Name = Annotated[str, typer.Argument(help="Name that the person logs in by.", show_default=False)]


@app.command("list")
def list_accounts(as_json: Json = False) -> None:
    """List the accounts and their roles.

    Example: bifrost account list
    """
    from bifrost_lib.core.settings import load_settings
    from bifrost_lib.workflows import hub

    found = hub.read_accounts(load_settings().home)
    rows = [[one.name, one.role] for one in sorted(found.values(), key=lambda one: one.name)]
    if as_json:
        print_json({"accounts": [{"name": name, "role": role} for name, role in rows]})
    elif rows:
        print_table("Accounts", rows, ("name", "role"), left=("name", "role"))
    else:
        print("There are no accounts yet: `bifrost up` makes one for each role.")


@app.command("set")
def set_account(
    name: Name,
    role: Annotated[str, typer.Option(help="quant, trader, operator or admin.")] = "quant",
    as_json: Json = False,
) -> None:
    """Make an account, or give one another role and a new password; the password is printed once.

    Example: bifrost account set ann --role trader
    """
    from bifrost_lib.core.settings import load_settings
    from bifrost_lib.workflows import hub

    password = hub.set_account(load_settings().home, name, role=role)
    if as_json:
        print_json({"name": name, "role": role, "password": password})
    else:
        print(f"{name} ({role}) may log in with the password {password}")


@app.command("remove")
def remove_account(name: Name) -> None:
    """Take an account away, and the person's own login to the database with it.

    Example: bifrost account remove ann
    """
    from bifrost_lib.store import drop_user
    from bifrost_lib.workflows import hub, open_desk

    with open_desk() as desk:
        hub.remove_account(desk.settings.home, name)
        drop_user(desk.store, name)
    print(f"{name} may not log in any more")
