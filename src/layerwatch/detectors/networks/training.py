"""A task and its images -> trained modules: one loop for every network, with exact resume.

Every step draws all its random numbers (which images, z, dropout) from its own seed, which follows from the run's seed
and the step's number. So a checkpoint needs the weights and the optimisers' state only, and a resumed run takes the
same steps as an uninterrupted one.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from layerwatch.detectors.base import Checkpoint, DivergedError
from layerwatch.detectors.networks import parallel
from layerwatch.detectors.networks.compute import Compute
from layerwatch.detectors.networks.diary import Diary
from layerwatch.detectors.networks.on_gpu import Recorded
from layerwatch.detectors.networks.states import restored, stored
from layerwatch.detectors.networks.stopping import held_back
from layerwatch.records import Progress, UsageError

_TOLD_EVERY = 1.0  # s


@dataclass(frozen=True)
class Run:
    """How long and with what a task is trained."""

    name: str
    steps: int
    batch: int
    seed: int
    save_every: float = 20.0  # s
    looks: int = 10  # how often held-out images are judged and samples drawn, the end among them
    patience: int = 0  # looks without a better held-out figure before it stops early; 0: never

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1:
            raise UsageError(f"{self.name}: {self.steps} steps with batches of {self.batch}; give one or more of each")

    def is_look(self, step: int) -> bool:
        """Whether after that many steps it is time to look."""
        return self.looks > 0 and (step * self.looks // self.steps) > ((step - 1) * self.looks // self.steps)

    def is_logged(self, step: int) -> bool:
        """Whether the losses after that many steps are written down: all of the first ten, a thousand of the rest."""
        return step <= 10 or step % max(self.steps // 1000, 1) == 0 or step == self.steps


class Task(ABC):
    """What one step of a training is: its modules, its optimisers, its losses."""

    modules: dict[str, nn.Module]
    optimisers: dict[str, torch.optim.Optimizer]
    compute: Compute
    aim: ClassVar[str] = ""  # the held-out figure that should fall

    @property
    def is_recordable(self) -> bool:
        """Whether a step never asks a number back from a GPU, so that it can be recorded there."""
        return True

    @abstractmethod
    def step(self, X: Float[Tensor, "n 1 s s"]) -> Mapping[str, Tensor]:
        """Update on one batch of healthy images; returns the losses by name."""

    def look(self, held: Float[Tensor, "n 1 s s"]) -> dict[str, float]:
        """Figures on healthy images that the training does not see."""
        return {}

    def sample(self) -> Float[Tensor, "k 1 s s"] | None:
        """Images in [0, 1] that show how far the training is, always of the same z or the same images."""
        return None


def train(
    task: Task,
    images: Float[Tensor, "n 1 s s"],
    run: Run,
    progress: Progress,
    checkpoint: Checkpoint | None,
    held: Float[Tensor, "k 1 s s"] | None = None,
) -> Diary:
    """Train a task's modules in place.

    Args:
        task: what is trained.
        images: healthy ones, in [0, 1].
        run: how long, with what seed.
        progress: told all along.
        checkpoint: where the state is kept; None: nowhere.
        held: healthy images that are only looked at.

    Returns:
        The losses, held-out figures and samples along the way.

    Raises:
        DivergedError: a loss is no longer finite; the last good checkpoint is kept.
        DataError: the checkpoint does not fit.
    """
    # Where we are: a checkpoint of the same task is taken up, whatever its last step was.
    task.compute.place(task.modules.values())
    begun, diary = restored(task.modules, task.optimisers, run.name, checkpoint)
    watch, images = _Watch(run, progress, begun), images.to(task.compute.device)
    take, step = Recorded(task), begun

    with held_back() as stop:
        while step < run.steps and not _is_settled(diary, task.aim, run.patience):
            # One step, all of whose randomness follows from its number.
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(_step_seed(run.seed, step))
                chosen = torch.randint(len(images), (run.batch,))
                losses = take(images[parallel.own_rows(chosen).to(images.device)])
            step += 1

            # Numbers are asked for now and then only: a GPU need not wait for us at every step.
            if run.is_logged(step) or watch.is_due(step):
                told = {name: parallel.mean_of(float(loss)) for name, loss in losses.items()}
                _check_finite(told, run.name, step)
                diary.write(step, told, is_kept=run.is_logged(step))
                watch.tell(step, told)

            # Look at what was learnt, on images that were held out.
            if run.is_look(step):
                with torch.random.fork_rng(devices=[]):
                    torch.manual_seed(_step_seed(run.seed, 0))
                    diary.look(step, {} if held is None else task.look(held.to(images.device)), task.sample())

            # Keep it, now and then, at the end, and when the user stops it.
            if watch.is_saving(step) or step == run.steps or stop.is_asked:
                _check_finite({name: float(loss) for name, loss in losses.items()}, run.name, step)
                _keep(task, run.name, step, diary, checkpoint)
            if stop.is_asked:
                break
    return diary


def _keep(task: Task, name: str, step: int, diary: Diary, checkpoint: Checkpoint | None) -> None:
    """The first process writes the state down."""
    if checkpoint is not None and parallel.rank() == 0:
        checkpoint.save(name, stored(task.modules, task.optimisers, step, diary))
        checkpoint.save(f"{name}.jsonl", diary.lines(name))


def _check_finite(losses: Mapping[str, float], name: str, step: int) -> None:
    """A loss that is no number will not become one again."""
    if not all(np.isfinite(value) for value in losses.values()):
        told = ", ".join(f"{key} {value:.3g}" for key, value in losses.items())
        raise DivergedError(f"{name} diverged at step {step} ({told}); try a smaller learning rate or another seed")


def _is_settled(diary: Diary, aim: str, patience: int) -> bool:
    """Whether the held-out figure has not become better for so many looks."""
    values = [figures[aim] for _, figures in diary.looks if aim in figures]
    return bool(patience) and len(values) > patience and min(values[-patience:]) >= min(values[:-patience])


def _step_seed(seed: int, step: int) -> int:
    return int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0] >> np.uint64(1))


@dataclass
class _Watch:
    """What time it is: when to tell, when to save."""

    run: Run
    progress: Progress
    begun: int

    def __post_init__(self) -> None:
        self.started = self.told = self.saved = time.monotonic()

    def is_due(self, step: int) -> bool:
        return time.monotonic() - self.told > _TOLD_EVERY or step == self.run.steps

    def is_saving(self, step: int) -> bool:
        """Whether it is time to save; from then on it counts as done."""
        now = time.monotonic()
        if now - self.saved <= self.run.save_every:
            return False
        self.saved = now
        return True

    def tell(self, step: int, losses: Mapping[str, float]) -> None:
        self.told = now = time.monotonic()
        rate = (step - self.begun) * self.run.batch / max(now - self.started, 1e-9)
        note = "  ".join(f"{name} {value:.3g}" for name, value in losses.items())
        self.progress(self.run.name, step, self.run.steps, f"{rate:.0f} images/s  {note}")
