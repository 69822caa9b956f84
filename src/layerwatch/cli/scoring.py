"""The verbs for folders of frames with masks: score, commission."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from layerwatch.cli.app import Seed, app


@app.command(
    epilog="Example: layerwatch score frames --plans masks --mm-per-px 3.75 --out scores.csv --maps maps    "
    "layerwatch score frames --plans masks --healthy good --healthy-plans good_masks --mm-per-px 0.25    "
    "layerwatch score frames --healthy good"
)
def score(
    frames: Annotated[Path, typer.Argument(help="Folder with one job a sub-folder, or the frames of one job.")],
    plans: Annotated[
        Path | None, typer.Option(help="Nominal masks of the same size and file name; above 0 is part.")
    ] = None,
    mm_per_px: Annotated[float | None, typer.Option(help="Size of a pixel; default: places are in pixels.")] = None,
    out: Annotated[Path, typer.Option(help="The table, one line a frame.")] = Path("scores.csv"),
    maps: Annotated[Path | None, typer.Option(help="Folder for a picture of each layer with its heat map.")] = None,
    invert_plans: Annotated[bool, typer.Option("--invert-plans", help="In the masks 0 is part.")] = False,
    healthy: Annotated[Path | None, typer.Option(help="Folder of healthy jobs, one a sub-folder.")] = None,
    healthy_plans: Annotated[Path | None, typer.Option(help="Their nominal masks.")] = None,
    machine: Annotated[Path | None, typer.Option(help="Machine file; default: the head travels along image y.")] = None,
    alpha: Annotated[float, typer.Option(help="p-value below which a layer is NOK.")] = 0.01,
    scale: Annotated[str | None, typer.Option(help="What counts mean, as in `layerwatch read`.")] = None,
    span: Annotated[tuple[float, float] | None, typer.Option(help="degC at grey 0 and 1.")] = None,
    fail_on_nok: Annotated[
        bool, typer.Option("--fail-on-nok", help="Exit with 3 if a layer is NOK or not calibrated.")
    ] = False,
) -> None:
    """Score every layer of any folder of frames by what neither its plan nor the job's past explains.

    Frames that cannot be scored have a row with the word why; the exit code is 1 then.
    """
    from layerwatch.journeys.bars import bars
    from layerwatch.journeys.files import open_machine
    from layerwatch.journeys.score import ScoreWish
    from layerwatch.journeys.score import score as run
    from layerwatch.journeys.score_frames import ScoreSource
    from layerwatch.journeys.score_notes import tally
    from layerwatch.journeys.score_rows import NOT_CALIBRATED
    from layerwatch.records import UsageError

    if healthy_plans is not None and healthy is None:
        raise UsageError("--healthy-plans goes with --healthy; give the folder of healthy jobs")
    size = 1.0 if mm_per_px is None else mm_per_px
    source = ScoreSource(frames, plans, size, invert_plans, span, scale)
    good = None if healthy is None else ScoreSource(healthy, healthy_plans, size, invert_plans, span, scale)
    head = "y" if machine is None else open_machine(machine).head
    wish = ScoreWish(source, good, head, alpha, maps, mm_per_px is not None)
    with bars() as progress:
        done = run(wish, out, progress=progress)
    for line in done.told:
        print(line)
    print(f"{tally(done.rows)}: {out}")
    for note in done.notes:
        print(note, file=sys.stderr)
    if mm_per_px is None:
        print("the size of a pixel is not known, so places are in pixels, not mm; give --mm-per-px", file=sys.stderr)
    if not done.is_whole:
        raise typer.Exit(1)
    if fail_on_nok and any(row.verdict in {"NOK", NOT_CALIBRATED} for row in done.rows):
        raise typer.Exit(3)


@app.command(
    epilog="Example: layerwatch commission healthy --plans masks --mm-per-px 0.25 --out commissioned    "
    "layerwatch inspect frames --plans masks --model commissioned/model --false-alarm-rate 0.003"
)
def commission(
    frames: Annotated[Path, typer.Argument(help="Folder of healthy jobs, one a sub-folder.")],
    plans: Annotated[Path, typer.Option(help="Nominal masks of the same size and file name; above 0 is part.")],
    mm_per_px: Annotated[float | None, typer.Option(help="Size of a pixel; default: places are in pixels.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for report, tables and model.")] = Path("commissioned"),
    invert_plans: Annotated[bool, typer.Option("--invert-plans", help="In the masks 0 is part.")] = False,
    machine: Annotated[Path | None, typer.Option(help="Machine file; default: the head travels along image y.")] = None,
    scale: Annotated[str | None, typer.Option(help="What counts mean, as in `layerwatch read`.")] = None,
    span: Annotated[tuple[float, float] | None, typer.Option(help="degC at grey 0 and 1.")] = None,
    false_alarms: Annotated[float, typer.Option(help="Share of healthy jobs that may raise any alarm.")] = 0.05,
    trials: Annotated[int, typer.Option(help="Jobs at most, into which each defect is laid.")] = 12,
    seed: Seed = 0,
) -> None:
    """Tell on your own healthy layers what will be found, and which promise they support; write a model.

    Each job is followed by a detector that has not learnt from it: false alarms, drift, where prints lie. Defects of
    known amounts are laid into them: probability of detection in K and mm, delay to the alarm. Nothing defective is
    needed.
    """
    from layerwatch.journeys.bars import bars
    from layerwatch.journeys.commission import CommissionWish
    from layerwatch.journeys.commission import commission as run
    from layerwatch.journeys.files import open_machine
    from layerwatch.journeys.score_frames import ScoreSource
    from layerwatch.records import counted

    source = ScoreSource(frames, plans, 1.0 if mm_per_px is None else mm_per_px, invert_plans, span, scale)
    head = "y" if machine is None else open_machine(machine).head
    wish = CommissionWish(source, head, false_alarms, trials, seed, mm_per_px is not None)
    with bars() as progress:
        done = run(wish, out, progress=progress)
    loud = counted(done.above_one, "of them scores", "of them score")
    print(f"{counted(len(done.followed), 'job')}, {counted(done.layers, 'layer')}; {loud} above 1")
    print(f"at most {done.line.promise:.0%} of healthy jobs raise an alarm, a score above {done.line.value:.3g}")
    for kind in done.kinds:
        if kind.name in done.found:
            print(f"{kind.name}{done.size(kind)}: found in nine of ten jobs {done.ninety(kind)}")
    print(f"report: {out / 'report.html'}")
    print(f"to inspect by: --model {out / 'model'} --false-alarm-rate {done.rate!r}")
    for note in done.notes:
        print(note, file=sys.stderr)
