"""The verbs of the running inspector, and what there is: inspect, demo, list."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from layerwatch import catalogue
from layerwatch.cli.app import Rate, Recipe, Seed, app


@app.command(
    epilog="Example: layerwatch inspect frames --plans plans --model model --mm-per-px 3.75 --out verdicts.jsonl    "
    "layerwatch inspect camera --model model --gate history/gate --scale mono14-40mK --span 20 60"
)
def inspect(
    frames: Annotated[
        Path, typer.Argument(help="Folder of one job's image files, one a layer, or of jobs, one a sub-folder.")
    ],
    model: Annotated[Path, typer.Option(help="A model that `layerwatch train` wrote.")],
    plans: Annotated[Path | None, typer.Option(help="Folder of nominal masks with the names of the frames.")] = None,
    mm_per_px: Annotated[float | None, typer.Option(help="Size of a pixel; default: as in the training.")] = None,
    job: Annotated[str, typer.Option(help="Name of the one job that all frames are of; default: the folders'.")] = "",
    gate: Annotated[
        Path | None, typer.Option(help="Folder of a gate; default: the model's own, else a plain one.")
    ] = None,
    no_gate: Annotated[bool, typer.Option("--no-gate", help="Ask the detector whatever a frame looks like.")] = False,
    scale: Annotated[str | None, typer.Option(help="What counts mean, as in `layerwatch read`.")] = None,
    span: Annotated[tuple[float, float] | None, typer.Option(help="degC at grey 0 and 1, as in the training.")] = None,
    pattern: Annotated[str | None, typer.Option(help="Of the frames' names, such as {layer}_v2.")] = None,
    false_alarm_rate: Rate = 0.01,
    out: Annotated[Path | None, typer.Option(help="File of JSON lines, one a verdict.")] = None,
    fail_on_nok: Annotated[bool, typer.Option("--fail-on-nok", help="Exit with 3 if a layer is NOK.")] = False,
) -> None:
    """Judge a job layer by layer: OK, NOK with places in mm, or FAULT with the reason why it cannot be judged.

    Each sub-folder is followed as a job of its own, unless --job names one for all. The gate looks at each frame
    first; one with a fault never reaches the detector. The exit code is 0 whatever the verdicts, also of FAULT.
    """
    from layerwatch.journeys.gates import gate_for
    from layerwatch.journeys.inspect import Frames, tally
    from layerwatch.journeys.inspect import inspect as run
    from layerwatch.journeys.train import load_stored

    stored = load_stored(model)
    given = Frames(frames, plans, mm_per_px, job, span, scale, pattern)
    chosen = gate_for(model, stored, gate, wanted=not no_gate)
    inputs = [model, *([gate] if gate else [])]
    judged = run(given, stored, false_alarm_rate, out, gate=chosen.gate, inputs=inputs)
    print(f"{tally(judged)}; gate: {chosen.story}")
    if not given.is_scaled(stored):
        print("the size of a pixel is not known, so places are in pixels, not mm; give --mm-per-px", file=sys.stderr)
    if fail_on_nok and any(one.verdict.word == "NOK" for one in judged):
        raise typer.Exit(3)


@app.command(epilog="Example: layerwatch demo --out demo --seed 1")
def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything; an interrupted demo goes on in it.")] = Path("demo"),
    part: Annotated[list[Path] | None, typer.Option(help="STL file, may be repeated; default: the examples.")] = None,
    recipe: Recipe = "quick",
    seed: Seed = 0,
) -> None:
    """The whole street on real parts: STL, virtual layers, trained detectors, an inspected job, a report."""
    from layerwatch.journeys.bars import bars
    from layerwatch.journeys.demo import demo as run

    with bars() as progress:
        summary = run(out, part or (), recipe, seed, progress, workers=0)
    print("\n".join(summary.lines))


@app.command(name="list", epilog="Example: layerwatch list job.defects")
def list_(
    shelf: Annotated[
        str | None, typer.Argument(help=f"One of: {', '.join(catalogue.shelves())}; default: all.")
    ] = None,
) -> None:
    """What there is on each shelf, such as job.defects, detectors or images.exports."""
    for one in [shelf] if shelf else catalogue.shelves():
        print(one)
        for name in catalogue.names(one):
            print(f"  {name:20s} {catalogue.caption(one, name)}")
