"""Slicing beside trimesh and manifold3d on one thread -> a table, results/slicing.json and a picture of how cost grows.

Usage: python benchmarks/slicing.py [--rounds 5] [--quick] [--out benchmarks/results]

All ways of one row go by turns, so that whatever else the machine does hits all alike; medians count. About eight
minutes on one core; --quick leaves the large meshes out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import manifold3d
import matplotlib as mpl
import numpy as np
import trimesh
from machine import processor
from matplotlib import pyplot as plt
from threadpoolctl import threadpool_limits

from layerwatch.part.formats.stl import Stl
from layerwatch.part.masks import masks_of
from layerwatch.part.mesh import Mesh
from layerwatch.part.raster import coverages
from layerwatch.part.reading import Part, read_part
from layerwatch.part.slicing import slice_mesh

ROOT = Path(__file__).parents[1]
PARTS = sorted((ROOT / "examples" / "parts").glob("*.stl"))
BED = (1000.0, 1000.0, 1000.0)
LAYERS, PIXELS = 300, 128
ALL_SIZES, SMALL = range(3, 9), range(3, 7)  # subdivisions of an icosphere: 1.3 k to 1.31 M triangles
MEMORY_LIMIT = 3.0  # GB
Row = dict[str, Any]


def seconds(ways: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """The median of each way, all by turns."""
    taken: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds):
        for call, kept in zip(ways, taken, strict=True):
            start = time.perf_counter()
            call()
            kept.append(time.perf_counter() - start)
    return [median(kept) for kept in taken]


def row(what: str, unit: str, ours: float, peer: float | None, target: float | None, **more: object) -> Row:
    """One line of the table; where there is a peer the target is a ratio, else it is in the unit."""
    ratio = ours / peer if peer else None
    if unit in {"s", "GB"} and ratio:
        ratio = 1 / ratio
    return {"what": what, "ours": ours, "peer": peer, "ratio": ratio, "target": target, "unit": unit, **more}


def sphere(subdivisions: int) -> Part:
    """An icosphere of 100 mm, read from an STL file as users would."""
    shape = trimesh.creation.icosphere(subdivisions=subdivisions, radius=50)
    return read_part(Stl().write_mesh(Mesh(np.asarray(shape.triangles, np.float64))), "sphere.stl", BED, "mm")


def peers(mesh: Mesh) -> tuple[trimesh.Trimesh, Callable[[], manifold3d.Manifold]]:
    """The same mesh for both, corners merged; manifold3d still to be built."""
    corners = np.empty((int(mesh.corners.max()) + 1, 3))
    corners[mesh.corners.ravel()] = mesh.triangles.reshape(-1, 3)
    shape = trimesh.Trimesh(corners, mesh.corners, process=False)
    faces = mesh.corners.astype(np.uint64)
    return shape, lambda: manifold3d.Manifold(manifold3d.Mesh64(corners, faces))


def contours(what: str, mesh: Mesh, target: float | None, rounds: int) -> list[Row]:
    """Layers per second of contours, beside both."""
    height = float(mesh.extent[2]) / LAYERS
    layers = slice_mesh(mesh, height)
    heights = [layer.slice_z for layer in layers]
    shape, build = peers(mesh)
    solid = build()
    ways = (
        lambda: slice_mesh(mesh, height),
        lambda: shape.section_multiplane([0, 0, 0], [0, 0, 1], heights),
        lambda: [solid.slice(z).to_polygons() for z in heights],
        build,
        lambda: slice_mesh(Mesh(mesh.triangles, "mm"), height),
    )
    ours, theirs, exact, built, bare = seconds(ways, rounds)
    points = sum(len(ring) for layer in layers for island in layer.islands for ring in (island.outer, *island.holes))
    largest = max(layer.area for layer in layers)
    error = max(abs(solid.slice(layer.slice_z).area() - layer.area) for layer in layers) / largest
    speed = len(layers) / ours
    limit = f"{points / ours / 1e6:.1f} M points/s, {16 * points / ours / 1e6:.0f} MB/s of contours"
    return [
        row(what, "layers/s", speed, len(layers) / theirs, target, peer_name="trimesh.section_multiplane", limit=limit),
        row(
            f"{what}, corners merged anew",
            "layers/s",
            len(layers) / bare,
            len(layers) / theirs,
            None,
            peer_name="trimesh",
        ),
        row(what, "layers/s", speed, len(layers) / exact, None, peer_name="manifold3d.slice, built before"),
        row(what, "layers/s", speed, len(layers) / (exact + built), None, peer_name="manifold3d, built and sliced"),
        row(f"largest difference of area, {what}", "relative", error, None, 1e-6, peer_name="manifold3d"),
    ]


def mask_rows(rounds: int) -> list[Row]:
    """Layers per second of masks of the water-jacket core."""
    path = next(path for path in PARTS if "waterjacket" in path.stem)
    mesh = read_part(path.read_bytes(), path.name, BED).mesh
    layers = slice_mesh(mesh, 0.3)
    pixel = float(mesh.extent.max()) / (PIXELS - 8)
    ways = (
        lambda: masks_of(mesh, 0.3, PIXELS, PIXELS, pixel, (pixel, pixel)),
        lambda: coverages(layers, PIXELS, PIXELS, pixel, (pixel, pixel)),
    )
    names = ("straight from the mesh", "from finished layers")
    what = f"{PIXELS} x {PIXELS} anti-aliased masks, core_waterjacket4, {len(layers)} layers"
    return [
        row(f"{what}, {name}", "layers/s", len(layers) / s, None, 1000.0, limit=f"{size / s / 1e6:.0f} MB/s of masks")
        for name, s in zip(names, seconds(ways, rounds), strict=True)
        for size in [len(layers) * PIXELS**2 * 4]
    ]


def loading(folder: Path, rounds: int) -> list[Row]:
    """Reading 1.31 M binary triangles from the disk, with equal corners merged."""
    shape = trimesh.creation.icosphere(subdivisions=8, radius=50)
    path = folder / "sphere.stl"
    path.write_bytes(Stl().write_mesh(Mesh(np.asarray(shape.triangles, np.float64))))
    ways = (
        lambda: Stl().read_mesh(path.read_bytes(), path.name).corners,
        lambda: trimesh.load(path),
        lambda: read_part(path.read_bytes(), path.name, BED, "mm"),
    )
    merged, theirs, whole = seconds(ways, rounds)
    size = path.stat().st_size
    name = "trimesh.load"
    limit = f"{size / merged / 1e6:.0f} MB/s of the file"
    return [
        row("loading 1.31 M binary triangles, corners merged", "s", merged, theirs, 3.0, peer_name=name, limit=limit),
        row("the same with edges paired, windings checked, hashed", "s", whole, theirs, None, peer_name=name),
    ]


CHILD = """
import re, sys, time
from pathlib import Path
from layerwatch.part.reading import read_part
from layerwatch.part.slicing import slice_mesh
start = time.perf_counter()
mesh = read_part(Path(sys.argv[1]).read_bytes(), "torus.stl", (1e3, 1e3, 1e3), "mm").mesh
read = time.perf_counter() - start
layers = slice_mesh(mesh, float(mesh.extent[2]) / 2000)
print(len(mesh.triangles), len(layers), read, time.perf_counter() - start - read)
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())  # getrusage would count the parent too
print(int(peak[1]) * 1024 / 1e9)
"""


def memory(folder: Path, across: int = 2000, around: int = 1500) -> Row:
    """Peak of a process that reads and slices a torus of 6 M triangles into 2,000 layers."""
    u, v = (np.linspace(0, 2 * np.pi, n + 1) for n in (across, around))
    ring = 80 + 40 * np.cos(v)
    grid = np.stack(
        [np.outer(np.cos(u), ring), np.outer(np.sin(u), ring), np.outer(np.ones_like(u), 40 * np.sin(v))], 2
    )
    grid[-1], grid[:, -1] = grid[0], grid[:, 0]
    a, b, c, d = grid[:-1, :-1], grid[1:, :-1], grid[:-1, 1:], grid[1:, 1:]
    triangles = np.concatenate([np.stack(corners, 2).reshape(-1, 3, 3) for corners in ((a, b, c), (b, d, c))])
    path = folder / "torus.stl"
    path.write_bytes(Stl().write_mesh(Mesh(triangles)))
    del triangles, grid
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    told = subprocess.run(
        [sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=True, env=environment
    ).stdout.split()
    count, layers, read, sliced, peak = (float(word) for word in told)
    what = f"peak memory, {count / 1e6:.1f} M triangles, {layers:.0f} layers"
    limit = f"read and repaired in {read:.1f} s, sliced in {sliced:.1f} s"
    return row(what, "GB", peak, None, MEMORY_LIMIT, limit=limit)


def growth(sizes: range, rounds: int) -> dict[str, list[list[float]]]:
    """Seconds by triangles, layers and pixels."""
    found: dict[str, list[list[float]]] = {"triangles": [], "layers": [], "pixels": []}
    for subdivisions in sizes:
        mesh = sphere(subdivisions).mesh
        cut, drawn = seconds(
            (partial(slice_mesh, mesh, 100 / LAYERS), partial(masks_of, mesh, 100 / LAYERS, PIXELS, PIXELS, 0.8)),
            rounds,
        )
        found["triangles"].append([len(mesh.triangles), cut, drawn])
    mesh = sphere(6).mesh
    for layers in (30, 100, 300, 1000, 3000):
        cut, drawn = seconds(
            (partial(slice_mesh, mesh, 100 / layers), partial(masks_of, mesh, 100 / layers, PIXELS, PIXELS, 0.8)),
            rounds,
        )
        found["layers"].append([layers, cut, drawn])
    for pixels in (32, 64, 128, 256, 512, 1024):
        drawn = seconds([partial(masks_of, mesh, 1.0, pixels, pixels, 101 / pixels)], rounds)[0]
        found["pixels"].append([pixels, drawn])
    return found


def draw(found: dict[str, list[list[float]]], peak: Row | None, path: Path) -> None:
    """Cost against triangles, layers and pixels, both axes logarithmic, each beside a line of slope one."""
    mpl.use("Agg")
    figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
    titles = {
        "triangles": f"{LAYERS} layers of a sphere",
        "layers": "a sphere of 82 k triangles",
        "pixels": "100 layers of that sphere",
    }
    for axis, (name, rows) in zip(axes, found.items(), strict=True):
        values = np.array(rows)
        labels = ["masks"] if name == "pixels" else ["contours", "masks, 128 x 128"]
        for column, label in enumerate(labels, 1):
            axis.loglog(values[:, 0], values[:, column], "o-", label=label)
        power = 2 if name == "pixels" else 1
        slope = values[-1, 1] * (values[:, 0] / values[-1, 0]) ** power
        axis.loglog(
            values[:, 0], slope, "--", color="0.6", label=f"in proportion to {'pixels' if power == 2 else name}"
        )
        axis.set_xlabel("pixels along a side" if name == "pixels" else name)
        axis.set_ylabel("seconds")
        axis.set_title(titles[name])
        axis.grid(which="major", alpha=0.3)
        axis.legend()
    if peak:
        figure.suptitle(f"{peak['what']}: {peak['ours']:.2f} GB (limit {peak['target']:g} GB)")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def tell(rows: Sequence[Row]) -> None:
    """Print the table."""
    print(f"{'what':86s}{'unit':>10s}{'ours':>11s}{'peer':>11s}{'times':>8s}{'target':>8s}  beside; limit")
    for r in rows:
        peer, ratio = (f"{r[k]:.4g}" if r[k] else "" for k in ("peer", "ratio"))
        target = f"{r['target']:g}" if r["target"] else ""
        more = "; ".join(str(r[k]) for k in ("peer_name", "limit") if k in r)
        print(f"{r['what']:86s}{r['unit']:>10s}{r['ours']:>11.4g}{peer:>11s}{ratio:>8s}{target:>8s}  {more}")


def measure(rounds: int, quick: bool) -> tuple[list[Row], dict[str, list[list[float]]], Row | None]:
    """All rows, the growth, and the memory."""
    rows = contours("contours of 300 layers, sphere of 82 k triangles", sphere(6).mesh, 8.0, rounds)
    if not quick:
        rows += contours("contours of 300 layers, sphere of 1.31 M triangles", sphere(8).mesh, 12.0, min(rounds, 3))
    for path in PARTS:
        rows += contours(
            f"contours of 300 layers, {path.stem}", read_part(path.read_bytes(), path.name, BED).mesh, None, rounds
        )
    rows += mask_rows(rounds)
    peak = None
    if not quick:
        with tempfile.TemporaryDirectory() as folder:
            rows += loading(Path(folder), min(rounds, 3))
            peak = memory(Path(folder))
        rows.append(peak)
    return rows, growth(SMALL if quick else ALL_SIZES, min(rounds, 3)), peak


def main() -> None:
    """Print the table, write the JSON and the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with threadpool_limits(1):
        rows, found, peak = measure(options.rounds, options.quick)
    tell(rows)
    told = {
        "hardware": f"{processor()}, {os.cpu_count()} cores, one thread used",
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {name: version(name) for name in ("layerwatch", "numpy", "scipy", "trimesh", "manifold3d")},
        "rounds": options.rounds,
        "rows": rows,
        "growth": {"columns": "size, seconds of contours, seconds of masks (pixels: masks only)", **found},
    }
    (options.out / "slicing.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    draw(found, peak, options.out / "slicing_growth.png")


if __name__ == "__main__":
    main()
