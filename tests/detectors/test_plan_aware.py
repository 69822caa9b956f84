"""The plan-aware detector: a job's past makes faint things loud, what stays is not forgotten, and words are right."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from layerwatch.detectors.plan_aware import PlanAware
from layerwatch.detectors.signals.questions import LATE, NOW, QUESTIONS
from layerwatch.detectors.signals.scale import Scale, Standing
from layerwatch.records import DataError, LayerImage, Reading
from layerwatch.verdict.localise import fit_spread, localise

SIZE, LAYERS, ONSET = 64, 18, 14
NOISE = 0.004  # grey


def job(seed: int, *, layers: int = LAYERS, pattern: float = 0.008) -> list[LayerImage]:
    """A part that widens a little each layer, smooth texture, noise, and a camera pattern that the whole job shares."""
    rng = np.random.default_rng([seed, 11])
    fixed = rng.normal(0, pattern, (SIZE, SIZE))
    rows, columns = np.indices((SIZE, SIZE)) + 0.5
    images = []
    for layer in range(layers):
        half = 12 + 0.1 * layer
        inside = np.clip(half - np.abs(columns - 32) + 0.5, 0, 1) * np.clip(14 - np.abs(rows - 30) + 0.5, 0, 1)
        texture = np.real(np.fft.ifft2(np.fft.fft2(rng.normal(size=(SIZE, SIZE))) * _blur(3.0)))
        grey = 0.5 - 0.05 * inside + 0.01 * texture / texture.std() + fixed + rng.normal(0, NOISE, (SIZE, SIZE))
        coverage = np.rint(255 * inside).astype(np.uint8)
        plan = (inside > 0.5).astype(np.uint8)
        name = f"job-{seed}/{layer}"
        images.append(
            LayerImage(f"job-{seed}", layer, grey.astype(np.float32), 2.0, plan, name, (20.0, 60.0), coverage)
        )
    return images


def _blur(px: float) -> np.ndarray:
    v, u = np.fft.fftfreq(SIZE)[:, None], np.fft.fftfreq(SIZE)[None, :]
    return np.asarray(np.exp(-2 * np.pi**2 * px**2 * (u**2 + v**2)))


def spoiled(images: list[LayerImage], extra: np.ndarray, first: int = ONSET) -> list[LayerImage]:
    return [
        image if image.layer < first else replace(image, pixels=(image.pixels + extra).astype(np.float32))
        for image in images
    ]


def spot(row: float, column: float, radius: float, amount: float) -> np.ndarray:
    rows, columns = np.indices((SIZE, SIZE)) + 0.5
    return np.asarray(amount * np.clip(radius - np.hypot(rows - row, columns - column) + 0.5, 0, 1))


def scores(readings: tuple[Reading, ...]) -> np.ndarray:
    return np.array([reading.score for reading in readings])


def test_the_jobs_past_makes_a_faint_spot_loud() -> None:
    detector = PlanAware()
    images = spoiled(job(1), spot(32.5, 34.5, 1.0, 0.05))
    followed, alone = scores(detector.follow(images)), scores(detector.read(images))
    healthy = scores(detector.follow(job(1)))
    assert followed[ONSET:].min() > healthy[8:].max() + 0.5, "a spot of a camera pattern's size is found at once"
    assert alone[ONSET:].max() < followed[ONSET:].min(), "without the past it drowns in the camera's pattern"


def test_the_finding_says_what_where_and_how_much() -> None:
    reading = PlanAware().follow(spoiled(job(2), spot(32, 34, 2.2, 0.03)))[ONSET + 2]
    found = reading.finding
    assert found is not None
    assert (found.kind, found.part, found.layers) == ("blob", 1, 3)
    assert (found.x, found.y) == pytest.approx((2 * 34, 2 * 32), abs=3)
    assert found.amplitude == pytest.approx(40 * 0.03, rel=0.35), "kelvin, by the span of the grey"
    assert found.text.startswith("spot, ")
    assert found.text.endswith("3 layers")
    assert reading.heat is not None
    row, column = np.unravel_index(int(np.abs(reading.heat).argmax()), reading.heat.shape)
    assert np.hypot(row - 32, column - 34) < 4


@pytest.mark.parametrize(
    ("angle", "words"), [(90, "along the head's travel"), (0, "along the recoater's travel"), (45, "at 45 degrees")]
)
def test_a_line_at_any_angle_is_named_by_the_machines_axes(angle: int, words: str) -> None:
    rows, columns = np.indices((SIZE, SIZE)) - 31.5
    a = np.radians(angle)
    length, width = np.cos(a) * columns + np.sin(a) * rows, np.cos(a) * rows - np.sin(a) * columns
    line = 0.015 * np.clip(1.1 - np.abs(width), 0, 1) * (np.abs(length) < 18)
    found = PlanAware().follow(spoiled(job(3), line))[ONSET].finding
    assert found is not None
    assert found.kind in {"line", "stripe"}
    assert words in found.text


def test_a_print_that_jumps_is_a_shift_in_mm() -> None:
    images = job(4)
    part = [np.asarray(image.coverage, np.float32) / 255 for image in images]
    moved = [
        i if i.layer < ONSET else replace(i, pixels=i.pixels - np.float32(0.05) * (np.roll(p, 1, 1) - p))
        for i, p in zip(images, part, strict=True)
    ]
    found = PlanAware().follow(moved)[ONSET].finding
    assert found is not None
    assert found.kind == "shift"
    assert 1.0 < found.amplitude < 4.0, (
        "one pixel is 2 mm; earlier heat does not move, so a factor of two is all it tells"
    )


def test_the_same_layer_of_the_other_head_axis_has_other_words() -> None:
    rows, columns = np.indices((SIZE, SIZE)) - 31.5
    images = spoiled(job(5), 0.02 * (np.abs(columns) < 1) * (np.abs(rows) < 18))
    first, second = (PlanAware(head=head).follow(images)[ONSET].finding for head in ("y", "x"))
    assert "head's" in getattr(first, "text", "")
    assert "recoater's" in getattr(second, "text", "")


def test_the_rim_of_a_strong_defect_is_right_to_a_pixel() -> None:
    detector = PlanAware()
    healthy, images = job(100), spoiled(job(101), spot(40, 26, 4.0, 0.12))
    sound = detector.follow(healthy)[8:]
    spread = fit_spread([np.asarray(one.heat) for one in sound], [image.plan for image in healthy[8:]])
    readings = detector.follow(images)
    for reading, image in list(zip(readings, images, strict=True))[ONSET : ONSET + 3]:
        box = localise(np.asarray(reading.heat), image.plan, 1.0, spread)[0].box
        assert np.abs(np.subtract(box, (36, 22, 44, 30))).max() <= 1, box


def test_what_stays_is_not_learnt_as_healthy() -> None:
    readings = PlanAware().follow(spoiled(job(6, layers=34), spot(32, 34, 2.2, 0.03)))
    assert scores(readings)[ONSET:].min() > 1, "a defect that lasts is loud on every layer"
    assert getattr(readings[-1].finding, "layers", 0) == 34 - ONSET


def test_a_defect_from_the_first_layer_on_is_found() -> None:
    healthy = [image for seed in range(10, 18) for image in job(seed, layers=4)]
    detector = PlanAware().fit(healthy)
    readings = detector.follow(spoiled(job(7, layers=4), spot(32, 34, 2.2, 0.15), first=0))
    assert scores(readings)[:3].max() > 1.5


def test_what_a_job_has_from_its_start_is_held_against_other_jobs() -> None:
    """A faint line on every layer: part of the job's own reference, yet no healthy job has one."""
    fit = [image for seed in range(30, 38) for image in job(seed, pattern=0.001)]
    line = np.zeros((SIZE, SIZE))
    line[50, 6:58] = 0.012
    spoilt = [spoiled(job(seed, pattern=0.001), line, first=0) for seed in (95, 96)]
    knowing, alone = PlanAware().fit(fit), PlanAware()
    sound = max(scores(knowing.follow(job(seed, pattern=0.001))).max() for seed in (95, 96))
    assert all(scores(knowing.follow(one))[4:].max() > max(sound, 1) + 0.5 for one in spoilt)
    assert all(scores(alone.follow(one))[4:].max() < scores(knowing.follow(one))[4:].max() for one in spoilt)


@pytest.mark.parametrize("share", [0.05, 0.1])
def test_a_polluted_history_teaches_what_a_clean_one_does(share: float) -> None:
    rng = np.random.default_rng(3)
    clean = [rng.gumbel(4.0, 0.5, (24, len(QUESTIONS))) for _ in range(24)]
    spoilt = [answers.copy() for answers in clean]
    for answers in spoilt[: round(share * 24 * 24 / 8)]:
        answers[14:22, 3] += 6
    a, b = Scale.learnt(clean, 0), Scale.learnt(spoilt, 0)
    np.testing.assert_allclose(b.reach[-1, 3], a.reach[-1, 3], rtol=0.35)
    np.testing.assert_allclose(b.centre[-1], a.centre[-1], atol=0.3)


def test_fitting_survives_a_twentieth_of_defective_layers() -> None:
    jobs = [job(seed, layers=14) for seed in range(20, 28)]
    clean = PlanAware().fit([image for one in jobs for image in one])
    jobs[0] = spoiled(jobs[0], spot(32, 34, 2.2, 0.05), first=8)
    polluted = PlanAware().fit([image for one in jobs for image in one])
    images = spoiled(job(8), spot(32, 34, 2.2, 0.02))
    a, b = (scores(detector.follow(images))[ONSET:].mean() for detector in (clean, polluted))
    assert b > 0.8 * a


def test_half_of_healthy_layers_lie_below_nought_and_few_above_one() -> None:
    fit = [image for seed in range(30, 38) for image in job(seed)]
    fresh = [image for seed in range(50, 54) for image in job(seed)]
    found = scores(PlanAware().fit(fit).follow(fresh))
    assert np.mean(found < 0) == pytest.approx(0.5, abs=0.2)
    assert np.mean(found > 1) < 0.08


def test_a_job_may_be_longer_than_those_learnt_from() -> None:
    short = [image for seed in range(70, 82) for image in job(seed, layers=10)]
    detector = PlanAware().fit(short)
    found = np.array([scores(detector.follow(job(seed, layers=36)))[10:] for seed in (90, 91, 92)])
    assert np.mean(found > 1) < 0.15
    assert np.median(found) < 0.6


def test_a_gap_or_another_job_begins_anew() -> None:
    detector, images = PlanAware(), job(9)
    other = [replace(image, job="other") for image in images[:6]]
    mixed = [one for pair in zip(images[:6], other, strict=True) for one in pair]
    readings = detector.follow(mixed)
    np.testing.assert_array_equal(scores(readings)[::2], scores(readings)[1::2])
    gap = detector.follow([*images[:6], *images[12:]])
    assert np.isfinite(scores(gap)).all()


def test_nan_pixels_say_nothing() -> None:
    images = job(60)
    holed = [replace(image, pixels=image.pixels.copy()) for image in images]
    for image in holed:
        image.pixels[2:5, 2:5] = np.nan
    a, b = (scores(PlanAware().follow(some)) for some in (images, holed))
    assert np.isfinite(b).all()
    assert b[8:].max() < max(a[8:].max(), 1) + 0.5


@pytest.mark.parametrize("filled", [0.0, 1.0])
def test_an_empty_layer_and_a_full_one_are_read(filled: float) -> None:
    images = [
        replace(
            image,
            plan=np.full((SIZE, SIZE), int(filled), np.uint8),
            coverage=np.full((SIZE, SIZE), int(255 * filled), np.uint8),
        )
        for image in job(61)
    ]
    assert np.isfinite(scores(PlanAware().follow(images))).all()


def test_a_layer_without_a_plan_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="job-62/0: no plan"):
        PlanAware().begin("job-62").update(replace(job(62, layers=1)[0], plan=None))


def test_frames_of_another_size_are_refused() -> None:
    running = PlanAware().begin("j")
    image = job(63, layers=2)
    running.update(image[0])
    small = replace(image[1], pixels=image[1].pixels[:-8], plan=image[1].plan[:-8], coverage=image[1].coverage[:-8])  # type: ignore[index] # it has them
    with pytest.raises(DataError, match=r"64 x 56 pixels.*64 x 64"):
        running.update(small)


def test_what_is_asked_of_the_last_layers_is_asked_of_the_layer_too() -> None:
    assert set(LATE) <= set(NOW)


def test_a_jobs_own_answers_cannot_excuse_what_no_healthy_job_shows() -> None:
    standing = Standing(Scale())
    loud = Scale().centre[-1] + 6 * Scale().reach[-1]
    told = [standing.take(loud).score for _ in range(30)]
    assert min(told) > 1
    assert all(b <= a + 1.5 for a, b in pairwise(told[12:]))


def answers(loudness: float) -> np.ndarray:
    return np.asarray(Scale().centre[-1] + loudness * Scale().reach[-1])


def last_score(past: list[float], last: float, *, widens: bool = True) -> float:
    """Of a layer behind others, each as loud as told: 0 in the middle of healthy ones, 1 at their 99th percentile."""
    standing = Standing(Scale(), widens=widens)
    return [standing.take(answers(loudness)).score for loudness in [*past, last]][-1]


def test_a_restless_job_is_held_to_a_wider_scale_and_a_defect_does_not_widen_it() -> None:
    loud = [1.2, 0.0] * 10  # of a job whose healthy layers come and go
    assert last_score(loud, 3.0) < 0.9 * last_score(loud, 3.0, widens=False)
    calm, broken = [0.0] * 20, [0.0] * 14 + [6.0] * 6
    assert last_score(calm, 3.0) == pytest.approx(last_score(calm, 3.0, widens=False))
    assert last_score(broken, 6.0) == pytest.approx(last_score(broken, 6.0, widens=False))


def test_the_first_layers_are_held_to_a_wider_scale() -> None:
    assert last_score([], 6.0) == pytest.approx(last_score([], 6.0, widens=False) / 1.25)
