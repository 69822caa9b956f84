"""One thing from a shelf -> AssertionError with a reason where it breaks what all things of its kind promise.

For people who add things of their own: call the function of the shelf in a test, with an instance or a class.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from layerwatch.crew.base import Crew
from layerwatch.detectors.base import Detector
from layerwatch.images.exports.base import Export
from layerwatch.images.readers.base import Reader
from layerwatch.inspection.cameras.base import Camera, Delivery, Receipt
from layerwatch.inspection.sinks.base import Sink, verdict_message
from layerwatch.job.defects.base import Defect, Scene, Site
from layerwatch.job.faults.base import Arrival
from layerwatch.job.faults.base import Fault as ShotFault
from layerwatch.part.formats.base import Format
from layerwatch.records import DataError, Island, Layer, LayerImage, Shot, Verdict
from layerwatch.testing.images import healthy_images, spoiled_image
from layerwatch.verdict.clusters.base import ClusterMethod
from layerwatch.verdict.reductions.base import Reduction


def check_thing(kind: type[Any], base: type[Any]) -> None:
    """What every thing says of itself: one line what it is, where it comes from, its settings as fields."""
    assert issubclass(kind, base), f"{kind.__name__} must derive from {base.__name__}"
    assert is_dataclass(kind), f"{kind.__name__} must be a dataclass: its settings are its fields"
    for word in ("summary", "source"):
        text = getattr(kind, word, "")
        assert text and "\n" not in text and len(text) <= 120, f"{kind.__name__}.{word} must be one line"
    assert (kind.__doc__ or "").strip(), f"{kind.__name__} needs a docstring"


def check_detector(kind: type[Detector]) -> None:
    """Fitting, reading, storing and refusing."""
    check_thing(kind, Detector)
    images = healthy_images(40)
    train, fresh = images[:32], images[32:]
    fitted = kind.smallest()
    before = _settings(fitted)
    assert fitted.fit(train, seed=3) is fitted, "fit must return the detector itself"
    assert _settings(fitted) == before, "fit must not change settings"

    # Readings come in order, one an image, whatever the company, and do not change the detector.
    arrays = {key: np.array(value) for key, value in fitted.arrays().items()}
    readings = fitted.read(fresh)
    assert [(r.job, r.layer) for r in readings] == [(i.job, i.layer) for i in fresh], "one reading an image, in order"
    assert all(np.isfinite(r.score) for r in readings), "scores must be finite"
    alone = [fitted.read([image])[0].score for image in fresh]
    np.testing.assert_allclose(
        alone, [r.score for r in readings], rtol=1e-3, err_msg="a score must not depend on others"
    )
    for key, value in fitted.arrays().items():
        np.testing.assert_array_equal(value, arrays[key], err_msg=f"reading changed {key}")
    for image, reading in zip(fresh, readings, strict=True):
        if reading.heat is not None:
            assert reading.heat.shape == image.pixels.shape, "a heat map has the image's size"
            assert np.isfinite(reading.heat).all(), "a heat map must be finite"

    # A gross defect scores higher than the same layers without it.
    spoiled = [r.score for r in fitted.read([spoiled_image(image) for image in fresh])]
    higher = np.mean([b > r.score for b, r in zip(spoiled, readings, strict=True)])
    assert higher >= 0.75, f"a gross defect raised the score of {higher:.0%} of the layers only"

    # What was learned can be stored and put back; the same seed learns the same.
    restored = kind.smallest().restore(arrays)
    assert [r.score for r in restored.read(fresh)] == [r.score for r in readings], "restore must give the same scores"
    again = kind.smallest().fit(train, seed=3)
    assert [r.score for r in again.read(fresh)] == [r.score for r in readings], "the same seed must learn the same"
    _refuses_bad_images(kind, train)


def _refuses_bad_images(kind: type[Detector], train: tuple[LayerImage, ...]) -> None:
    broken = replace(train[0], pixels=np.full_like(train[0].pixels, np.nan), name="broken.png")
    small = replace(train[0], pixels=train[0].pixels[:-8], plan=np.asarray(train[0].plan)[:-8], name="small.png")
    flat = [replace(image, pixels=np.full_like(image.pixels, 0.5)) for image in train]
    for images, word in (
        ((), "few"),
        ((*train[1:], broken), "broken.png"),
        ((*train[1:], small), "small.png"),
        (flat, "constant"),
    ):
        _must_refuse(lambda bad=images: kind.smallest().fit(bad, seed=0), word)  # type: ignore[misc] # bound at once
    if "plan" in kind.needs:
        bare = [replace(image, plan=None) for image in train]
        _must_refuse(lambda: kind.smallest().fit(bare, seed=0), "plan")


def check_cluster_method(kind: type[ClusterMethod]) -> None:
    """Two sides of a cohort, the farther one NOK, whatever order, scale and seed."""
    check_thing(kind, ClusterMethod)
    rng = np.random.default_rng(0)
    dimension = kind.max_dimension or 3
    far = np.arange(120) % 9 < 4  # a little less than half
    X = rng.normal(size=(120, dimension)) * np.where(far, 4.0, 1.0)[:, None] + 20.0 * far[:, None]
    before, model = X.copy(), kind()
    assert model.fit(X, seed=1) is model, "fit must return the method itself"
    nok = model.predict(X)
    assert nok.shape == (120,) and nok.dtype == np.bool_, "predict gives one truth value a vector"
    np.testing.assert_array_equal(X, before, err_msg="the cohort must not change")
    assert np.mean(nok == far) > 0.6, "two far sides must be told apart better than by guessing, the farther one NOK"
    np.testing.assert_array_equal(kind().fit(X, seed=1).predict(X), nok, err_msg="the same seed, the same sides")
    np.testing.assert_array_equal(model.predict(X[::-1]), nok[::-1], err_msg="vectors are judged one by one")


def check_reduction(kind: type[Reduction]) -> None:
    """Components by their variance, the first k a reduction to k, nothing of the cohort changed."""
    check_thing(kind, Reduction)
    assert kind.label, "a reduction has a name in Table 2"
    X = np.random.default_rng(0).normal(size=(40, 90)) * np.geomspace(4, 0.5, 90) + 1.0
    before, model = X.copy(), kind()
    assert model.fit(X, 12) is model, "fit must return the reduction itself"
    found = model.apply(X)
    np.testing.assert_array_equal(X, before, err_msg="the cohort must not change")
    assert found.shape == (40, 12), "as many components as were asked for"
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-8, err_msg="the cohort lies around the origin")
    spread = found.var(0)
    assert (np.diff(spread) <= 1e-9 * spread[0]).all(), "the strongest component comes first"
    np.testing.assert_allclose(spread, model.components_.variances, rtol=1e-6, err_msg="variances are those along them")
    np.testing.assert_allclose(kind().fit(X, 5).apply(X), found[:, :5], atol=1e-8, err_msg="the first k stay the same")
    np.testing.assert_allclose(model.apply(X[3:4]), found[3:4], atol=1e-8, err_msg="vectors are projected one by one")
    assert model.explaining(0.0) == 1 and model.explaining(1.0) == 12, "a share asks for at least one, at most all"


def check_defect(kind: type[Defect], machine: Any) -> None:
    """A change in the right place, in proportion to its amount, unique to its seed.

    Args:
        kind: the class.
        machine: any ``layerwatch.job.machine.Machine``.
    """
    check_thing(kind, Defect)
    size = (machine.height, machine.width)
    coverage = np.zeros(size, np.float32)
    coverage[size[0] // 4 : -size[0] // 4, size[1] // 5 : -size[1] // 5] = 1
    level = np.full(size, 40.0, np.float32)
    scene, site, changes = Scene(coverage, level - 4, level, np.zeros(size, np.float32)), Site(machine, coverage), []
    for seed in range(3):
        placement = kind().place(np.random.default_rng(seed), site)
        assert placement.span >= 1 and placement.sign in {1, -1}, "a defect lasts a layer at least, and has a sign"
        before = scene.temperature()
        change = placement.spoil(scene, 2.0 * placement.sign, 0).temperature() - before
        np.testing.assert_array_equal(scene.temperature(), before, err_msg="the scene handed in must not change")
        np.testing.assert_array_equal(
            placement.spoil(scene, 0.0, 0).temperature(), before, "nothing for an amount of 0"
        )
        assert np.isfinite(change).all() and np.abs(change).max() > 0, "an amount must be seen"
        if kind.unit == "K":
            double = placement.spoil(scene, 4.0 * placement.sign, 0).temperature() - before
            np.testing.assert_allclose(double, 2 * change, atol=1e-3, err_msg="a defect in K is linear in its amount")
        same = kind().place(np.random.default_rng(seed), site)
        again = same.spoil(scene, 2.0 * same.sign, 0).temperature() - before
        np.testing.assert_array_equal(again, change, err_msg="the same seed must give the same defect")
        changes.append(change)
    assert not np.array_equal(changes[0], changes[1]), "another seed must give another defect"
    empty = Site(machine, np.zeros(size, np.float32))
    if kind.needs_part:
        _must_refuse(lambda: kind().place(np.random.default_rng(0), empty), "printed")


def check_fault(kind: type[ShotFault], machine: Any) -> None:
    """Some shots of a job are spoiled and marked, the others arrive as they were; no shot is lost unmarked.

    Args:
        kind: the class.
        machine: any ``layerwatch.job.machine.Machine``.
    """
    check_thing(kind, ShotFault)
    shots, other, told = _shots(machine, "job", 0), _shots(machine, "other", 1), []
    before = [_bytes_of(shot) for shot in (*shots, *other)]
    for seed in range(4):
        arrivals = tuple(kind().spoil(shots, np.random.default_rng(seed), machine, other))
        again = tuple(kind().spoil(shots, np.random.default_rng(seed), machine, other))
        told.append([_bytes_of(arrival.shot) for arrival in arrivals])
        assert told[-1] == [_bytes_of(arrival.shot) for arrival in again], "the same seed must spoil the same"
        _check_marks(kind(), shots, arrivals)
    assert [_bytes_of(shot) for shot in (*shots, *other)] == before, "the shots handed in must not change"
    assert any(one != told[0] for one in told), "another seed must spoil otherwise"
    _must_refuse(lambda: tuple(kind().spoil(shots[:1], np.random.default_rng(0), machine, other)), "layers")
    if kind.needs_other:
        _must_refuse(lambda: tuple(kind().spoil(shots, np.random.default_rng(0), machine)), "another job")


def _check_marks(fault: ShotFault, shots: tuple[Shot, ...], arrivals: tuple[Arrival, ...]) -> None:
    """Truth names the fault where it is, and what it does not name is as it was."""
    there = {shot.layer: shot for shot in shots}
    marked = [arrival for arrival in arrivals if arrival.truth.fault]
    sound = [arrival for arrival in arrivals if not arrival.truth.fault]
    assert marked and sound, "some shots must be spoiled and some not"
    assert {arrival.truth.fault for arrival in marked} == {fault.name}, "truth must give the fault's name on the shelf"
    assert all((arrival.shot is not None) == arrival.truth.arrived for arrival in arrivals), (
        "truth says what never came"
    )
    for arrival in sound:
        shot = arrival.shot
        assert shot is not None, "a shot that never came must be marked"
        assert (arrival.truth.job, arrival.truth.layer) == (shot.job, shot.layer), (
            "a sound shot is what it claims to be"
        )
        healthy = replace(there[shot.layer], time=shot.time) if fault.shifts_clock else there[shot.layer]
        assert _bytes_of(shot) == _bytes_of(healthy), "a shot that is not marked must arrive as it was"
    claimed = {arrival.shot.layer if arrival.shot else arrival.truth.layer for arrival in arrivals}
    assert claimed == set(there), "every layer arrives or is said to be missing"
    assert [_bytes_of(a.shot) for a in arrivals] != [_bytes_of(shot) for shot in shots], "something must be spoiled"
    for arrival in marked:
        if arrival.shot is not None:
            shot = arrival.shot
            assert shot.frame.dtype == np.uint16 and shot.frame.ndim == 2 and min(shot.frame.shape) >= 8, "a frame"
            assert shot.bits in {8, 16} and 0 < shot.share <= 1 and np.isfinite(shot.time), "a shot that can be stored"


def _shots(machine: Any, job: str, seed: int) -> tuple[Shot, ...]:
    """Twelve layers of a warm bed with a colder part, in the machine's levels."""
    rng, levels = np.random.default_rng(seed), 2**machine.bits - 1
    rows, columns = np.indices((machine.height, machine.width)) / [[[machine.height]], [[machine.width]]]
    shots = []
    for layer in range(12):
        part = (np.abs(rows - 0.45) < 0.2) & (np.abs(columns - 0.55) < 0.25)
        grey = 0.5 + 0.05 * rows - 0.1 * part + 0.003 * rng.standard_normal(rows.shape)
        frame = (np.rint(grey * levels) * (65535 // levels)).astype(np.uint16)
        shots.append(Shot(job, 40 + layer, machine.layer_time * (layer + 0.9), frame))
    return tuple(shots)


def _bytes_of(shot: Shot | None) -> tuple[Any, ...]:
    """All that a shot is, to be compared."""
    if shot is None:
        return ()
    return (shot.job, shot.layer, shot.time, shot.bits, shot.share, shot.frame.shape, shot.frame.tobytes())


def check_reader(kind: type[Reader]) -> None:
    """Refuses what is no image of its kind, naming the file."""
    check_thing(kind, Reader)
    assert kind.suffixes and all(s == s.lower() and s.startswith(".") for s in kind.suffixes), "suffixes as .png"
    for data in (b"", b"no image at all", bytes(range(256)) * 4):
        _must_refuse(lambda bad=data: kind().read(bad, "layer.img"), "layer.img")  # type: ignore[misc] # bound at once


def check_format(kind: type[Format]) -> None:
    """Refuses what is no file of its kind, and reads back what it writes."""
    check_thing(kind, Format)
    assert kind.suffixes and all(s == s.lower() and s.startswith(".") for s in kind.suffixes), "suffixes as .stl"
    read = kind().read_mesh if kind.read_mesh is not Format.read_mesh else kind().read_layers
    for data in (b"", b"no part at all", bytes(range(256)) * 4):
        _must_refuse(lambda bad=data: read(bad, "part.xyz"), "part.xyz")  # type: ignore[misc] # bound at once
    if kind.write_layers is not Format.write_layers and kind.read_layers is not Format.read_layers:
        square = Island(np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 5.0], [0.0, 5.0]]))
        layers = (Layer(0, 0.3, 0.15, 0.3, (square,), 50.0), Layer(1, 0.6, 0.45, 0.3, (), 0.0))
        data = kind().write_layers(layers, name="square", provenance={})
        back = kind().read_layers(data, "square.xyz")
        assert [(b.index, b.z) for b in back] == [(0, 0.3), (1, 0.6)], "every layer comes back"
        assert abs(back[0].area - 50) < 1e-3 and not back[1].islands, "with the same area"


def check_sink(sink: Sink, seen: Callable[[], str]) -> None:
    """Every message is passed on, in order, before the next one is taken.

    Args:
        sink: a sink of any kind that takes verdicts.
        seen: what has arrived so far, as text.
    """
    check_thing(type(sink), Sink)
    words = (Verdict("job", 1, "OK", 1.0, 2.0, 0.5), Verdict("job", 2, "NOK", 3.0, 2.0, 0.01))
    for verdict in (*words, Verdict("job", 3, "FAULT", reason="no frame")):
        sink.take(verdict_message(verdict))
        assert verdict.word in seen(), f"{verdict.word} must have arrived when take returns"
    text = seen()
    assert text.index('"OK"' if '"OK"' in text else "OK") < text.index("NOK") < text.index("FAULT"), "in order"


def check_camera(camera: Camera, expected: int) -> None:
    """Every frame comes, in order, with its bytes and what it is; or with the reason why that is not known.

    Args:
        camera: a camera of any kind that is told of ``expected`` frames.
        expected: how many it must give before it is stopped.
    """
    check_thing(type(camera), Camera)
    stop, found = Event(), list[Delivery]()
    for delivery in camera.deliveries(stop):
        found.append(delivery)
        delivery.acknowledge(Receipt("new", len(found), ""))
        if len(found) == expected:
            stop.set()
    assert len(found) == expected, f"{len(found)} frames of {expected}: none may be lost"
    known = [one for one in found if not one.unidentified]
    layers = [one.identity.layer for one in known]
    assert layers == sorted(layers), "frames come in layer order"
    assert all(one.data and one.suffix.startswith(".") and one.name for one in known), "bytes, suffix and a name"
    assert not camera.trouble, "nothing is wrong"


def check_export(kind: type[Export], archive: Any) -> None:
    """Something is written, all below the folder, and the same the second time.

    Args:
        kind: the class.
        archive: a small ``layerwatch.images.archive.Archive`` with healthy and defective jobs.
    """
    check_thing(kind, Export)
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder, "a"), Path(folder, "b")
        for out in (first, second):
            out.mkdir()
            assert kind().write(archive, out) > 0, "the number of images written comes back"
        assert _contents(first) == _contents(second), "the same archive must give the same bytes"


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def _settings(thing: Any) -> str:
    own = {f.name: getattr(thing, f.name) for f in fields(thing) if not f.name.endswith("_")}
    return json.dumps(own, default=str, sort_keys=True)


def _must_refuse(call: Callable[[], object], word: str) -> None:
    """The call raises DataError with the word in its message."""
    try:
        call()
    except DataError as error:
        assert word in str(error), f"the message must say {word!r}: {error}"
        return
    raise AssertionError(f"bad input must be refused with a DataError that says {word!r}")


def check_crew(crew: Crew) -> None:
    """Every item is done once, none is no work, and an error of the work comes out as it is."""
    check_thing(type(crew), Crew)
    items = [f"item-{number}" for number in range(7)]
    assert sorted(crew.each(str.upper, items)) == [(item, item.upper()) for item in items], "every item once"
    assert list(crew.each(str.upper, [])) == [], "without items there is nothing to do"
    try:
        list(crew.each(int, ["1", "x", "2"]))
    except ValueError:
        return
    raise AssertionError("the work's own error must come out")
