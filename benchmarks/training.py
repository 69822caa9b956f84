"""One 3 + 1 cycle of WGAN-GP at Table 1's size and AnoGAN's search, beside the plain PyTorch way -> table, JSON.

Usage: python benchmarks/training.py [--rounds 3] [--batch 32] [--quick] [--out benchmarks/results]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import torch
from machine import processor
from torch import Tensor, nn
from torch.nn import functional

from layerwatch.detectors.networks.compute import Compute, has_fast_bf16
from layerwatch.detectors.networks.latent_search import Search, best_z
from layerwatch.detectors.networks.losses import gradient_penalty
from layerwatch.detectors.networks.tasks.adversarial import Wasserstein, WganTask
from layerwatch.detectors.networks.wgan import Critic, Generator

SIZE, Z = 128, 128


def multiply_adds(module: nn.Module, given: Tensor) -> int:
    """Of one forward pass of one image, convolutions and dense layers."""
    total = 0

    def count(layer: nn.Module, _: object, out: Tensor) -> None:
        nonlocal total
        if isinstance(layer, nn.Conv2d):
            total += out[0].numel() * layer.weight[0].numel()
        elif isinstance(layer, nn.Linear):
            total += layer.weight.numel()

    hooks = [layer.register_forward_hook(count) for layer in module.modules()]
    with torch.no_grad():
        module.eval()(given)
    for hook in hooks:
        hook.remove()
    return total


def operations() -> tuple[float, float, float]:
    """Floating-point operations an image: critic forward, generator forward, a whole 3 + 1 cycle."""
    D, G = (
        2.0 * multiply_adds(m, x)
        for m, x in ((Critic(), torch.zeros(1, 1, 128, 128)), (Generator(), torch.zeros(1, Z)))
    )
    update = 3 * D + 3 * D + 4 * D + G  # real, fake, penalty (forward, back, and twice that for its gradient), G(z)
    return D, G, 3 * update + 3 * G + 2 * D


class Plain:
    """WGAN-GP as one first writes it: eager, 32 bit, torch's own layout, double backward."""

    def __init__(self) -> None:
        self.G, self.D = own_dropout(Generator()), own_dropout(Critic())
        self.of_G, self.of_D = (torch.optim.Adam(m.parameters(), 2e-4, (0.5, 0.9)) for m in (self.G, self.D))

    def cycle(self, X: Tensor) -> None:
        """Three critic steps and one of the generator."""
        for _ in range(3):
            with torch.no_grad():
                fake = self.G(torch.randn(len(X), Z))
            self.of_D.zero_grad()
            alpha = torch.rand(len(X), 1, 1, 1)
            penalty = gradient_penalty(lambda x: self.D(x)[0], X, fake, alpha)
            (self.D(fake)[0].mean() - self.D(X)[0].mean() + 10 * penalty).backward()
            self.of_D.step()
        self.of_G.zero_grad()
        (-self.D(self.G(torch.randn(len(X), Z)))[0].mean()).backward()
        self.of_G.step()


def own_dropout(module: nn.Module) -> nn.Module:
    """The module with torch's dropout and batch normalisation instead of ours."""
    for name, child in module.named_children():
        if isinstance(child, nn.Dropout):
            setattr(module, name, nn.Dropout(child.p))
        else:
            own_dropout(child)
    return module.train()


class Ours:
    """The task that layerwatch trains with."""

    def __init__(self, precision: str) -> None:
        compute = Compute.of("cpu", precision)
        G, D = Generator(), Critic()
        self.task = WganTask(G, D, Z, Wasserstein(), compute)
        compute.place((G, D))

    def cycle(self, X: Tensor) -> None:
        """Three critic steps and one of the generator."""
        self.task.step(X)


def best_rate(dtype: torch.dtype) -> float:
    """GFLOP/s of a large convolution, the limit of this machine for such networks."""
    conv = nn.Conv2d(128, 256, 5, 2, 2).to(dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload] # not in the stubs
    x = torch.randn(32, 128, 64, 64, dtype=dtype).contiguous(memory_format=torch.channels_last)
    work = 2.0 * 32 * 256 * 32 * 32 * 128 * 25
    with torch.no_grad():
        return work / min(seconds(lambda: conv(x)) for _ in range(5)) / 1e9


def plain_search(X: Tensor, steps: int) -> None:
    """AnoGAN's search image by image."""
    G, D = Generator().eval(), Critic().eval()
    for one in X.split(1):  # type: ignore[no-untyped-call] # not in the stubs
        z = torch.zeros(1, Z, requires_grad=True)
        optimiser, wanted = torch.optim.Adam([z], 0.05), D(one)[1].detach()
        for _ in range(steps):
            optimiser.zero_grad()
            GX = G(z)
            A = 0.9 * functional.mse_loss(GX, one) / 4 + 0.1 * functional.mse_loss(D(GX)[1], wanted)
            (z.grad,) = torch.autograd.grad(A, z)
            optimiser.step()


def our_search(X: Tensor, steps: int, precision: str) -> None:
    """Many images at once, frozen networks."""
    compute = Compute.of("cpu", precision)
    G, D = Generator().eval(), Critic().eval()
    compute.place((G, D))
    best_z(X, G, D, Z, Search(steps, 0.05), compute)


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Run everything and write training.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    wanted = parser.parse_args()
    precisions = ["fp32", *(["bf16"] if has_fast_bf16() else [])]
    limits = {p: best_rate(torch.float32 if p == "fp32" else torch.bfloat16) for p in precisions}
    X = torch.rand(wanted.batch, 1, SIZE, SIZE)
    rows = cycles(X, precisions, limits, wanted.rounds) + searches(X[:16], precisions, 10 if wanted.quick else 60)
    report(rows, limits, wanted.out / "training.json")


def cycles(X: Tensor, precisions: list[str], limits: dict[str, float], rounds: int) -> list[dict[str, Any]]:
    """Images a second of a training cycle, the ways in turn."""
    ways = {"plain": Plain().cycle, **{p: Ours(p).cycle for p in precisions}}
    for way in ways.values():
        way(X)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            times[name].append(seconds(lambda way=way: way(X)))  # type: ignore[misc] # bound at once
    work = operations()[2]
    rows = []
    for precision in precisions:
        ratios = [p / o for p, o in zip(times["plain"], times[precision], strict=True)]
        ours, plain = len(X) / median(times[precision]), len(X) / median(times["plain"])
        rate = ours * work / 1e9
        target = 1.5 if precision == "fp32" else 3.0
        rows.append(
            row(
                f"WGAN-GP 3 + 1 cycle, batch {len(X)}, {precision}: images/s",
                ours,
                plain,
                median(ratios),
                target,
            )
            | {"gflops": rate, "share_of_peak": rate / limits[precision]}
        )
    return rows


def searches(X: Tensor, precisions: list[str], steps: int) -> list[dict[str, Any]]:
    """Seconds an image of AnoGAN's 3500 steps, from fewer steps."""
    plain = seconds(lambda: plain_search(X[:2], steps)) / 2 / steps * 3500
    rows = []
    for precision in precisions:
        ours = seconds(lambda p=precision: our_search(X, steps, p)) / len(X) / steps * 3500  # type: ignore[misc] # bound at once
        what = f"AnoGAN, 3500 steps, 16 images, {precision}: s an image (from {steps} steps)"
        rows.append(row(what, ours, plain, plain / ours, 2.5))
    return rows


def row(what: str, ours: float, peer: float, ratio: float, target: float) -> dict[str, Any]:
    """One line of the table."""
    return {"what": what, "ours": ours, "peer": peer, "ratio": ratio, "target": target}


def report(rows: list[dict[str, Any]], limits: dict[str, float], path: Path) -> None:
    """Print the table and write it as JSON."""
    print(f"{'':72s} {'ours':>9s} {'peer':>9s} {'ratio':>8s} {'target':>7s}  GFLOP/s  share")
    for r in rows:
        more = f"{r['gflops']:8.1f}  {r['share_of_peak']:.2f}" if "gflops" in r else ""
        print(f"{r['what']:72s} {r['ours']:9.3f} {r['peer']:9.3f} {r['ratio']:8.2f} {r['target']:7.1f} {more}")
    print("limit, a large convolution: " + ", ".join(f"{p} {g:.0f} GFLOP/s" for p, g in limits.items()))
    if "bf16" not in limits:
        print("this processor has no bf16 instructions, so bf16 was not measured")
    told = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{processor()}, {torch.get_num_threads()} threads",
        "torch": torch.__version__,
        "limits_gflops": limits,
        "rows": rows,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
