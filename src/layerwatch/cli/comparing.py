"""The verb that sets detectors side by side: compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from layerwatch.cli.app import Machine, Recipe, app

Detectors = Annotated[
    list[str] | None,
    typer.Option(
        help="On the shelf, repeatable; NAME@alone: without the job's past; pca@plan_residual, pca@job_residual: of "
        "what plan or job leave."
    ),
]
Also = Annotated[
    list[Path] | None,
    typer.Option(help="Table of a detector measured elsewhere (benchmarks/peers.py); repeatable."),
]


@app.command(
    epilog="Example: layerwatch compare --parts core.stl --test-parts exhaust.stl --out results/detection.csv    "
    "layerwatch compare --quick --out quick/detection.csv"
)
def compare(
    parts: Annotated[
        list[Path] | None, typer.Option(help="Part to learn from, may be repeated; default: the first example.")
    ] = None,
    test_parts: Annotated[
        list[Path] | None, typer.Option(help="Part never learnt from, may be repeated; default: the other example.")
    ] = None,
    out: Annotated[Path, typer.Option(help="CSV file; a page and figures go beside it.")] = Path("detection.csv"),
    work: Annotated[
        Path | None, typer.Option(help="Folder of what was measured, to go on in; default: beside --out.")
    ] = None,
    detector: Detectors = None,
    recipe: Recipe = "quick",
    machine: Machine = None,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Each with jobs, fits and a line of its own.")] = 3,
    first_seed: Annotated[int, typer.Option(min=0, max=10**6, help="Others than 0, 1, ...: other jobs.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, max=10_000, help="Of each defect, severity and seed.")] = 9,
    healthy: Annotated[int, typer.Option(min=1, max=10_000, help="Jobs of a seed to count false alarms in.")] = 60,
    fit: Annotated[int, typer.Option(min=1, max=10_000, help="Healthy jobs of a seed to learn from.")] = 30,
    calibration: Annotated[int, typer.Option(min=1, max=10_000, help="Healthy jobs of a seed that set the line.")] = 59,
    shifted: Annotated[int, typer.Option(min=0, help="Healthy jobs of a seed in each of ten shifted groups.")] = 0,
    conditioned: Annotated[
        int | None, typer.Option(min=0, help="Seeds with plan errors and pollution; default: all.")
    ] = None,
    severity: Annotated[list[float] | None, typer.Option(help="May be repeated; default: 1, 2 and 4.")] = None,
    defect: Annotated[list[str] | None, typer.Option(help="On the shelf, may be repeated; default: all.")] = None,
    also: Also = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A few jobs: whether it runs, not what the figures are.")
    ] = False,
    workers: Annotated[int, typer.Option(min=0, max=1024, help="Processes; 0: one a processor. Same figures.")] = 1,
) -> None:
    """Detectors side by side on virtual jobs of parts that they never learnt from: AUROC, alarms kept, delays.

    Interrupted, the same command goes on where it was. Times are measured in this process.
    """
    from layerwatch.journeys.bars import bars
    from layerwatch.journeys.compare import Contest
    from layerwatch.journeys.compare import compare as run
    from layerwatch.journeys.comparison.amounts import Amounts
    from layerwatch.journeys.comparison.competitors import DEFAULT
    from layerwatch.journeys.examples import example_parts
    from layerwatch.journeys.machine_choice import machine_for
    from layerwatch.journeys.synthesise import crew_of

    learn, test = parts or example_parts()[:1], test_parts or example_parts()[1:]
    printer, which = machine_for([*learn, *test], machine)
    if which:
        print(which)
    amounts = Amounts(seeds, jobs, healthy, fit, calibration, shifted, first_seed=first_seed)
    amounts = (Amounts.quick() if quick else amounts).asked(severity or (), defect or (), conditioned)
    place = work or out.with_name(f".{out.stem}.work")
    contest = Contest(
        tuple(learn), tuple(test), out, place, tuple(detector or DEFAULT), recipe, tuple(also or ()), amounts
    )
    with bars() as progress:
        done = run(contest, printer, crew=crew_of("processes", workers), progress=progress)
    print("\n".join([*done.said, *map(str, done.files)]))
