"""The verbs for real frames: read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from layerwatch.cli.app import app


@app.command(
    epilog="Example: layerwatch read shot.jpg --json    "
    "layerwatch read frame.tiff --scale mono14-40mK    "
    'layerwatch read P1_core_L00012_printed_20260102T030405.png --pattern "{printer}_{job}_L{layer}_{phase}_{time}"    '
    "layerwatch read shot.jpg --span 20 60 --out frame.tiff"
)
def read(
    file: Annotated[Path, typer.Argument(help="PNG, TIFF, JPEG (also radiometric ones), .npy or Peregrine HDF5.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    pattern: Annotated[
        str | None, typer.Option(help="How the path tells the frame: {printer} {job} {layer} {phase} {time:%Y%m%d}.")
    ] = None,
    scale: Annotated[
        str | None,
        typer.Option(
            help="What counts mean: mono16-10mK, mono16-100mK, mono14-40mK, mono14-400mK, float-degC, float-K."
        ),
    ] = None,
    page: Annotated[int, typer.Option(min=0, help="Which picture of a file of many.")] = 0,
    span: Annotated[tuple[float, float] | None, typer.Option(help="degC at the darkest and brightest level.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the picture as a 16-bit TIFF frame.")] = None,
) -> None:
    """Say what an image file holds and which frame it is, or why it is refused (then the exit code is 1)."""
    from layerwatch.journeys.read import Question
    from layerwatch.journeys.read import read as run

    answer = run(file, Question(pattern, scale, page, span, out))
    print(answer.as_json() if as_json else "\n".join(answer.lines))
    if answer.refused:
        raise typer.Exit(1)
