"""The verbs that bring frames and plans together on the bed: corners, rectify, register."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from layerwatch.cli.app import Unit, app

Corners = Annotated[Path | None, typer.Option(help="Corners marked with labelme (JSON), or a camera file.")]
Camera = Annotated[
    Path | None, typer.Option(help="Camera file in TOML: [bed] x, y and [camera] width, height, corners.")
]
Bed = Annotated[str | None, typer.Option(help="Size of the bed in mm, such as 480x480; with labelme's corners only.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command(
    epilog="Example: layerwatch corners --out corners.html    layerwatch corners --frame shot.tiff --out corners.html"
)
def corners(
    out: Annotated[Path, typer.Option(help="The page, one file that works without a network.")] = Path("corners.html"),
    frame: Annotated[
        Path | None, typer.Option(help="Put into the page: TIFF, .npy, a thermal JPEG, any frame.")
    ] = None,
) -> None:
    """Write a page on which the bed's four corners are clicked in a frame; it gives the lines of a camera file."""
    from layerwatch.journeys.rectify import write_page

    write_page(out, frame)
    print(f"{out}: open it in a browser, click the corners, save the lines as camera.toml")


@app.command(
    epilog="Example: layerwatch rectify frames --camera camera.toml --mm-per-px 0.5 --out bed    "
    "layerwatch rectify frame.jpg --corners corners.json --bed 210x210 --mm-per-px 0.25 --out bed"
)
def rectify(
    frames: Annotated[Path, typer.Argument(help="A frame, or a folder of frames of one camera.")],
    mm_per_px: Annotated[float, typer.Option(help="Size of the new pixels on the bed.")],
    corners: Corners = None,
    camera: Camera = None,
    bed: Bed = None,
    out: Annotated[Path, typer.Option(help="A new folder: 16-bit TIFF and rectified.json.")] = Path("rectified"),
    border: Annotated[float, typer.Option(help="Grey where a frame shows nothing of the bed, 0 to 1.")] = 0.0,
    scale: Annotated[str | None, typer.Option(help="What counts mean, as in `layerwatch read`.")] = None,
    span: Annotated[tuple[float, float] | None, typer.Option(help="degC at grey 0 and 1, for temperatures.")] = None,
    as_json: AsJson = False,
) -> None:
    """Turn frames of a camera into the bed as seen from straight above, in mm.

    Frames of a folder that cannot be rectified are left out and told; the exit code is 1 then.
    """
    from layerwatch.journeys.bars import bars
    from layerwatch.journeys.rectify import Heat, one_view
    from layerwatch.journeys.rectify import rectify as run
    from layerwatch.records import counted

    view = one_view(corners, camera, bed)
    with bars() as progress:
        done = run(frames, view, mm_per_px, out, border=border, heat=Heat(scale, span), progress=progress)
    told = done.told
    if as_json:
        _print_json(told)
    else:
        many = counted(len(done.files), "frame")
        print(f"{many} of {told['width']} x {told['height']} px, {mm_per_px:g} mm/px: {done.out}")
        if told["bed_seen"] < 1:
            print(f"the frames show {told['bed_seen']:.1%} of the bed; the rest is grey {border:g}")
    for reason in done.refused:
        print(f"left out: {reason}", file=sys.stderr)
    if done.refused:
        raise typer.Exit(1)


@app.command(
    epilog="Example: layerwatch register bed/0042.tiff --plan plans/0042.png --json    "
    "layerwatch register frame.jpg --camera camera.toml --mm-per-px 0.5 --plan part.stl --layer 41 --plan-at 40x60    "
    "layerwatch register frame.png --mm-per-px 1 --plan slice.bmp --plan-mm-per-px 0.125 --plan-dark --plan-turn 90"
)
def register(
    frame: Annotated[Path, typer.Argument(help="A rectified frame; or any frame, with --camera or --corners.")],
    plan: Annotated[Path, typer.Option(help="Mask or coverage as a picture, a part (STL, SVG ...), or a job layout.")],
    layer: Annotated[int | None, typer.Option(help="Of a part or layout; the lowest is 0.")] = None,
    mm_per_px: Annotated[float | None, typer.Option(help="Of the rectified frame; default: rectified.json.")] = None,
    corners: Corners = None,
    camera: Camera = None,
    bed: Bed = None,
    plan_mm_per_px: Annotated[float | None, typer.Option(help="Of a picture; default: the frame's.")] = None,
    plan_at: Annotated[
        str | None, typer.Option(help="mm, such as 40x60: the plan's lowest x and y on the bed.")
    ] = None,
    plan_turn: Annotated[int, typer.Option(help="Degrees clockwise by which a picture is turned first.")] = 0,
    plan_dark: Annotated[bool, typer.Option("--plan-dark", help="The part is dark in the picture.")] = False,
    machine: Annotated[Path | None, typer.Option(help="Machine file, for the layers of a part or layout.")] = None,
    unit: Unit = None,
    max_shift: Annotated[float | None, typer.Option(help="mm; default: 5 % of the frame, 16 px at least.")] = None,
    max_rotation: Annotated[float, typer.Option(help="Degrees, either way.")] = 2.0,
    max_scale: Annotated[float, typer.Option(help="Either way; 0.02 is 2 %, 0: no scale is fitted.")] = 0.02,
    picture: Annotated[Path | None, typer.Option(help="PNG to write: the outline over the frame.")] = None,
    as_json: AsJson = False,
) -> None:
    """Lay the nominal layer over a frame: shift, rotation, scale with sigmas, outline in mm.

    Where the frame does not tell, the reason why not, and the exit code is 1.
    """
    from layerwatch.journeys.plan_source import PlanSource
    from layerwatch.journeys.rectify import one_view, read_pair
    from layerwatch.journeys.register import Bounds, register_frame

    view = one_view(corners, camera, bed) if corners or camera else None
    at = read_pair(plan_at, "--plan-at", "40x60")
    source = PlanSource(plan, layer, at, plan_mm_per_px, plan_turn, plan_dark, machine, unit)
    answer = register_frame(frame, source, mm_per_px, view, Bounds(max_shift, max_rotation, max_scale), picture)
    if as_json:
        _print_json(answer.told())
    else:
        print("\n".join(answer.lines()))
    if not answer.found.is_placed:
        raise typer.Exit(1)


def _print_json(told: dict[str, object]) -> None:
    import json

    print(json.dumps(told, indent=1))
