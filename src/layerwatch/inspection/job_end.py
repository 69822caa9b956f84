"""A job that is over -> its unpack list, what a person needs at the machine, and the message that says so."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from layerwatch.inspection.journal.entries import StoredVerdict
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.messages import Message
from layerwatch.inspection.names import safe
from layerwatch.inspection.reading import PlanOf
from layerwatch.inspection.unpacking import Core, as_csv, cores_of, tally
from layerwatch.records import DataError, counted


@dataclass(frozen=True)
class Unpacked:
    """The end of one job."""

    cores: tuple[Core, ...]
    path: Path
    bed: UInt8[np.ndarray, "h w"] | None  # part instance that any layer has at each pixel; None: no plan is known

    @property
    def text(self) -> str:
        """How many cores are what, in words."""
        return tally(self.cores)


def end_job(journal: Journal, folder: Path, printer: str, job: str, plans: PlanOf) -> Unpacked:
    """Write ``jobs/PRINTER/JOB/unpack.csv`` and say that the job is over; done twice, it is the same.

    Args:
        journal: that has its verdicts.
        folder: of the data.
        printer: that printed it.
        job: its name.
        plans: of its layers, which tell where the cores are.
    """
    verdicts = journal.verdicts_of(printer, job)
    found, unplanned, bed = printed_on(verdicts, job, plans)
    cores = cores_of(verdicts, journal.alarms_of(printer, job), found, unplanned)
    path = folder / "jobs" / safe(printer) / safe(job) / "unpack.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(as_csv(cores), encoding="utf-8")
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)
    text = f"{job}: {counted(len(verdicts), 'layer')}; cores: {tally(cores)}"
    body = {"event": "ended", "text": text, "unpack": path.relative_to(folder).as_posix()}
    journal.end(printer, job, body, [Message("job", body, printer, job)], time.time())
    return Unpacked(cores, path, bed)


Bed = UInt8[np.ndarray, "h w"]


def printed_on(
    verdicts: tuple[StoredVerdict, ...], job: str, plans: PlanOf
) -> tuple[dict[int, list[int]], list[int], Bed | None]:
    """Layers of each part instance from the job's first to its last, those without a plan, and all plans in one."""
    known = sorted({one.layer for one in verdicts if one.layer >= 0})
    found, unplanned, bed = dict[int, list[int]](), list[int](), None
    for layer in range(known[0], known[-1] + 1) if known else ():
        try:
            planned = plans(job, layer)
        except DataError:
            planned = None  # said as a fault when the layer was judged
        if planned is None:
            unplanned.append(layer)
            continue
        bed = planned.plan if bed is None or bed.shape != planned.plan.shape else np.maximum(bed, planned.plan)
        for part in np.unique(planned.plan[planned.plan > 0]).tolist():
            found.setdefault(int(part), []).append(layer)
    return found, unplanned, bed
