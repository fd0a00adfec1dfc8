"""The commands, put together."""

from __future__ import annotations

from difflib import get_close_matches

import typer

from bifrost_lib.cli import (
    accounts,
    backtesting,
    benching,
    calibrating,
    chains,
    collecting,
    creating,
    deploying,
    desk,
    earnings,
    ingesting,
    libraries,
    lines,
    reporting,
    scanning,
    strategies,
    studying,
    targeting,
)


def build_app() -> typer.Typer:
    """Return the command line with all commands."""
    app = typer.Typer(
        name="bifrost",
        help="Options research: chains in, ranked strategies out. `bifrost COMMAND --help` shows an example.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    for command in (
        desk.up,
        desk.down,
        desk.status,
        ingesting.ingest,
        collecting.collect,
        collecting.watch,
        lines.lines,
        chains.chain,
        scanning.scan,
        backtesting.backtest,
        calibrating.recommend,
        calibrating.calibration,
        targeting.target,
        reporting.report,
        desk.settings,
        desk.doctor,
        deploying.deploy,
        benching.bench,
    ):
        app.command()(command)
    app.add_typer(strategies.app, name="strategy")
    app.add_typer(earnings.app, name="earnings")
    app.add_typer(creating.app, name="new")
    app.add_typer(studying.app, name="study")
    app.add_typer(libraries.app, name="library")
    app.add_typer(accounts.app, name="account")
    return app


def usage_problem(error: Exception) -> str | None:
    """Return one line for an error in the words of a command; None when `error` is something else."""
    message = getattr(error, "format_message", None)
    if message is None:
        return "" if type(error).__name__ in ("Abort", "Exit") else None
    text = str(message())
    name = getattr(error, "command_name", None) or getattr(error, "option_name", None)
    if "Did you mean" not in text and isinstance(name, str):
        close = get_close_matches(name, _words(), n=1, cutoff=0.5)
        text += f" Did you mean {close[0]!r}?" if close else ""
    context = getattr(error, "ctx", None)
    return text + (f" (see {context.command_path} --help)" if context is not None else "")


def _words() -> list[str]:
    return [str(command.callback.__name__) for command in build_app().registered_commands if command.callback]
