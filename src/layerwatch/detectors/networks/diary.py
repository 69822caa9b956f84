"""Losses, held-out figures and samples of a training, step by step -> JSON lines, and arrays in its checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

Row = tuple[int, dict[str, float]]  # after how many steps, what was measured


@dataclass
class Diary:
    """What a training wrote down; kept in its checkpoint, so a resumed run has one diary."""

    losses: list[Row] = field(default_factory=list)
    looks: list[Row] = field(default_factory=list)
    samples: dict[int, Tensor] = field(default_factory=dict)  # uint8 (k, s, s), by step

    def write(self, step: int, losses: Mapping[str, float], *, is_kept: bool) -> None:
        """The losses after a step."""
        if is_kept:
            self.losses.append((step, dict(losses)))

    def look(self, step: int, figures: Mapping[str, float], sample: Float[Tensor, "k 1 s s"] | None) -> None:
        """What held-out images and samples show after a step."""
        if figures:
            self.looks.append((step, dict(figures)))
        if sample is not None:
            grey = sample.detach().float().clamp(0, 1).mul(255).round().to(torch.uint8)
            self.samples[step] = grey[:, 0].cpu()

    def lines(self, name: str) -> bytes:
        """One JSON object a line, in the order of the steps."""
        rows = [(step, "losses", told) for step, told in self.losses]
        rows += [(step, "held out", told) for step, told in self.looks]
        told = (json.dumps({"run": name, "step": s, "what": what, **row}) for s, what, row in sorted(rows, key=_order))
        return "".join(f"{line}\n" for line in told).encode()

    def as_json(self) -> str:
        """Everything but the samples."""
        return json.dumps({"losses": self.losses, "looks": self.looks})

    @classmethod
    def of(cls, text: str, samples: Mapping[int, Tensor]) -> Diary:
        """The inverse of ``as_json``."""
        told = json.loads(text)
        losses, looks = ([(int(step), dict(row)) for step, row in told[key]] for key in ("losses", "looks"))
        return cls(losses, looks, dict(samples))


def _order(row: tuple[int, str, dict[str, float]]) -> tuple[int, str]:
    return row[0], row[1]
