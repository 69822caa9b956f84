"""The verbs that train and judge detectors: train, evaluate, models."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from layerwatch import catalogue
from layerwatch.cli.app import Good, Rate, Recipe, Seed, app


@app.command(
    epilog="Example: layerwatch train archive --detector plan_residual --out model    "
    "layerwatch train archive --recipe cpu --set gan_steps=12000 --set precision=bf16 --out long    "
    "layerwatch train archive --set help --out model    (tells all names with their values)    Detectors: "
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
    device: Annotated[str, typer.Option(help="Where networks run: auto (a GPU if there is one), cpu, cuda.")] = "auto",
    also: Annotated[Path | None, typer.Option(help="Synthetic healthy images to learn from as well.")] = None,
    share: Annotated[float, typer.Option(help="Share of them among all that is learnt, with --also; 1: all.")] = 0.5,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE instead of the recipe's; may be repeated.")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Train a detector on healthy images only, and calibrate it on others."""
    from layerwatch.journeys.bars import bars
    from layerwatch.journeys.gates import gate_beside
    from layerwatch.journeys.mixture import mixed
    from layerwatch.journeys.sources import healthy_images
    from layerwatch.journeys.train import Training, check_target
    from layerwatch.journeys.train import train as run
    from layerwatch.records import counted

    target = out or Path(f"model-{detector}")
    changes = [*(change or ()), *([f"device={device}"] if device != "auto" else ())]
    training = Training.named(detector, recipe, seed, resume=resume, changes=changes)
    check_target(target, overwrite=overwrite)
    with bars() as progress:
        healthy = healthy_images(data, good=good or (), calibration=calibration, seed=seed, progress=progress)
        beside = gate_beside(data, healthy)
        if also is not None:
            healthy = mixed(healthy, healthy_images(also, seed=seed, progress=progress), share, seed=seed)
        source = data.name if also is None else f"{data.name}, {share:g} {also.name}"
        run(healthy, training, target, data=source, gate=beside.gate, overwrite=overwrite, progress=progress)
    least = 1 / (len(healthy.calibration) + 1)
    many = counted(len(healthy.fit), "image")
    print(f"{detector}: fitted to {many}, calibrated on {len(healthy.calibration)}: {target}")
    print(f"gate for the frames to be judged: {beside.story}")
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


@app.command(epilog="Example: layerwatch models")
def models() -> None:
    """Detectors, and the networks of the paper's Table 1 with their trainable parameters."""
    from layerwatch.journeys.models import model_lines

    print("\n".join(model_lines()))


@app.command(epilog="Example: layerwatch generators archive model-wgan model-dcgan --out figure5.png")
def generators(
    data: Annotated[Path, typer.Argument(help="An archive, or a folder of healthy images.")],
    model: Annotated[list[Path], typer.Argument(help="Models with a generator: fanogan, anogan.")],
    out: Annotated[Path, typer.Option(help="Picture; the figures go beside it as JSON.")] = Path("generators.png"),
    images: Annotated[int, typer.Option(min=32, max=4096, help="How many of each are compared.")] = 256,
    good: Good = None,
    seed: Seed = 0,
) -> None:
    """Do generators cover the real images, or have they collapsed? Pictures, spread, recall, nearest images."""
    from layerwatch.journeys.bars import bars
    from layerwatch.journeys.generators import compare_generators

    with bars() as progress:
        lines = compare_generators(data, model, out, count=images, good=good or (), seed=seed, progress=progress)
    print("\n".join(lines))


@app.command(
    name="compile", epilog="Example: layerwatch compile model --runtime openvino --precision bf16 --out model-openvino"
)
def compile_(
    model: Annotated[Path, typer.Argument(help="A model of fanogan that `layerwatch train` wrote.")],
    runtime: Annotated[str, typer.Option(help=f"One of: {', '.join(catalogue.names('detectors.runtimes'))}.")],
    out: Annotated[Path | None, typer.Option(help="Folder; default: the model's name with the runtime's.")] = None,
    precision: Annotated[str, typer.Option(help="fp32, or bf16 where runtime and processor can.")] = "fp32",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model that is there already.")] = False,
) -> None:
    """Export a model for a faster runtime, which needs no torch; its agreement with torch is checked."""
    from layerwatch.journeys.bars import bars
    from layerwatch.journeys.compile import compile_model

    target = out or model.with_name(f"{model.name}-{runtime}")
    with bars() as progress:
        error = compile_model(model, target, runtime, precision, overwrite=overwrite, progress=progress)
    print(f"A agrees with torch within {error:.1e} of its value: {target}")


@app.command(
    epilog="Example: layerwatch reproduce --recipe quick    "
    "layerwatch reproduce --recipe cpu --data physical --precision bf16 --costly"
)
def reproduce(
    recipe: Recipe = "quick",
    data: Annotated[str, typer.Option(help="Preset of the data factory: paper, physical.")] = "paper",
    part: Annotated[list[Path] | None, typer.Option(help="STL or 3MF, may be repeated; default: an example.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of results; default: results/reproduce-RECIPE-DATA.")] = None,
    work: Annotated[Path | None, typer.Option(help="Archives, models, readings; default: OUT/work.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, max=100, help="Whole chains; default: the recipe's.")] = None,
    precision: Annotated[str, typer.Option(help="Of the networks: fp32, or bf16 where the processor has it.")] = "fp32",
    costly: Annotated[bool, typer.Option("--costly", help="Also statements that take trainings of their own.")] = False,
    workers: Annotated[int, typer.Option(min=0, max=1024, help="Processes; 0: one a processor. Same bytes.")] = 0,
) -> None:
    """The paper's evaluation from nothing: Figure 7, Table 2, every claim; resumable, one folder of results."""
    from layerwatch.journeys.bars import bars
    from layerwatch.journeys.reproduce import reproduce as run
    from layerwatch.journeys.reproduction.protocol import protocol

    chosen = protocol(recipe, data, seeds=seeds, precision=precision)
    target = out or Path("results") / chosen.name
    run_it = partial(run, chosen, part or (), target, work or target / "work", costly=costly, workers=workers)
    with bars() as progress:
        done = run_it(progress=progress)
    print("\n".join(done.lines))
