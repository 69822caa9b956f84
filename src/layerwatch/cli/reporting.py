"""The verb that writes a job's build report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from layerwatch.cli.app import app


@app.command(
    epilog="Example: layerwatch report job-7 --out job-7.pdf --data layerwatch-data    "
    "layerwatch report job-7 --out job-7.html --site site.toml --printer printer-1"
)
def report(
    job: Annotated[str, typer.Argument(help="Name of the job in the journal.")],
    out: Annotated[Path, typer.Option(help="File: .pdf, .html, .csv, .json or .h5 (Peregrine's layout).")],
    data: Annotated[Path | None, typer.Option(help="Folder of everything that the service keeps.")] = None,
    site: Annotated[Path | None, typer.Option(help="Site file, in the place of --data.")] = None,
    printer: Annotated[str, typer.Option(help="Where several printers have a job of that name.")] = "",
) -> None:
    """Write the build report of a job: layers, defects, faults, model, and the SHA-256 of every frame."""
    from layerwatch.journeys.build_report import build_report

    print(build_report(job, out, data=data, site=site, printer=printer).text)
