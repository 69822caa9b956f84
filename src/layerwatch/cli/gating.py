"""The verb that measures the gate for frames: gate-table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from layerwatch import catalogue
from layerwatch.cli.app import Machine, Seed, app


@app.command(
    name="gate-table",
    epilog="Example: layerwatch gate-table --part core.stl --other exhaust.stl --out results/gate.csv    Faults: "
    + ", ".join(catalogue.names("images.gate")),
)
def gate_table(
    part: Annotated[Path, typer.Option(help="STL, 3MF or layer file, printed to learn from and to judge.")],
    out: Annotated[Path, typer.Option(help="CSV file: fault, strength, detected, named, n.")] = Path("gate.csv"),
    other: Annotated[Path | None, typer.Option(help="Another part, whose false faults are counted apart.")] = None,
    machine: Machine = None,
    preset: Annotated[list[str] | None, typer.Option(help="paper, physical; may be repeated; default: both.")] = None,
    learn: Annotated[int, typer.Option(min=8, max=10_000, help="Healthy jobs of each preset to learn from.")] = 60,
    healthy: Annotated[int, typer.Option(min=1, max=10_000, help="Healthy jobs of each preset to judge.")] = 60,
    spoiled: Annotated[int, typer.Option(min=1, max=1000, help="Jobs of each preset, fault and strength.")] = 8,
    defective: Annotated[int, typer.Option(min=1, max=1000, help="Jobs of each preset, defect and severity.")] = 3,
    layers: Annotated[int, typer.Option(min=4, max=10_000, help="Layers of each job.")] = 25,
    workers: Annotated[int, typer.Option(min=0, max=1024, help="Processes; 0: one a processor. Same figures.")] = 0,
    seed: Seed = 0,
) -> None:
    """How well the gate tells faults of frames by kind and strength, and from defects: a table of virtual jobs."""
    from layerwatch.journeys.bars import bars
    from layerwatch.journeys.gate_table import Amounts, lines_of, write_table
    from layerwatch.journeys.gate_table import gate_table as run
    from layerwatch.journeys.machine_choice import machine_for
    from layerwatch.journeys.synthesise import crew_of

    printer, which = machine_for([part, *([other] if other else [])], machine)
    if which:
        print(which)
    amounts = Amounts(learn, healthy, spoiled, defective, layers, seed=seed)
    if preset:
        from dataclasses import replace

        amounts = replace(amounts, presets=tuple(preset))
    with bars() as progress:
        rows = run(part, printer, amounts, other=other, crew=crew_of("processes", workers), progress=progress)
    write_table(rows, out)
    print("\n".join([*lines_of(rows), str(out)]))
