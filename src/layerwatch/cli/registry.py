"""The verbs of the models in force: add, list, activate, roll back, shadow, threshold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from layerwatch.cli.app import app

registry = typer.Typer(name="registry", help="Models in force of a service's printers.", no_args_is_help=True)
app.add_typer(registry)

By = Annotated[str, typer.Option(help="Who does it; the audit keeps it.")]
Data = Annotated[Path | None, typer.Option(help="Folder of everything that the service keeps.")]
Site = Annotated[Path | None, typer.Option(help="Site file, in the place of --data: names data folder and database.")]


@registry.command(epilog="Example: layerwatch registry add cores model --data layerwatch-data")
def add(name: str, model: Path, data: Data = None, site: Site = None) -> None:
    """Check a stored model and copy it as the next version of that name."""
    from layerwatch.journeys.data_place import place_of
    from layerwatch.journeys.in_force import add as run

    place = place_of(data, site)
    print(f"{name} {run(place.folder, name, model)}")


@registry.command(name="list", epilog="Example: layerwatch registry list --data layerwatch-data")
def list_models(data: Data = None, site: Site = None) -> None:
    """Models and their versions."""
    from layerwatch.journeys.data_place import place_of
    from layerwatch.journeys.in_force import listed

    place = place_of(data, site)
    print("\n".join(listed(place.folder)))


@registry.command(epilog="Example: layerwatch registry activate printer-1 cores 0002 --by Kim")
def activate(printer: str, name: str, version: str, by: By, data: Data = None, site: Site = None) -> None:
    """Judge the printer's next job by this version; one with a changed byte is refused."""
    from layerwatch.journeys.data_place import place_of
    from layerwatch.journeys.in_force import change

    place = place_of(data, site)
    print(change(place.folder, printer, "activate", by, name=name, version=version, url=place.database))


@registry.command(epilog="Example: layerwatch registry rollback printer-1 --by Kim")
def rollback(printer: str, by: By, data: Data = None, site: Site = None) -> None:
    """Go back to what was in force before."""
    from layerwatch.journeys.data_place import place_of
    from layerwatch.journeys.in_force import change

    place = place_of(data, site)
    print(change(place.folder, printer, "roll_back", by, url=place.database))


@registry.command(epilog="Example: layerwatch registry shadow printer-1 cores 0003 --by Kim")
def shadow(printer: str, name: str, version: str, by: By, data: Data = None, site: Site = None) -> None:
    """Let a second version judge along; nobody is told but the journal."""
    from layerwatch.journeys.data_place import place_of
    from layerwatch.journeys.in_force import change

    place = place_of(data, site)
    print(change(place.folder, printer, "shadow", by, name=name, version=version, url=place.database))


@registry.command(epilog="Example: layerwatch registry threshold printer-1 4.5 --by Kim --reason 'new sand'")
def threshold(
    printer: str,
    value: float,
    by: By,
    reason: Annotated[str, typer.Option(help="Why; the audit keeps it.")],
    data: Data = None,
    site: Site = None,
) -> None:
    """Set the score above which the printer's jobs raise an alarm, without training."""
    from layerwatch.journeys.data_place import place_of
    from layerwatch.journeys.in_force import change

    place = place_of(data, site)
    print(change(place.folder, printer, "set_threshold", by, value=value, reason=reason, url=place.database))
