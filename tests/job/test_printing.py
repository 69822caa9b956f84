from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from platform import machine

import numpy as np
import pytest

from layerwatch import catalogue
from layerwatch.job.layout import fill_bed
from layerwatch.job.machine import Axis
from layerwatch.job.printing import DefectOrder, JobSettings, print_job
from layerwatch.job.ranges import PRESETS
from layerwatch.records import DataError
from tests.job.conftest import machine_of, ring_layers

DEFECTS = catalogue.names("job.defects")


def spoiled(settings: JobSettings, defect: str, severity: float = 4.0, layers: int | None = 3) -> JobSettings:
    return replace(settings, orders=(DefectOrder(defect, severity, settings.first_layer + 2, layers),))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(settings: JobSettings) -> None:
    first, again = list(print_job(settings)), list(print_job(settings))
    other = list(print_job(replace(settings, seed=(0, 2))))
    for a, b, c in zip(first, again, other, strict=True):
        assert a.frame.tobytes() == b.frame.tobytes()
        assert a.plan.tobytes() == b.plan.tobytes()
        assert a.frame.tobytes() != c.frame.tobytes()


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_job_with_a_defect_is_the_healthy_job_until_its_onset_and_differs_where_the_mask_is(
    settings: JobSettings, defect: str
) -> None:
    healthy, sick = list(print_job(settings)), list(print_job(spoiled(settings, defect)))
    onset = settings.first_layer + 2
    for before, after in zip(healthy, sick, strict=True):
        change = np.abs(after.frame.astype(float) - before.frame.astype(float))
        if after.layer < onset:
            assert not change.any()
            assert after.truth.is_healthy
        elif after.truth.is_defective:
            assert after.truth.label == defect
            assert change[after.truth.mask].mean() > 5 * change[~after.truth.mask].mean()
            assert after.truth.mask.mean() < 0.6
        assert np.array_equal(before.plan, after.plan)
    assert [p.truth.is_defective for p in sick[2:5]] == [True] * 3
    assert sick[5].truth.label == "trace"  # heat decays by a factor a layer; it does not stop


@pytest.mark.parametrize("head", ["x", "y"])
@pytest.mark.parametrize("pixels", [48, 130])
@pytest.mark.parametrize("defect", DEFECTS)
def test_every_defect_prints_on_any_bed_and_along_any_axis(defect: str, pixels: int, head: Axis) -> None:
    printer = machine_of(pixels, head)
    settings = JobSettings("job", (5,), printer, fill_bed(ring_layers(), printer), first_layer=8, layers=4)
    printed = list(print_job(spoiled(settings, defect)))
    (record,) = printed[2].truth.defects
    assert 0 < record.severity <= 4.05
    assert printed[2].truth.mask.any()


def test_a_trace_fades_by_the_jobs_decay(settings: JobSettings) -> None:
    order = spoiled(settings, "foreign_object", 8.0, 1)
    healthy, sick = list(print_job(settings)), list(print_job(order))
    change = [np.abs(b.frame.astype(float) - a.frame.astype(float)).sum() for a, b in zip(healthy, sick, strict=True)]
    ratios = [change[i + 1] / change[i] for i in (2, 3)]
    assert all(0.14 < ratio < 0.75 for ratio in ratios)
    assert change[5] < change[4] < change[3] < change[2]


def test_a_job_higher_than_its_part_is_refused(settings: JobSettings) -> None:
    with pytest.raises(DataError, match="the part has 60 layers"):
        list(print_job(replace(settings, first_layer=55, layers=10)))


GOLDEN = {"paper": "f955b0c86d72dd63", "physical": "eca140475c3853a0"}
GOLDEN_MEANS = {"paper": 34239.88, "physical": 17372.47}


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_frames_are_the_same_to_the_bit(settings: JobSettings, preset: str) -> None:
    """SHA-256 of one seed's frames and plans a preset; a change here changes every archive.

    Elsewhere than on 64-bit PCs a processor may contract sums, which moves single bits; there the mean must agree.
    """
    told = sha256()
    job = replace(settings, ranges=PRESETS[preset](), burn_in=10, layers=3)
    frames = []
    for printed in print_job(job):
        told.update(printed.frame.tobytes() + printed.plan.tobytes())
        frames.append(printed.frame)
    assert np.mean(frames) == pytest.approx(GOLDEN_MEANS[preset], rel=1e-4)
    if machine() in {"x86_64", "AMD64"}:
        assert told.hexdigest()[:16] == GOLDEN[preset]
