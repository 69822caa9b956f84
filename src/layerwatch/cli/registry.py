"""The verbs of the models in force: add, list, activate, roll back, shadow, threshold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from layerwatch.cli.app import app

registry = typer.Typer(name="registry", help="Models in force of a service's printers.", no_args_is_help=True)
app.add_typer(registry)

By = Annotated[str, typer.Option(help="Who does it; the audit keeps it.")]
Data = Annotated[Path, typer.Option(help="Folder of everything that the service keeps.")]
_DATA = Path("layerwatch-data")


@registry.command(epilog="Example: layerwatch registry add cores model --data layerwatch-data")
def add(name: str, model: Path, data: Data = _DATA) -> None:
    """Check a stored model and copy it as the next version of that name."""
    from layerwatch.journeys.in_force import add as run

    print(f"{name} {run(data, name, model)}")


@registry.command(name="list", epilog="Example: layerwatch registry list --data layerwatch-data")
def list_models(data: Data = _DATA) -> None:
    """Models and their versions."""
    from layerwatch.journeys.in_force import listed

    print("\n".join(listed(data)))


@registry.command(epilog="Example: layerwatch registry activate printer-1 cores 0002 --by Kim")
def activate(printer: str, name: str, version: str, by: By, data: Data = _DATA) -> None:
    """Judge the printer's next job by this version; one with a changed byte is refused."""
    from layerwatch.journeys.in_force import change

    print(change(data, printer, "activate", by, name=name, version=version))


@registry.command(epilog="Example: layerwatch registry rollback printer-1 --by Kim")
def rollback(printer: str, by: By, data: Data = _DATA) -> None:
    """Go back to what was in force before."""
    from layerwatch.journeys.in_force import change

    print(change(data, printer, "roll_back", by))


@registry.command(epilog="Example: layerwatch registry shadow printer-1 cores 0003 --by Kim")
def shadow(printer: str, name: str, version: str, by: By, data: Data = _DATA) -> None:
    """Let a second version judge along; nobody is told but the journal."""
    from layerwatch.journeys.in_force import change

    print(change(data, printer, "shadow", by, name=name, version=version))


@registry.command(epilog="Example: layerwatch registry threshold printer-1 4.5 --by Kim --reason 'new sand'")
def threshold(
    printer: str,
    value: float,
    by: By,
    reason: Annotated[str, typer.Option(help="Why; the audit keeps it.")],
    data: Data = _DATA,
) -> None:
    """Set the score above which the printer's jobs raise an alarm, without training."""
    from layerwatch.journeys.in_force import change

    print(change(data, printer, "set_threshold", by, value=value, reason=reason))
