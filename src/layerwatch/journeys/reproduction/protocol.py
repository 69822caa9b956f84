"""A recipe's name -> how much of the paper's evaluation is run: section 5.1's amounts, or fewer where time is short."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from layerwatch import catalogue, recipes
from layerwatch.evaluation.cohorts import Mix
from layerwatch.job.rangesfile import preset
from layerwatch.recipes import PAPER_DEFECTS, Recipe
from layerwatch.records import UsageError

SLOW = ("anogan",)  # detectors that are looked at on a few images only
OF_JOBS = ("plan_aware",)  # detectors that read a layer by those before it, which no cohort of single layers has
PRECISIONS = ("fp32", "bf16")
UNTUNED = ("tuning_steps=0",)  # joint tuning is not the paper's
AS_IN_THE_PAPER: Mapping[str, tuple[str, ...]] = {"fanogan": UNTUNED}


@dataclass(frozen=True)
class Protocol:
    """5,000 healthy layers, 500 of them held out, 500 of each of five defects; many jobs with few layers each."""

    recipe: Recipe
    data: str = "paper"  # preset of the data factory
    layers: int = 10  # of each job
    healthy_jobs: int = 500
    held_jobs: int = 50  # of them: nothing is learnt from these
    more_jobs: int = 300  # healthy ones that are only judged: for low false-alarm rates and rare defects
    defective_jobs: int = 80  # of each defect; a defect lasts some layers only
    each: int = 500  # layers of each defect
    faulty_jobs: int = 8  # of each fault of frames, to learn without cleaning
    severities: tuple[float, ...] = (4.0, 1.0, 2.0, 8.0, 16.0)  # the main one first
    seeds: tuple[int, ...] = (0, 1, 2)  # of the whole chain: split, training, clustering
    defects: tuple[str, ...] = PAPER_DEFECTS
    mix: Mix = field(default_factory=Mix)  # layers to cluster, and to count on
    precision: str = "fp32"
    data_seed: int = 100

    @property
    def severity(self) -> float:
        """The main one, at which the paper's claims are checked."""
        return self.severities[0]

    @property
    def detectors(self) -> tuple[str, ...]:
        """Everything on the shelf that reads a layer by itself in a fraction of a second."""
        return tuple(name for name in catalogue.names("detectors") if name not in {*SLOW, *OF_JOBS})

    def short(self, detector: str) -> tuple[str, ...]:
        """A fifth of the recipe's steps, for trainings of the same length that are set side by side."""
        settings = self.recipe.settings[detector]
        steps = [key for key in settings if key.endswith("steps") and key not in {"tuning_steps", "search_steps"}]
        return tuple(f"{key}={max(int(settings[key]) // 5, 1)}" for key in steps)

    @property
    def name(self) -> str:
        """Of its folder of results."""
        return f"reproduce-{self.recipe.name}-{self.data}"


def quick(data: str = "paper") -> Protocol:
    """A quarter of an hour on two cores: one seed, a third of the healthy layers, fewer defects, two severities."""
    return Protocol(
        recipes.quick(),
        data,
        healthy_jobs=150,
        more_jobs=100,
        defective_jobs=30,
        each=200,
        severities=(4.0, 16.0),
        seeds=(0,),
    )


def cpu(data: str = "paper") -> Protocol:
    """The paper's amounts with networks for two cores."""
    return Protocol(recipes.cpu(), data)


def paper(data: str = "paper") -> Protocol:
    """The paper's amounts, networks and schedule; for a large GPU."""
    return Protocol(recipes.paper(), data)


PROTOCOLS: Mapping[str, Callable[[str], Protocol]] = {"quick": quick, "cpu": cpu, "paper": paper}


def protocol(name: str, data: str = "paper", *, seeds: int | None = None, precision: str = "fp32") -> Protocol:
    """The protocol of that name.

    Args:
        name: of the recipe.
        data: preset of the data factory.
        seeds: how many whole chains; None: as the recipe has them.
        precision: of the networks.

    Raises:
        UsageError: there is no such recipe, preset or precision.
    """
    if name not in PROTOCOLS:
        raise UsageError(f"no recipe {name!r}; there are: {', '.join(PROTOCOLS)}")
    if precision not in PRECISIONS:
        raise UsageError(f"no precision {precision!r}; there are: {', '.join(PRECISIONS)}")
    preset(data)
    chosen = PROTOCOLS[name](data)
    return replace(chosen, precision=precision, seeds=chosen.seeds if seeds is None else tuple(range(seeds)))
