"""The verbs of the dashboard's users: add, list, remove."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from layerwatch.cli.app import app

users = typer.Typer(name="users", help="Who may use a service's page from other machines.", no_args_is_help=True)
app.add_typer(users)

Data = Annotated[Path | None, typer.Option(help="Folder of everything that the service keeps.")]
Site = Annotated[Path | None, typer.Option(help="Site file, in the place of --data.")]


@users.command(epilog="Example: layerwatch users add Kim --role operator --data layerwatch-data")
def add(
    name: str,
    role: Annotated[str, typer.Option(help="viewer, operator, engineer or admin: each may do more.")] = "viewer",
    data: Data = None,
    site: Site = None,
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, envvar="LAYERWATCH_PASSWORD")
    ] = "",
) -> None:
    """Add a user, or give one another role and password; the password is asked for."""
    from layerwatch.journeys.data_place import place_of
    from layerwatch.journeys.page import add_user

    add_user(place_of(data, site).folder, name, role, password)
    print(f"{name}: {role}")


@users.command(name="list", epilog="Example: layerwatch users list --data layerwatch-data")
def list_users(data: Data = None, site: Site = None) -> None:
    """Users and their roles."""
    from layerwatch.journeys.data_place import place_of
    from layerwatch.journeys.page import users_of

    found = users_of(place_of(data, site).folder)
    print("\n".join(f"{one.name}  {one.role}" for one in found) or "no user yet")


@users.command(epilog="Example: layerwatch users remove Kim --data layerwatch-data")
def remove(name: str, data: Data = None, site: Site = None) -> None:
    """Remove a user; who is logged in is out at once."""
    from layerwatch.journeys.data_place import place_of
    from layerwatch.journeys.page import remove_user

    remove_user(place_of(data, site).folder, name)
    print(f"{name} is removed")
