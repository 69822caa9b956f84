"""The `paper` schedule on a GPU: a training cycle each way, the time of all steps, the card's limits -> table, JSON.

Usage: python benchmarks/schedule.py [--batch 256] [--cycles 20] [--device cuda] [--profile FILE] [--out DIR]

Each way takes the same cycle of WGAN-GP at Table 1's size. `plain` is what one first writes: torch's own layout, double
backward. The schedule is 27,000 cycles and 50,000 steps of the encoder; its time is that of the steps timed here.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from training import SIZE, Plain, Z, operations

from layerwatch import recipes
from layerwatch.detectors.networks.compute import Compute
from layerwatch.detectors.networks.on_gpu import Recorded
from layerwatch.detectors.networks.tasks.adversarial import Wasserstein, WganTask
from layerwatch.detectors.networks.tasks.encoding import EncoderTask
from layerwatch.detectors.networks.wgan import Critic, Encoder, Generator


def main() -> None:
    """Time everything, print and write schedule.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--cycles", type=int, default=20)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--profile", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    wanted = parser.parse_args()
    device = Compute.of(wanted.device).device
    limits = {"matrix product": matrix_rate(device), "convolution": convolution_rate(device)}
    print({name: f"{rate / 1e12:.0f} TFLOP/s" for name, rate in limits.items()}, flush=True)
    X = torch.rand(wanted.batch, 1, SIZE, SIZE, device=device).contiguous(memory_format=torch.channels_last)
    rows = [*cycles(X, wanted.cycles, limits["matrix product"]), *encoder_steps(X[:64], 4 * wanted.cycles)]
    tell(rows, limits, wanted.out / "schedule.json", device)
    if wanted.profile:
        wanted.profile.write_text(profile(X))


def cycles(X: Tensor, count: int, limit: float) -> list[dict[str, Any]]:
    """Seconds a cycle of each way, first and once more at the end of all, the median of the cycles."""
    work, rows = operations()[2] * len(X), list[dict[str, Any]]()
    for name, begin in ways(X.device).items():
        take, few = begin(), 5 if name.startswith("plain") else count
        started = perf_counter()
        for _ in range(5):  # the first ones compile, record, choose algorithms
            take(X)
        _wait(X.device)
        begun, each = perf_counter() - started, seconds(lambda take=take: take(X), few, X.device)  # type: ignore[misc] # bound at once
        rate = work / each
        rows.append({"way": name, "begun_s": begun, "cycle_s": each, "images_s": len(X) / each})
        rows[-1] |= {"tflops": rate / 1e12, "share_of_peak": rate / limit, "all_min": each * _steps("gan_steps") / 60}
        print({k: round(v, 4) if isinstance(v, float) else v for k, v in rows[-1].items()}, flush=True)
    return rows


def ways(device: torch.device) -> dict[str, Callable[[], Callable[[Tensor], object]]]:
    """Names of the ways, and how each is begun."""
    on_gpu = device.type == "cuda"
    found: dict[str, Callable[[], Callable[[Tensor], object]]] = {
        "plain, 32 bit": lambda: plain(device, torch.float32),
        "plain, bf16": lambda: plain(device, torch.bfloat16),
        "eager, 32 bit": lambda: task(Compute(device)).step,
        "eager, bf16": lambda: task(Compute(device, "bf16")).step,
    }
    if on_gpu:
        found["recorded, bf16"] = lambda: Recorded(task(Compute(device, "bf16")))
        found["recorded and compiled, bf16"] = lambda: Recorded(task(Compute(device, "bf16", compile=True)))
    return found


def plain(device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], object]:
    """The plain way on a device."""
    way = Plain()
    for module in (way.G, way.D):
        module.to(device)

    def cycle(X: Tensor) -> None:
        with torch.device(device), torch.autocast(device.type, dtype) if dtype != torch.float32 else nullcontext():
            way.cycle(X)

    return cycle


def task(compute: Compute) -> WganTask:
    """WGAN-GP at Table 1's size."""
    G, D = Generator(), Critic()
    compute.place((G, D))
    return WganTask(G, D, Z, Wasserstein(), compute)


def encoder_steps(X: Tensor, count: int) -> list[dict[str, Any]]:
    """Seconds a step of the encoder's training, the fastest way."""
    on_gpu = X.device.type == "cuda"
    compute = Compute(X.device, "bf16", compile=on_gpu)
    E, G, D = Encoder(), Generator(), Critic()
    compute.place((E, G, D))
    take = Recorded(EncoderTask(E, G, D, 5e-5, (0.9, 0.1), compute, tune=False))
    for _ in range(5):
        take(X)
    each = seconds(lambda: take(X), count, X.device)
    found = {"way": f"encoder, batch {len(X)}, bf16", "cycle_s": each, "images_s": len(X) / each}
    return [found | {"all_min": each * _steps("encoder_steps") / 60}]


def _steps(name: str) -> int:
    return int(recipes.paper().settings["fanogan"][name])


def matrix_rate(device: torch.device) -> float:
    """FLOP/s of a large bf16 product."""
    n = 8192 if device.type == "cuda" else 1024
    a, b = (torch.randn(n, n, device=device, dtype=torch.bfloat16) for _ in range(2))
    return 2 * n**3 / seconds(lambda: a @ b, 10, device)


def convolution_rate(device: torch.device) -> float:
    """FLOP/s of the critic's heaviest layer at a large batch, bf16, channels last."""
    conv = nn.Conv2d(128, 256, 5, 2, 2).to(device, torch.bfloat16, memory_format=torch.channels_last)  # type: ignore[call-overload] # not in the stubs
    n = 512 if device.type == "cuda" else 8
    x = torch.randn(n, 128, 64, 64, device=device, dtype=torch.bfloat16).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        return 2.0 * n * 256 * 32 * 32 * 128 * 25 / seconds(lambda: conv(x), 10, device)


def seconds(work: Callable[[], object], count: int, device: torch.device) -> float:
    """The median of single runs; on a GPU by its own clock, all started before the first is waited for."""
    work()
    if device.type != "cuda":
        times = []
        for _ in range(count):
            begun = perf_counter()
            work()
            times.append(perf_counter() - begun)
        return median(times)
    marks = [torch.cuda.Event(enable_timing=True) for _ in range(count + 1)]  # type: ignore[no-untyped-call] # not in the stubs
    torch.cuda.synchronize()
    marks[0].record()
    for mark in marks[1:]:
        work()
        mark.record()
    torch.cuda.synchronize()
    return float(median(a.elapsed_time(b) for a, b in pairwise(marks))) / 1000


def profile(X: Tensor) -> str:
    """Where a compiled cycle's time goes, kernel by kernel."""
    step = task(Compute(X.device, "bf16", compile=True)).step
    for _ in range(3):
        step(X)
    with torch.profiler.profile() as seen:
        step(X)
        _wait(X.device)
    table: str = seen.key_averages().table(sort_by="cuda_time_total", row_limit=45, max_name_column_width=90)
    return table


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def tell(rows: list[dict[str, Any]], limits: dict[str, float], path: Path, device: torch.device) -> None:
    """The whole schedule's time by the fastest way, and everything as JSON."""
    fastest = min((r for r in rows if "tflops" in r), key=lambda r: r["cycle_s"])
    whole = fastest["all_min"] + rows[-1]["all_min"]
    print(f"the whole schedule: {whole:.1f} min ({fastest['way']}: {fastest['all_min']:.1f}, encoder the rest)")
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    told = {
        "date": datetime.now(UTC).date().isoformat(),
        "device": name,
        "torch": torch.__version__,
        "limits_tflops": {key: rate / 1e12 for key, rate in limits.items()},
        "operations": operations()[2] * _steps("gan_steps") * 256,
        "schedule_min": whole,
        "target_min": 20,
        "rows": rows,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
