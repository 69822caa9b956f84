"""The verbs of the service: serve, doctor, and the journal's export."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from layerwatch.cli.app import Seed, app

journal = typer.Typer(name="journal", help="What a service has kept.", no_args_is_help=True)
app.add_typer(journal)
alarms = typer.Typer(name="alarms", help="Alarms of a service: list, acknowledge, shelve.", no_args_is_help=True)
app.add_typer(alarms)

By = Annotated[str, typer.Option(help="Who does it; the audit keeps it.")]
Comment = Annotated[str, typer.Option(help="Why.")]
Data = Annotated[Path | None, typer.Option(help="Folder of everything that the service keeps.")]
Site = Annotated[Path | None, typer.Option(help="Site file, in the place of --data: names data folder and database.")]


@app.command(
    epilog="Example: layerwatch serve --demo --speed 20 --layers 60    layerwatch serve --site site.toml    "
    "Ctrl-C or SIGTERM ends it cleanly; killed, the same command goes on where it was."
)
def serve(
    site: Annotated[Path | None, typer.Option(help="Site file: printers, cameras, models, sinks.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="A virtual printer with a defect and a sensor fault.")] = False,
    speed: Annotated[float, typer.Option(help="With --demo: times faster than real.")] = 1.0,
    layers: Annotated[int, typer.Option(help="With --demo: layers of the job.")] = 60,
    data: Data = None,
    part: Annotated[Path | None, typer.Option(help="With --demo: part file; default: the first example.")] = None,
    defect: Annotated[str, typer.Option(help="With --demo: on the shelf job.defects.")] = "agglomerate",
    fault: Annotated[str, typer.Option(help="With --demo: on the shelf job.faults.")] = "frozen",
    seed: Seed = 0,
    quiet: Annotated[bool, typer.Option("--quiet", help="Neither verdicts nor alarms on the terminal.")] = False,
    page: Annotated[str, typer.Option(help="HOST:PORT of the page; others' machines need users.")] = "127.0.0.1:8770",
    no_page: Annotated[bool, typer.Option("--no-page", help="Serve no page.")] = False,
    stay: Annotated[
        bool, typer.Option("--stay", help="With --demo: keep the page after the job, till Ctrl-C.")
    ] = False,
) -> None:
    """Inspect printers while they print: frames in, verdicts and alarms out, nothing lost."""
    from layerwatch.records import UsageError

    if demo == (site is not None):
        raise UsageError("give either --site site.toml or --demo")
    from layerwatch.journeys.page import page_of

    if site is not None:
        from layerwatch.journeys.serve_site import serve_site

        shown = None if no_page else page_of(page, None, site)
        serve_site(site, _stopping(), quiet=quiet, page=shown)
        return
    from layerwatch.journeys.bars import bars
    from layerwatch.journeys.data_place import DEFAULT
    from layerwatch.journeys.examples import example_parts
    from layerwatch.journeys.machine_choice import machine_for
    from layerwatch.journeys.serve import serve_demo
    from layerwatch.journeys.serving.virtual_plant import PlantWish

    folder, path = data or DEFAULT, part or example_parts()[0]
    shown = None if no_page else page_of(page, folder, None, stays=stay)
    machine, _ = machine_for([path], None)
    with bars() as progress:
        wish = PlantWish(path, machine, layers, seed, defect, fault)
        stop = _stopping()
        done = serve_demo(wish, folder, speed=speed, stop=stop, quiet=quiet, page=shown, progress=progress)
    print(", ".join(f"{count} {what}" for what, count in done.counts.items()))
    if done.cores:
        print("\n".join([f"cores: {done.cores}", *map(str, done.files)]))


@app.command(epilog="Example: layerwatch doctor --data layerwatch-data --json    layerwatch doctor --site site.toml")
def doctor(
    data: Data = None,
    site: Site = None,
    deep: Annotated[bool, typer.Option("--deep", help="Read every kept frame and compare its SHA-256.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Is the service's data sound, and does it move? Exits with 1 where something has failed."""
    from layerwatch.journeys.data_place import place_of
    from layerwatch.journeys.look_after import examined

    place = place_of(data, site)
    found = examined(place.folder, place.database, deep=deep, site=site)
    if as_json:
        print(
            json.dumps(
                [{"name": one.name, "state": one.word, "text": one.text, "advice": one.advice} for one in found],
                indent=1,
            )
        )
    else:
        print("\n".join(f"{one.word:4s}  {one.name}: {one.text}{one.advice and '; ' + one.advice}" for one in found))
    if any(one.word == "fail" for one in found):
        raise typer.Exit(1)


@journal.command(
    name="export", epilog="Example: layerwatch journal export --data layerwatch-data --json > journal.json"
)
def export(
    data: Data = None,
    site: Site = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON; the only form so far.")] = True,
) -> None:
    """Jobs, layers with verdicts, alarms and messages, as one JSON document on standard output."""
    from layerwatch.journeys.data_place import place_of
    from layerwatch.journeys.look_after import written

    place = place_of(data, site)
    for piece in written(place.folder, place.database):
        sys.stdout.write(piece)


@journal.command(epilog="Example: layerwatch journal backup /srv/backup --data layerwatch-data")
def backup(
    to: Annotated[Path, typer.Argument(help="Folder that the copy goes to.")],
    data: Data = None,
    site: Site = None,
) -> None:
    """Copy the database while the service runs; frames are files and are copied as files."""
    from layerwatch.journeys.data_place import place_of
    from layerwatch.journeys.look_after import backed_up

    place = place_of(data, site)
    print(backed_up(place.folder, to, place.database))


@journal.command(
    epilog="Example: layerwatch journal restore backup/journal-20260101T000000Z.db --data layerwatch-data    "
    "Stop the service before; with --force the old journal stays as journal.db.before-restore-1."
)
def restore(
    backup: Annotated[Path, typer.Argument(help="File that `journal backup` has made.")],
    data: Data = None,
    site: Site = None,
    force: Annotated[bool, typer.Option("--force", help="Move a journal that is there aside.")] = False,
) -> None:
    """Put a backup in the place of the journal, where no service runs."""
    from layerwatch.journeys.data_place import place_of
    from layerwatch.journeys.look_after import restored

    place = place_of(data, site)
    print("\n".join(restored(backup, place.folder, place.database, force=force)))


@alarms.command(name="list", epilog="Example: layerwatch alarms list --data layerwatch-data --all")
def list_alarms(
    data: Data = None,
    site: Site = None,
    every: Annotated[bool, typer.Option("--all", help="Cleared ones as well.")] = False,
) -> None:
    """The open alarms, one line each; the first word is the alarm's name."""
    from layerwatch.journeys.alarm_desk import alarms as found
    from layerwatch.journeys.data_place import place_of

    place = place_of(data, site)
    print("\n".join(one.text for one in found(place.folder, place.database, every=every)) or "no open alarm")


@alarms.command(epilog="Example: layerwatch alarms acknowledge printer-1/job-7/1 --by Kim --data layerwatch-data")
def acknowledge(alarm: str, by: By, data: Data = None, site: Site = None, comment: Comment = "") -> None:
    """Say that somebody has seen it: it is not told again as escalated."""
    from layerwatch.journeys.alarm_desk import act
    from layerwatch.journeys.data_place import place_of

    place = place_of(data, site)
    print(act(place.folder, alarm, "acknowledge", by=by, comment=comment, url=place.database).text)


@alarms.command(epilog="Example: layerwatch alarms shelve printer-1/job-7/1 --by Kim --minutes 30 --comment known")
def shelve(
    alarm: str,
    by: By,
    minutes: Annotated[float, typer.Option(min=1, max=1440, help="After which it is raised again.")] = 30,
    data: Data = None,
    site: Site = None,
    comment: Comment = "",
) -> None:
    """Put it aside for a while."""
    from layerwatch.journeys.alarm_desk import act
    from layerwatch.journeys.data_place import place_of

    place = place_of(data, site)
    print(act(place.folder, alarm, "shelve", by=by, comment=comment, minutes=minutes, url=place.database).text)


def _stopping() -> Event:
    """Set by Ctrl-C and by SIGTERM."""
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop
