"""Owns the door to `sipgw try`: its call agent is imported only when the command runs."""

from importlib import import_module

import typer


def add_to(app: typer.Typer) -> None:
    """Every word after `try` is left to the command's own parser, `--help` too."""
    app.command(
        "try",
        help="Place a test call through the running gateway and say what was heard.",
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )(try_call)


def try_call(context: typer.Context) -> None:
    inner = import_module("gateway.cli.try_call").app
    command = typer.main.get_command(inner)
    result = command.main(args=context.args, prog_name="sipgw try", standalone_mode=False)
    raise typer.Exit(result if isinstance(result, int) else 0)
