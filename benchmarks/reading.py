"""f-AnoGAN's read at Table 1's size by every runtime, beside torch eager, and AnoGAN's search -> table, JSON.

Usage: python benchmarks/reading.py [--rounds 20] [--quick] [--out benchmarks/results]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from training import SIZE, Z, best_rate, multiply_adds, our_search, report, row, seconds

from layerwatch import catalogue
from layerwatch.detectors.networks.compute import Compute, has_fast_bf16
from layerwatch.detectors.networks.graph import FanoganGraph, onnx_of
from layerwatch.detectors.networks.wgan import Critic, Encoder, Generator

BATCHES = (1, 32)
_PAUSE = 0.3  # s
Read = Callable[[np.ndarray], object]


def network() -> FanoganGraph:
    """E, G and D of Table 1, untrained; weights do not change the speed."""
    torch.manual_seed(0)
    return FanoganGraph({"E": Encoder(), "G": Generator(), "D": Critic()}).eval()


def work_of_a_read() -> float:
    """Floating-point operations of one image: E, G, twice D_f."""
    image, z = torch.zeros(1, 1, SIZE, SIZE), torch.zeros(1, Z)
    E, G, D = (multiply_adds(m, x) for m, x in ((Encoder(), image), (Generator(), z), (Critic(), image)))
    return 2.0 * (E + G + 2 * D)


def eager(graph: FanoganGraph, *, last: bool, precision: str = "fp32") -> Read:
    """Torch as it is, or laid out channels last and in a precision."""
    compute = Compute.of("cpu", precision)
    if last:
        compute.place([graph])

    @torch.no_grad()
    def read(X: np.ndarray) -> object:
        given = torch.from_numpy(X)
        with compute.autocast():
            return graph(given.contiguous(memory_format=torch.channels_last) if last else given)

    return read


def ways() -> dict[str, tuple[str, Read]]:
    """Name -> precision, and what reads a batch."""
    found: dict[str, tuple[str, Read]] = {
        "torch eager": ("fp32", eager(network(), last=False)),
        "torch channels_last": ("fp32", eager(network(), last=True)),
    }
    graph = onnx_of(network(), SIZE)
    for name in catalogue.names("detectors.runtimes"):
        found[name] = ("fp32", catalogue.load("detectors.runtimes", name)().open(graph))
    if has_fast_bf16():
        found["torch bf16"] = ("bf16", eager(network(), last=True, precision="bf16"))
        found["openvino bf16"] = ("bf16", catalogue.load("detectors.runtimes", "openvino")().open(graph, "bf16"))
    return found


def main() -> None:
    """Run everything and write reading.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    wanted = parser.parse_args()
    limits = {"fp32": best_rate(torch.float32), **({"bf16": best_rate(torch.bfloat16)} if has_fast_bf16() else {})}
    rounds, work, rows = (3 if wanted.quick else wanted.rounds), work_of_a_read(), list[dict[str, Any]]()
    fastest: dict[int, float] = {}
    for batch in BATCHES:
        X = np.random.default_rng(0).random((batch, 1, SIZE, SIZE), np.float32)
        found = compared(X, max(rounds // batch, 3) if batch > 1 else rounds)
        base = found["torch eager"][1]
        for name, (precision, took) in found.items():
            rate = batch * work / took / 1e9
            each, plain = 1e3 * took / batch, 1e3 * base / batch
            line = row(
                f"read, batch {batch}, {name}: ms an image", each, plain, base / took, 2.5 if batch == 1 else 3.5
            )
            rows.append(line | {"gflops": rate, "share_of_peak": rate / limits[precision]})
        fastest[batch] = min(took for _, took in found.values()) / batch
    steps = 5 if wanted.quick else 30
    search = seconds(lambda: our_search(torch.rand(32, 1, SIZE, SIZE), steps, "fp32")) / 32 / steps * 3500
    what = "read against AnoGAN's 3500 steps, batch 32: s an image"
    rows.append(row(what, fastest[32], search, search / fastest[32], 2500))
    report(rows, limits, wanted.out / "reading.json")


def compared(X: np.ndarray, rounds: int) -> dict[str, tuple[str, float]]:
    """Median seconds of a batch for every way, the ways in turn.

    Each reads once untimed after a pause: threads of the way before it wait awake for a while, on the same cores.
    """
    all_ways = ways()
    times: dict[str, list[float]] = {name: [] for name in all_ways}
    for _, read in all_ways.values():
        read(X)
    for _ in range(rounds):
        for name, (_, read) in all_ways.items():
            time.sleep(_PAUSE)
            read(X)
            times[name].append(seconds(lambda read=read: read(X)))  # type: ignore[misc] # bound at once
    return {name: (all_ways[name][0], median(values)) for name, values in times.items()}


if __name__ == "__main__":
    main()
