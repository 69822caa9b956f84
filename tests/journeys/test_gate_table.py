from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from layerwatch import catalogue
from layerwatch.job.machine import default_machine
from layerwatch.journeys.fault_strengths import STRENGTHS, fault_of, strengths_of
from layerwatch.journeys.gate_table import Amounts, Count, GateRow, gate_table, lines_of, rows_of, write_table
from layerwatch.records import UsageError
from tests.journeys.test_cli import box


def test_strengths_move_every_amount_away_from_nothing() -> None:
    for name in catalogue.names("job.faults"):
        assert fault_of(name) == catalogue.load("job.faults", name)()
    gain = [fault_of("changed_gain", strength).gain for strength in STRENGTHS]  # type: ignore[attr-defined] # its own
    assert [(round(i.low, 3), round(i.high, 3)) for i in gain] == [(1.1, 1.4), (1.2, 1.8), (1.3, 2.2)]
    passes = fault_of("fouled_window", "strong").passes  # type: ignore[attr-defined] # its own
    assert (round(passes.low, 3), round(passes.high, 3)) == (0.025, 0.625)
    assert strengths_of("mirrored") == ("usual",)
    with pytest.raises(UsageError, match="mirrored has no strength 'weak'; there are: usual"):
        fault_of("mirrored", "weak")


def test_counts_become_rows() -> None:
    counts = [
        Count("black", "usual", 4, 3, 2),
        Count("black", "usual", 6, 6, 6, 0),
        Count("healthy", n=500, detected=1),
        Count("defect", "4", 100, 1),
        Count("defect", "16", 100, 3),
        Count("defocus", "weak", 10, 2, 2, 3),
    ]
    rows = {(row.fault, row.strength): row for row in rows_of(counts)}
    assert rows["black", "usual"] == GateRow("black", "usual", 0.9, 8 / 9, 10)
    assert rows["false faults per 1,000", ""].detected == 2
    assert rows["defects called faults", "severity 16"].detected == 0.03
    assert rows["defects called faults", ""].detected == 0.02
    assert rows["faults called defects", ""].detected == 3 / 20


def test_a_small_table_is_measured_and_written(tmp_path: Path) -> None:
    machine = replace(default_machine(), width=64, height=64)
    part = box(tmp_path / "part.stl", 150.0, 100.0, 9.0)
    kinds = ("black", "truncated", "wrong_size", "duplicated", "frozen", "dropped", "wrong_job")
    small = Amounts(learn=8, healthy=2, spoiled=1, defective=1, layers=6, severities=(4.0,), presets=("physical",))
    amounts = replace(small, faults=kinds, defects=("short_feed",))
    rows = gate_table(part, machine, amounts)
    told = {(row.fault, row.strength): row for row in rows}
    for kind in kinds[:-1]:
        row = told[kind, strengths_of(kind)[-1]]
        assert (row.detected, row.named) == (1, 1), kind
    assert told["false faults per 1,000", ""].n == 12
    assert len(lines_of(rows)) == len(rows) + 1

    write_table(rows, tmp_path / "gate.csv")
    back = list(csv.DictReader((tmp_path / "gate.csv").read_text(encoding="utf-8").splitlines()))
    assert list(back[0]) == ["fault", "strength", "detected", "named", "n"]
    assert [(row["fault"], row["strength"], int(row["n"])) for row in back] == [
        (r.fault, r.strength, r.n) for r in rows
    ]
    assert np.isfinite([float(row["detected"]) for row in back]).all()


def test_too_little_to_learn_from_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="4 jobs of 25 layers to learn from"):
        gate_table(tmp_path / "none.stl", default_machine(), Amounts(learn=4))
