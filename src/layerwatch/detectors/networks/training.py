"""A task and its images -> trained modules: one loop for every network, with exact resume.

Every step draws all its random numbers (which images, z, dropout) from its own seed, which follows from the run's seed
and the step's number. So a checkpoint needs the weights and the optimisers' state only, and a resumed run takes the
same steps as an uninterrupted one.
"""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import load, save
from torch import Tensor, nn

from layerwatch.detectors.base import Checkpoint
from layerwatch.records import DataError, Progress


@dataclass(frozen=True)
class Run:
    """How long and with what a task is trained."""

    name: str
    steps: int
    batch: int
    seed: int
    save_every: float = 20.0  # s


class Task(ABC):
    """What one step of a training is: its modules, its optimisers, its losses."""

    modules: dict[str, nn.Module]
    optimisers: dict[str, torch.optim.Optimizer]

    @abstractmethod
    def step(self, X: Float[Tensor, "n 1 s s"]) -> dict[str, float]:
        """Update on one batch of healthy images; returns the losses by name."""


def train(
    task: Task, images: Float[Tensor, "n 1 s s"], run: Run, progress: Progress, checkpoint: Checkpoint | None
) -> None:
    """Train a task's modules in place.

    Raises:
        DataError: a loss is no longer finite; the last good checkpoint is kept.
    """
    # Where we are: a checkpoint of the same task is taken up, whatever its last step was.
    begun = _resume(task, run, checkpoint)
    started = saved = time.monotonic()

    for step in range(begun, run.steps):
        # One step, all of whose randomness follows from its number.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_step_seed(run.seed, step))
            chosen = torch.randint(len(images), (run.batch,))
            losses = task.step(images[chosen])

        # A loss that is no number will not become one again.
        if not all(np.isfinite(value) for value in losses.values()):
            told = ", ".join(f"{name} {value:.3g}" for name, value in losses.items())
            raise DataError(f"{run.name} diverged at step {step} ({told}); try a smaller learning rate or another seed")

        # Say how far we are, and keep it.
        now = time.monotonic()
        if step + 1 == run.steps or step % 10 == 9:
            rate = (step + 1 - begun) * run.batch / max(now - started, 1e-9)
            note = "  ".join(f"{name} {value:.3g}" for name, value in losses.items())
            progress(run.name, step + 1, run.steps, f"{rate:.0f} images/s  {note}")
        if checkpoint is not None and (now - saved > run.save_every or step + 1 == run.steps):
            checkpoint.save(run.name, _state(task, step + 1))
            saved = now


def _step_seed(seed: int, step: int) -> int:
    return int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _state(task: Task, step: int) -> bytes:
    tensors = {f"{m}.{k}": v for m, module in task.modules.items() for k, v in module.state_dict().items()}
    for name, optimiser in task.optimisers.items():
        for index, values in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{name}.{index}.{key}": value for key, value in values.items()}
    return save({key: value.contiguous().clone() for key, value in tensors.items()}, {"step": str(step)})


def _resume(task: Task, run: Run, checkpoint: Checkpoint | None) -> int:
    """Put a saved state back; returns the step to go on with."""
    data = None if checkpoint is None else checkpoint.load(run.name)
    if data is None:
        return 0
    tensors = load(data)
    try:
        for name, module in task.modules.items():
            own = {k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")}
            module.load_state_dict(own)
        for name, optimiser in task.optimisers.items():
            _restore_optimiser(optimiser, tensors, f"optimiser.{name}.")
    except (RuntimeError, KeyError) as error:
        text = str(error).partition("\n")[0]
        raise DataError(f"the checkpoint of {run.name} belongs to another network ({text}); start afresh") from None
    return min(_saved_step(data), run.steps)


def _restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor], prefix: str) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith(prefix):
            index, _, field = key.removeprefix(prefix).partition(".")
            state.setdefault(int(index), {})[field] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def _saved_step(data: bytes) -> int:
    """The step in the header of a safetensors file: its first 8 bytes give the header's length."""
    length = int.from_bytes(data[:8], "little")
    return int(json.loads(data[8 : 8 + length])["__metadata__"]["step"])
