"""What a user wishes to know -> how many jobs a comparison prints, and of which kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from layerwatch import catalogue
from layerwatch.records import UsageError

PAPERS = ("agglomerate", "foreign_object", "porous", "shift", "striation")
MIDDLE = 2.0  # severity at which plan errors, pollution and what nobody listed are measured
_RUN_ON = 5  # layers in a row that are looked at


@dataclass(frozen=True)
class Amounts:
    """How much is printed for a comparison, for each seed."""

    seeds: int = 3
    jobs: int = 9  # of each defect and severity
    healthy: int = 60  # jobs to count false alarms in
    fit: int = 30  # healthy jobs to learn from
    calibration: int = 59  # healthy jobs to set the line by
    shifted: int = 0  # healthy jobs of each of ten shifted groups
    layers: int = 24  # of each job
    onset: int = 14  # number of a defect's first layer within the job
    lasting: int = 6  # layers of a defect
    severities: tuple[float, ...] = (1.0, 2.0, 4.0)
    defects: tuple[str, ...] = ()  # names on the shelf; none: all of them
    plan_errors_px: tuple[float, ...] = (0.5, 1.0, 2.0)
    plan_turns_deg: tuple[float, ...] = (1.0,)
    polluted: tuple[float, ...] = (0.01, 0.05, 0.1)  # shares of the layers to learn from that are defective
    preset: str = "physical"
    conditioned: int | None = None  # seeds with plan errors and pollution; None: all
    first_seed: int = 0

    @classmethod
    def quick(cls) -> Amounts:
        """A few jobs: to see that it runs, not what the figures are."""
        return cls(1, 2, 4, 4, 4, 0, 20, 12, 5, (MIDDLE,), (*PAPERS, "recoater_streak"), (1.0,), (), (0.1,))

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the defects, the paper's first."""
        wanted = self.defects or catalogue.names("job.defects")
        return (*(name for name in PAPERS if name in wanted), *(name for name in wanted if name not in PAPERS))

    @property
    def all_seeds(self) -> range:
        """Every seed."""
        return range(self.first_seed, self.first_seed + self.seeds)

    @property
    def conditioned_seeds(self) -> range:
        """Those with plan errors and pollution."""
        return self.all_seeds if self.conditioned is None else self.all_seeds[: self.conditioned]

    @property
    def ages(self) -> range:
        """Numbers of the layers of a job in which a defect is printed."""
        return range(self.onset, min(self.onset + self.lasting, self.layers))

    def asked(self, severities: Sequence[float], defects: Sequence[str], conditioned: int | None = None) -> Amounts:
        """The same of other severities, defects and conditions, where there are any."""
        chosen, kinds = tuple(severities) or self.severities, tuple(defects) or self.defects
        return replace(self, severities=chosen, defects=kinds, conditioned=conditioned)

    def checked(self) -> Amounts:
        """The same, where it makes sense.

        Raises:
            UsageError: an amount that does not, or no such defect.
        """
        for name in self.defects:
            catalogue.load("job.defects", name)
        if self.conditioned is not None and self.conditioned < 0:
            raise UsageError(f"{self.conditioned} seeds with plan errors and pollution; give 0 (none) or more")
        if self.first_seed < 0:
            raise UsageError(f"seeds from {self.first_seed} on; give 0 or more")
        if self.shifted < 0:
            raise UsageError(f"{self.shifted} jobs of each shifted group; give 0 (none) or more, such as 34")
        if min(self.seeds, self.jobs, self.healthy, self.fit, self.calibration) < 1:
            raise UsageError("each of --seeds, --jobs, --healthy, --fit and --calibration must be 1 at least")
        if len(self.ages) < _RUN_ON:
            raise UsageError(
                f"a defect from layer {self.onset} on for {self.lasting} of {self.layers} layers: the fifth layer in a "
                "row is looked at; give more --layers"
            )
        if not self.severities or not all(0 < severity <= 100 for severity in self.severities):
            raise UsageError("severities are above 0 and up to 100; give --severity 1 --severity 2")
        return replace(self, severities=tuple(sorted(set(self.severities))))
