"""The verbs that make layers and images: slice, synthesise, ranges, contact-sheet, export, machine."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from layerwatch import catalogue
from layerwatch.cli.app import Good, Machine, Seed, Unit, app

_SEVERITY = (
    "Of each defect: detectability d' / 10. 4: a matched filter finds it surely; large faint ones are still invisible "
    "to the eye."
)


@app.command(
    name="slice",
    epilog="Example: layerwatch slice part.stl --layer-height 0.3 --out layers    "
    "layerwatch slice part.stl --format masks --mm-per-px 0.5    layerwatch slice sliced.3mf --format cli",
)
def slice_(
    part: Annotated[Path, typer.Argument(help="STL, 3MF; or layers to write anew: SVG, CLI, SL1, a folder of SVG.")],
    out: Annotated[Path | None, typer.Option(help="Folder; default: the part's name with -layers.")] = None,
    layer_height: Annotated[float | None, typer.Option(help="mm; default: the machine's.")] = None,
    unit: Unit = None,
    machine: Machine = None,
    form: Annotated[str, typer.Option("--format", help="Of the layers: svg, svgz, cli, masks.")] = "svg",
    per_layer: Annotated[bool, typer.Option("--per-layer", help="One SVG a layer, all in the same frame.")] = False,
    mm_per_px: Annotated[float | None, typer.Option(help="Pixel of masks; default: the machine's.")] = None,
) -> None:
    """Write the layers of a part, and slice.json with height, area, contours and leaks of each."""
    from layerwatch.journeys.bars import bars
    from layerwatch.journeys.machine_choice import machine_for
    from layerwatch.journeys.slice import Writing, layers_said, slice_to_files

    target, (printer, which) = out or Path(f"{part.stem}-layers"), machine_for([part], machine, unit)
    writing = Writing(form, per_layer, mm_per_px)
    with bars() as progress:
        done = slice_to_files(part, target, printer, writing, layer_height=layer_height, unit=unit, progress=progress)
    print("\n".join([which, *done.said] if which else done.said))
    print(f"{layers_said(done.layers)}: {', '.join(map(str, done.files))}")


@app.command(
    epilog="Example: layerwatch synthesise --part part.stl --jobs 200 --defective 20 --out archive    "
    "layerwatch synthesise --layout job.toml --layers 300 --jobs 10 --preset physical --out archive    "
    'A layout holds one line a copy: [[part]] file = "core.stl", x = 40.0, y = 60.0, turn = 90.0, scale = 1.0'
)
def synthesise(
    part: Annotated[
        list[Path] | None, typer.Option(help="STL, 3MF or layer file (see slice); repeat it to print several in turn.")
    ] = None,
    layout: Annotated[
        Path | None, typer.Option(help="Job layout in TOML instead of --part: copies with places.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the archive.")] = Path("archive"),
    machine: Machine = None,
    jobs: Annotated[int, typer.Option(min=0, max=1_000_000, help="Healthy jobs.")] = 60,
    defective: Annotated[int, typer.Option(min=0, max=100_000, help="Jobs of each defect.")] = 4,
    layers: Annotated[int, typer.Option(min=1, max=200_000, help="Layers of each job.")] = 10,
    severity: Annotated[float, typer.Option(help=_SEVERITY)] = 4.0,
    preset: Annotated[str, typer.Option(help="How heat and camera are modelled: paper, physical.")] = "paper",
    ranges: Annotated[Path | None, typer.Option(help="Intervals learnt by `layerwatch ranges`, in TOML.")] = None,
    variability: Annotated[float, typer.Option(help="Width of all intervals: 0 all jobs alike, 1 the preset's.")] = 1.0,
    defect: Annotated[list[str] | None, typer.Option(help="Which defects, may be repeated; default: all.")] = None,
    fault: Annotated[list[str] | None, typer.Option(help="Which faults, may be repeated; default: all.")] = None,
    faulty: Annotated[
        int, typer.Option(min=0, max=100_000, help="Jobs of each fault, below faults/; with --fault at least 1.")
    ] = 0,
    unit: Unit = None,
    workers: Annotated[int, typer.Option(min=0, max=1024, help="Processes; 0: one a processor. Same bytes.")] = 0,
    crew: Annotated[str, typer.Option(help=f"Who prints: {', '.join(catalogue.names('crew'))}.")] = "processes",
    seed: Seed = 0,
) -> None:
    """Print virtual jobs of a part: infrared frames with plans and truth, healthy and with each defect."""
    from layerwatch.journeys.bars import bars
    from layerwatch.journeys.files import open_ranges
    from layerwatch.journeys.machine_choice import machine_for
    from layerwatch.journeys.synthesise import Wish, crew_of
    from layerwatch.journeys.synthesise import synthesise as run
    from layerwatch.records import counted

    if bool(part) == bool(layout):
        raise typer.BadParameter(
            "give either --part FILE.stl, as often as there are parts, or --layout FILE", param_hint="--part"
        )
    faults, count = tuple(fault or ()), max(faulty, 1 if fault else 0)
    learnt, defects = open_ranges(ranges, preset), tuple(defect or ())
    wish = Wish(jobs, defective, layers, severity, preset, seed, defects, variability, learnt, count, faults)
    printer, which = machine_for(part or (), machine, unit)
    team, say = crew_of(crew, workers), partial(print, flush=True)
    if which:
        say(which)
    with bars() as told:
        run_it = partial(run, part or (), out, printer, wish, unit=unit, layout=layout)
        archive = run_it(crew=team, progress=told, say=say)
    spoiled = f", {counted(wish.faulty, 'job')} of each fault" if wish.faulty else ""
    layers_ = counted(sum(map(len, archive.layers.values())), "layer")
    print(f"{counted(len(archive.jobs), 'job')}, {layers_}{spoiled}: {out}")


@app.command(epilog="Example: layerwatch ranges frames --plans plans --mm-per-px 3.75 --span 20 60 --out ranges")
def ranges(
    frames: Annotated[Path, typer.Argument(help="An archive, or a folder of layer images; sub-folders are jobs.")],
    plans: Annotated[Path | None, typer.Option(help="Folder of nominal masks with the names of the frames.")] = None,
    preset: Annotated[str, typer.Option(help="Whose intervals are learnt: paper, physical.")] = "paper",
    machine: Annotated[Path | None, typer.Option(help="Machine file in TOML; default: sand_binder_jetting.")] = None,
    mm_per_px: Annotated[float | None, typer.Option(help="Size of a pixel on the bed.")] = None,
    span: Annotated[tuple[float, float] | None, typer.Option(help="degC at the darkest and brightest grey.")] = None,
    sample: Annotated[int, typer.Option(help="Layers measured, in random runs of consecutive ones.")] = 200,
    by: Annotated[str, typer.Option(help="Ends of the intervals: minmax (the paper's), percentiles.")] = "minmax",
    out: Annotated[Path, typer.Option(help="Folder for ranges.toml, ranges.json, report.html.")] = Path("ranges"),
    against: Annotated[Path | None, typer.Option(help="Archive of synthetic layers to hold against them.")] = None,
    model: Annotated[list[Path] | None, typer.Option(help="Trained models whose order is compared; repeat it.")] = None,
    labelled_real: Annotated[Path | None, typer.Option(help="Real images with classes, for --model.")] = None,
    labelled_synthetic: Annotated[Path | None, typer.Option(help="Synthetic ones, for --model.")] = None,
    good: Good = None,
    seed: Seed = 0,
) -> None:
    """Learn the intervals of domain randomisation from real layers; report real against synthetic ones."""
    from layerwatch.journeys.bars import bars
    from layerwatch.journeys.ranges import Lesson, given_by, rank_agreement, study

    given, lesson = given_by(frames, plans, mm_per_px, span, machine, good or ()), Lesson(preset, sample, seed, by)
    with bars() as told:
        sides = (labelled_real, labelled_synthetic)
        order = rank_agreement(model or (), *sides, good=good or (), seed=seed, progress=told)
        found = study(given, out, lesson, against=against, agreement=order, progress=told)
    print("\n".join([*found.lines, f"{out}/ranges.toml, ranges.json, report.html"]))


@app.command(name="contact-sheet", epilog="Example: layerwatch contact-sheet --part part.stl --out sheets")
def contact_sheet(
    part: Annotated[Path, typer.Option(help="STL or 3MF file.")],
    out: Annotated[Path, typer.Option(help="Folder for defects.png, faults.png and layers.png.")] = Path("sheets"),
    machine: Machine = None,
    preset: Annotated[str, typer.Option(help="How heat and camera are modelled: paper, physical.")] = "paper",
    unit: Unit = None,
    seed: Seed = 0,
) -> None:
    """Draw everything that can be printed: defects by severity, faults of frames, healthy layers by height."""
    from layerwatch.journeys.bars import bars
    from layerwatch.journeys.contact_sheet import contact_sheet as run
    from layerwatch.journeys.machine_choice import machine_for

    printer, which = machine_for([part], machine, unit)
    if which:
        print(which)
    with bars() as progress:
        files = run(part, out, printer, preset=preset, seed=seed, unit=unit, progress=progress)
    print("\n".join(map(str, files)))


@app.command(epilog="Example: layerwatch export archive --to mvtec --out mvtec")
def export(
    archive: Annotated[Path, typer.Argument(help="An archive that `layerwatch synthesise` wrote.")],
    to: Annotated[str, typer.Option(help=f"One of: {', '.join(catalogue.names('images.exports'))}.")] = "mvtec",
    out: Annotated[Path | None, typer.Option(help="Folder; default: the name of the form.")] = None,
) -> None:
    """Write an archive in the form that another program reads."""
    from layerwatch.journeys.bars import bars
    from layerwatch.journeys.export import export as run
    from layerwatch.records import counted

    target = out or Path(to)
    with bars() as progress:
        done = run(archive, to, target, progress=progress)
    print(f"{counted(done.images, 'image')}: {target} (left out: {done.left_out or 'nothing'})")


@app.command(epilog="Example: layerwatch machine > mine.toml    layerwatch machine tilted_camera > mine.toml")
def machine(
    name: Annotated[str, typer.Argument(help="Of a shipped machine file.")] = "sand_binder_jetting",
) -> None:
    """Print a shipped machine file, to be changed and given with --machine."""
    from layerwatch.journeys.files import shipped_text

    print(shipped_text(name), end="")
