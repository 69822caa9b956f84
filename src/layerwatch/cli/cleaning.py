"""The verb that makes an archive of a history of frames: clean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from layerwatch.cli.app import app


@app.command(
    epilog="Example: layerwatch clean old-jobs --pattern '{job}/L{layer}' --span 20 60 --mm-per-px 3.75    "
    "layerwatch clean old-jobs --gate history/gate --out more    The archive feeds `ranges` and `train`."
)
def clean(
    folder: Annotated[Path, typer.Argument(help="Old jobs as image files, at any depth; it is only read.")],
    out: Annotated[Path, typer.Option(help="Archive of the usable layers, with clean.json and faults.png.")] = Path(
        "history"
    ),
    pattern: Annotated[
        str,
        typer.Option(
            help="How paths tell the frame: {printer} {job} {layer} {phase} {time:%Y%m%d}; sidecars win, tags last."
        ),
    ] = "{job}/{layer}",
    scale: Annotated[str | None, typer.Option(help="What counts mean, as in `layerwatch read`.")] = None,
    span: Annotated[tuple[float, float] | None, typer.Option(help="degC at grey 0 and 1; else 20 and 60.")] = None,
    mm_per_px: Annotated[float, typer.Option(min=1e-3, max=999.0, help="Size of a pixel on the bed.")] = 1.0,
    layer_height: Annotated[float, typer.Option(min=1e-4, max=100.0, help="mm.")] = 0.3,
    gate: Annotated[Path | None, typer.Option(help="Folder of a gate learnt before; else it learns here.")] = None,
    sample: Annotated[int, typer.Option(min=40, help="Frames of the history that the gate learns from.")] = 600,
) -> None:
    """Report the faults of an unlabelled history, and keep the usable layers as an archive."""
    from layerwatch.journeys.bars import bars
    from layerwatch.journeys.clean import Cleaning
    from layerwatch.journeys.clean import clean as run

    wish = Cleaning(pattern, scale, span, mm_per_px, layer_height, gate, sample)
    with bars() as progress:
        found = run(folder, out, wish, progress=progress)
    print("\n".join(found.lines))
    if span is None:
        print("no --span was given: greys are taken as 20 to 60 degC")
    print(f"all faults: {out / 'clean.json'}   pictures: {out / 'faults.png'}   archive: {out}")
