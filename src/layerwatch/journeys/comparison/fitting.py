"""Healthy jobs, or some that are polluted -> fitted detectors, kept so that a broken comparison need not fit again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from layerwatch.detectors.base import Detector
from layerwatch.job.printing import JobSettings
from layerwatch.journeys.comparison.bench import Fit, images_of, laid
from layerwatch.journeys.comparison.competitors import Competitor, code_hash
from layerwatch.journeys.comparison.groups import Planner, polluted_jobs
from layerwatch.journeys.comparison.kept import Kept, key_of
from layerwatch.journeys.comparison.views import viewed
from layerwatch.journeys.settings_hash import settings_hash
from layerwatch.records import LayerImage, Progress, silent


def jobs_key(jobs: Sequence[JobSettings]) -> str:
    """What the bytes of jobs depend on."""
    return key_of(settings_hash(jobs[0].machine, jobs), asdict(jobs[0].ranges), code_hash("job"))


def fitted(
    planner: Planner, competitors: Sequence[Competitor], fits: Sequence[Fit], kept: Kept, progress: Progress = silent
) -> dict[Fit, Detector]:
    """Every wanted fit; jobs are printed once for all detectors of the same seed and share, frames dropped after.

    Args:
        planner: of the parts to learn from.
        competitors: with the detectors' settings.
        fits: that are wanted.
        kept: where fits of before lie.
        progress: told after each fit.

    Raises:
        DataError: too few images, or a training that diverges.
    """
    by_detector = {(competitor.detector, competitor.view): competitor for competitor in competitors}
    found = dict[Fit, Detector]()
    for seed, share in dict.fromkeys((fit.seed, fit.polluted) for fit in fits):
        jobs = polluted_jobs(planner, seed, share)
        origin, printed = jobs_key(jobs), list[list[LayerImage]]()
        for fit in (fit for fit in fits if (fit.seed, fit.polluted) == (seed, share)):
            competitor = by_detector[fit.detector, fit.view]
            key, detector = key_of(competitor.settings, origin, seed), competitor.built(seed)
            arrays = kept.arrays(fit.name, key)
            if arrays is not None:
                found[fit] = detector.restore(arrays)
            else:
                printed = printed or [laid([layer.image for layer in images_of(job)]) for job in jobs]
                given = [viewed(job, fit.view) for job in printed] if fit.view else printed
                found[fit] = detector.fit([image for job in given for image in job], seed=seed)
                kept.keep_arrays(fit.name, key, detector.arrays())
            progress("fit detectors", len(found), len(fits), fit.detector)
    return found
