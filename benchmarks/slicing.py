"""Slicing beside trimesh and manifold3d, and masks, on the example parts, in one run -> a table and slicing.json.

Usage: python benchmarks/slicing.py [--rounds 5] [--out slicing.json]
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import manifold3d
import numpy as np
import trimesh

from layerwatch.job.machine import default_machine
from layerwatch.part.raster import coverages
from layerwatch.part.reading import read_part
from layerwatch.part.slicing import slice_mesh

PARTS = sorted((Path(__file__).parent.parent / "examples" / "parts").glob("*.stl"))
PIXELS = 128


def seconds(ways: Sequence[Callable[[], object]], rounds: int) -> list[list[float]]:
    """All ways by turns, so that whatever else the machine does hits all alike."""
    taken: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds):
        for call, kept in zip(ways, taken, strict=True):
            start = time.perf_counter()
            call()
            kept.append(time.perf_counter() - start)
    return taken


def measure(path: Path, rounds: int) -> dict[str, Any]:
    """Layers per second of both, the largest difference of their areas, and masks per second."""
    machine = default_machine()
    part = read_part(path.read_bytes(), path.name, machine.bed)
    corners, faces = np.unique(part.mesh.triangles.reshape(-1, 3), axis=0, return_inverse=True)
    mesh = trimesh.Trimesh(corners, faces.reshape(-1, 3), process=False)
    solid = manifold3d.Manifold(manifold3d.Mesh64(corners, faces.reshape(-1, 3).astype(np.uint64)))
    layers = slice_mesh(part.mesh, machine.layer_height)
    heights = [layer.slice_z for layer in layers]
    ways = (
        lambda: slice_mesh(part.mesh, machine.layer_height),
        lambda: mesh.section_multiplane([0, 0, 0], [0, 0, 1], heights),
        lambda: [solid.slice(z).to_polygons() for z in heights],
    )
    ours, theirs, exact = seconds(ways, rounds)
    areas = np.array([solid.slice(z).area() for z in heights])
    mine = np.array([layer.area for layer in layers])
    start = time.perf_counter()
    masks = coverages(layers, PIXELS, PIXELS, machine.mm_per_px, (20.0, 20.0))
    mask_seconds = time.perf_counter() - start
    return {
        "part": path.stem,
        "triangles": len(part.mesh.triangles),
        "layers": len(layers),
        "layers_per_s": len(layers) / median(ours),
        "trimesh_layers_per_s": len(layers) / median(theirs),
        "manifold3d_layers_per_s": len(layers) / median(exact),
        "ratio_to_trimesh": median(b / a for a, b in zip(ours, theirs, strict=True)),
        "ratio_to_manifold3d": median(b / a for a, b in zip(ours, exact, strict=True)),
        "largest_area_difference": float(np.abs(areas - mine).max() / mine.max()),
        "masks_per_s": len(layers) / mask_seconds,
        "mask_bytes_per_s": masks.nbytes / mask_seconds,
    }


def main() -> None:
    """Print the table and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("slicing.json"))
    options = parser.parse_args()
    rows = [measure(path, options.rounds) for path in PARTS]
    print(
        f"{'part':24s}{'layers/s':>10s}{'trimesh':>10s}{'times':>7s}{'manifold3d':>12s}{'times':>7s}"
        f"{'area diff':>11s}{'masks/s':>9s}{'MB/s':>7s}"
    )
    for r in rows:
        print(
            f"{r['part']:24s}{r['layers_per_s']:10.0f}{r['trimesh_layers_per_s']:10.0f}{r['ratio_to_trimesh']:7.1f}"
            f"{r['manifold3d_layers_per_s']:12.0f}{r['ratio_to_manifold3d']:7.1f}"
            f"{r['largest_area_difference']:11.1e}{r['masks_per_s']:9.0f}{r['mask_bytes_per_s'] / 1e6:7.0f}"
        )
    told = {"machine": platform.processor() or platform.machine(), "rounds": options.rounds, "rows": rows}
    options.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
