"""The command line -> one journey a verb; every heavy import waits until its verb is called."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from layerwatch import __version__, catalogue

app = typer.Typer(
    name="layerwatch",
    help="From the CAD file of a part to a running layer inspector, with no defective part and no label needed.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: layerwatch demo --out demo    Exit codes: 0 done, 1 unusable data, 2 wrong call, "
    "3 a layer is NOK (with --fail-on-nok), 130 interrupted.",
)

Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")]
Machine = Annotated[Path | None, typer.Option(help="Machine file in TOML; default: a sand binder jetting machine.")]
Unit = Annotated[str | None, typer.Option(help="Unit of the part file: mm, inch, m, cm, micron, foot.")]
Rate = Annotated[float, typer.Option(help="Promised share of false alarms among healthy layers.")]
Good = Annotated[list[str] | None, typer.Option(help="Name of a sub-folder of healthy images; may be repeated.")]
Recipe = Annotated[str, typer.Option(help="Sizes and schedules: quick.")]


def main() -> None:
    """Run the command line; errors of the user's making are one line, never a traceback."""
    try:
        code = app(standalone_mode=False)
    except KeyboardInterrupt:
        code = _told(typer.Abort())
    except Exception as error:
        code = _told(error)
    sys.exit(code if isinstance(code, int) else 0)


def _told(error: Exception) -> int:
    """Print what went wrong; returns the exit code."""
    from layerwatch.records import DataError, UsageError

    if isinstance(error, typer.Abort):
        print("layerwatch: interrupted; run the same command again to go on where it was", file=sys.stderr)
        return 130
    if type(error).__name__ == "NoArgsIsHelpError":
        print(error.format_message())  # type: ignore[attr-defined] # an error of the command line parser
        return 2
    if hasattr(error, "format_message"):
        text, code = error.format_message(), 2
    elif isinstance(error, (DataError, UsageError)):
        text, code = str(error), 1 if isinstance(error, DataError) else 2
    else:
        raise error
    print(f"layerwatch: {' '.join(text.split())}", file=sys.stderr)
    return code


def _version(wanted: bool | None) -> None:
    if wanted:
        print(f"layerwatch {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool | None, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")
    ] = None,
) -> None:
    pass


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
    from layerwatch.journeys.files import machine_for
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
    severity: Annotated[float, typer.Option(help="Of each defect: detectability d' / 10; 4 is plainly visible.")] = 4.0,
    preset: Annotated[str, typer.Option(help="How heat and camera are modelled: paper, physical.")] = "paper",
    ranges: Annotated[Path | None, typer.Option(help="Intervals learnt by `layerwatch ranges`, in TOML.")] = None,
    variability: Annotated[float, typer.Option(help="Width of all intervals: 0 all jobs alike, 1 the preset's.")] = 1.0,
    defect: Annotated[list[str] | None, typer.Option(help="Which defects, may be repeated; default: all.")] = None,
    fault: Annotated[list[str] | None, typer.Option(help="Which faults, may be repeated; default: all.")] = None,
    faulty: Annotated[int, typer.Option(min=0, max=100_000, help="Jobs of each fault, below faults/.")] = 0,
    unit: Unit = None,
    workers: Annotated[int, typer.Option(min=0, max=1024, help="Processes; 0: one a processor. Same bytes.")] = 0,
    crew: Annotated[str, typer.Option(help=f"Who prints: {', '.join(catalogue.names('crew'))}.")] = "processes",
    seed: Seed = 0,
) -> None:
    """Print virtual jobs of a part: infrared frames with plans and truth, healthy and with each defect."""
    from layerwatch.journeys.bars import bars
    from layerwatch.journeys.files import machine_for, open_ranges
    from layerwatch.journeys.synthesise import Wish, crew_of
    from layerwatch.journeys.synthesise import synthesise as run

    if bool(part) == bool(layout):
        raise typer.BadParameter("give either --part or --layout", param_hint="--part")
    faults, count = tuple(fault or ()), max(faulty, 1 if fault else 0)
    learnt, defects = open_ranges(ranges, preset), tuple(defect or ())
    wish = Wish(jobs, defective, layers, severity, preset, seed, defects, variability, learnt, count, faults)
    printer, which = machine_for(part or (), machine, unit)
    said, team = [which] if which else [], crew_of(crew, workers)
    with bars() as told:
        run_it = partial(run, part or (), out, printer, wish, unit=unit, layout=layout)
        archive = run_it(crew=team, progress=told, say=said.append)
    print("\n".join(said))
    spoiled = f", {wish.faulty} jobs of each fault" if wish.faulty else ""
    print(f"{len(archive.jobs)} jobs, {sum(map(len, archive.layers.values()))} layers{spoiled}: {out}")


@app.command(
    epilog="Example: layerwatch train archive --detector plan_residual --out model    Detectors: "
    + ", ".join(catalogue.names("detectors"))
)
def train(
    data: Annotated[Path, typer.Argument(help="An archive, or a folder of healthy images (PNG, TIFF, JPEG).")],
    detector: Annotated[str, typer.Option(help="Its name; plan_residual needs an archive with plans.")] = "fanogan",
    out: Annotated[Path | None, typer.Option(help="Folder of the model; default: model-DETECTOR.")] = None,
    recipe: Recipe = "quick",
    good: Good = None,
    calibration: Annotated[float, typer.Option(help="Share of the healthy jobs kept for the threshold.")] = 0.25,
    resume: Annotated[bool, typer.Option(help="Go on with an interrupted training of the same data.")] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model that is there already.")] = False,
    seed: Seed = 0,
) -> None:
    """Train a detector on healthy images only, and calibrate it on others."""
    from layerwatch.journeys.bars import bars
    from layerwatch.journeys.sources import healthy_images
    from layerwatch.journeys.train import Training, check_target
    from layerwatch.journeys.train import train as run

    target = out or Path(f"model-{detector}")
    training = Training.named(detector, recipe, seed, resume=resume)
    check_target(target, overwrite=overwrite)
    with bars() as progress:
        healthy = healthy_images(data, good=good or (), calibration=calibration, seed=seed, progress=progress)
        run(healthy, training, target, data=data.name, overwrite=overwrite, progress=progress)
    least = 1 / (len(healthy.calibration) + 1)
    print(f"{detector}: fitted to {len(healthy.fit)} images, calibrated on {len(healthy.calibration)}: {target}")
    print(f"the model can promise false-alarm rates of {least:.2g} and more (--false-alarm-rate)")


@app.command(epilog="Example: layerwatch evaluate model images/test --good good --out results.json")
def evaluate(
    model: Annotated[Path, typer.Argument(help="A model that `layerwatch train` wrote.")],
    data: Annotated[Path, typer.Argument(help="An archive, or a folder with one sub-folder a class.")],
    false_alarm_rate: Rate = 0.01,
    out: Annotated[Path | None, typer.Option(help="JSON file for the figures.")] = None,
    good: Good = None,
    seed: Seed = 0,
) -> None:
    """AUROC per class with 95 % intervals, and the rate of false alarms, on images that the model has not seen."""
    from layerwatch.journeys.bars import bars
    from layerwatch.journeys.evaluate import evaluate as run
    from layerwatch.journeys.evaluate import save_evaluation, score, unseen
    from layerwatch.journeys.files import check_result
    from layerwatch.journeys.sources import labelled_images
    from layerwatch.journeys.summary import evaluation_lines
    from layerwatch.journeys.train import judge_of, load_stored

    stored = load_stored(model)
    if out is not None:
        check_result(out, [model, data])
    with bars() as progress:
        found = labelled_images(data, good=good or (), progress=progress)
        judge_of(stored, false_alarm_rate)
        fresh = unseen(found, stored)
        figures = run(score(stored.name, stored, fresh, progress=progress), stored, false_alarm_rate, seed=seed)
    print("\n".join(evaluation_lines(figures, left_out=len(found.images) - len(fresh.images))))
    if out is not None:
        save_evaluation(out, figures, {"model_sha256": stored.sha256, "data": data.name, "seed": seed})


@app.command(
    epilog="Example: layerwatch inspect frames --plans plans --model model --mm-per-px 3.75 --out verdicts.jsonl"
)
def inspect(
    frames: Annotated[Path, typer.Argument(help="Folder of image files, one a layer.")],
    model: Annotated[Path, typer.Option(help="A model that `layerwatch train` wrote.")],
    plans: Annotated[Path | None, typer.Option(help="Folder of nominal masks with the names of the frames.")] = None,
    mm_per_px: Annotated[float | None, typer.Option(help="Size of a pixel; default: as in the training.")] = None,
    job: Annotated[str, typer.Option(help="Name of the job; default: the folder's.")] = "",
    false_alarm_rate: Rate = 0.01,
    out: Annotated[Path | None, typer.Option(help="File of JSON lines, one a verdict.")] = None,
    fail_on_nok: Annotated[bool, typer.Option("--fail-on-nok", help="Exit with 3 if a layer is NOK.")] = False,
) -> None:
    """Judge a job layer by layer: OK, NOK with places in mm, or FAULT with the reason why it cannot be judged."""
    from layerwatch.journeys.inspect import Frames, tally
    from layerwatch.journeys.inspect import inspect as run
    from layerwatch.journeys.train import load_stored

    stored = load_stored(model)
    given = Frames(frames, plans, mm_per_px, job)
    judged = run(given, stored, false_alarm_rate, out, inputs=[model])
    print(tally(judged))
    if not given.is_scaled(stored):
        print("the size of a pixel is not known, so places are in pixels, not mm; give --mm-per-px", file=sys.stderr)
    if fail_on_nok and any(one.verdict.word == "NOK" for one in judged):
        raise typer.Exit(3)


@app.command(epilog="Example: layerwatch export archive --to mvtec --out mvtec")
def export(
    archive: Annotated[Path, typer.Argument(help="An archive that `layerwatch synthesise` wrote.")],
    to: Annotated[str, typer.Option(help=f"One of: {', '.join(catalogue.names('images.exports'))}.")] = "mvtec",
    out: Annotated[Path | None, typer.Option(help="Folder; default: the name of the form.")] = None,
) -> None:
    """Write an archive in the form that another program reads."""
    from layerwatch.journeys.bars import bars
    from layerwatch.journeys.export import export as run

    target = out or Path(to)
    with bars() as progress:
        done = run(archive, to, target, progress=progress)
    print(f"{done.images} images: {target} (left out: {done.left_out or 'nothing'})")


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


@app.command(epilog="Example: layerwatch machine > mine.toml    layerwatch machine tilted_camera > mine.toml")
def machine(
    name: Annotated[str, typer.Argument(help="Of a shipped machine file.")] = "sand_binder_jetting",
) -> None:
    """Print a shipped machine file, to be changed and given with --machine."""
    from layerwatch.journeys.files import shipped_text

    print(shipped_text(name), end="")


@app.command(epilog="Example: layerwatch ranges frames --plans plans --mm-per-px 3.75 --span 20 60 --out ranges")
def ranges(
    frames: Annotated[Path, typer.Argument(help="An archive, or a folder of layer images; sub-folders are jobs.")],
    plans: Annotated[Path | None, typer.Option(help="Folder of nominal masks with the names of the frames.")] = None,
    preset: Annotated[str, typer.Option(help="Whose intervals are learnt: paper, physical.")] = "paper",
    machine: Machine = None,
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

    given, lesson = given_by(frames, plans, mm_per_px, span, machine), Lesson(preset, sample, seed, by)
    with bars() as told:
        sides = (labelled_real, labelled_synthetic)
        order = rank_agreement(model or (), *sides, good=good or (), seed=seed, progress=told)
        found = study(given, out, lesson, against=against, agreement=order, progress=told)
    print("\n".join([*found.lines, f"{out}/ranges.toml, ranges.json, report.html"]))


@app.command(name="list", epilog="Example: layerwatch list job.defects")
def list_(shelf: Annotated[str | None, typer.Argument(help="Name of a shelf; default: all.")] = None) -> None:
    """What there is on each shelf: defects, detectors, clusters, readers, cameras, sinks, formats, exports."""
    for one in [shelf] if shelf else catalogue.shelves():
        print(one)
        for name in catalogue.names(one):
            print(f"  {name:20s} {catalogue.caption(one, name)}")


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
    from layerwatch.journeys.files import open_machine

    with bars() as progress:
        files = run(part, out, open_machine(machine), preset=preset, seed=seed, unit=unit, progress=progress)
    print("\n".join(map(str, files)))
