"""Part files and perhaps a machine file -> the machine that prints them, and the sentence that says which was taken."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from layerwatch.job.machine import Machine, default_machine, read_machine, shipped_machines, shipped_text
from layerwatch.journeys.files import open_layers, open_machine, open_part
from layerwatch.records import DataError

_SMALL = 0.02  # of the job box's longest side; a smaller part is rather one in a larger unit, for a larger machine
_FEWEST = 5.0  # px that the camera must see of a part's shorter side

Fit = Literal["fits", "too large", "too fine"]


def machine_for(parts: Sequence[Path], path: Path | None, unit: str | None = None) -> tuple[Machine, str]:
    """The machine of a file; without one the usual one, or a shipped one whose bed or camera suits the parts better.

    Args:
        parts: STL, 3MF or layer files.
        path: a machine file.
        unit: of the parts; None: guessed for each machine.

    Returns:
        The machine, and the sentence that tells the user which one was taken; empty for the usual ones.

    Raises:
        UsageError: no such file, or an unknown unit.
    """
    if path is not None:
        return open_machine(path), ""
    usual = default_machine()
    found = {_fit(part, usual, unit) for part in parts}
    if found <= {"fits"}:
        return usual, ""
    for name in shipped_machines():
        machine = read_machine(shipped_text(name), name)
        is_larger, is_finer = max(machine.bed) > max(usual.bed), machine.mm_per_px < usual.mm_per_px
        if not (is_larger if "too large" in found else is_finer):
            continue
        if all(_fit(part, machine, unit) == "fits" for part in parts):
            why = "the first one large enough" if is_larger else f"for the usual camera's {usual.mm_per_px:g} mm/px"
            return (
                machine,
                f"machine taken: {name}, {why}{'' if is_larger else ' are too coarse'} (--machine overrides)",
            )
    return usual, ""


def _fit(path: Path, machine: Machine, unit: str | None) -> Fit:
    """Whether the part fits the job box without a doubt of its unit, and the camera can see it."""
    try:
        layered = open_layers(path, machine)
        size = open_part(path, machine, unit).mesh.extent if layered is None else np.array(layered.size)
    except DataError:
        return "too large"  # or broken, which is said when the part is opened to be sliced
    if layered is None and unit is None and float(size.max()) < _SMALL * max(machine.bed):
        return "too large"  # in the next unit
    return "too fine" if float(size[:2].min()) < _FEWEST * machine.mm_per_px else "fits"
