from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from layerwatch import catalogue
from layerwatch.job.faults.base import Arrival, frame_of, heat_of
from layerwatch.job.machine import Axis, Machine, default_machine
from layerwatch.job.printing import JobSettings, print_job
from layerwatch.job.shots import shots_of
from layerwatch.records import DataError, Shot
from layerwatch.testing import contracts

FAULTS = catalogue.names("job.faults")
MACHINES = {
    "long 8-bit bed": replace(
        default_machine(), bed=(800.0, 500.0, 300.0), width=64, height=40, bits=8, head="x", recoater="y"
    ),
    "small tilted bed": replace(
        default_machine(), bed=(60.0, 90.0, 50.0), width=32, height=48, tilt=25.0, span=(15.0, 90.0), layer_time=8.0
    ),
    "16 px": replace(default_machine(), width=16, height=16, head="x", recoater="y", layer_time=86400.0),
}


def spoiled(name: str, shots: Sequence[Shot], machine: Machine, seed: int = 0, **settings: object) -> list[Arrival]:
    other = [replace(s, job="other", frame=np.flip(s.frame).copy()) for s in shots]
    fault = catalogue.load("job.faults", name)(**settings)
    return list(fault.spoil(shots, np.random.default_rng(seed), machine, other))


def bad(arrivals: Sequence[Arrival]) -> list[Arrival]:
    return [arrival for arrival in arrivals if arrival.truth.fault]


def shot_of(arrival: Arrival) -> Shot:
    assert arrival.shot is not None
    return arrival.shot


@pytest.fixture
def machine(settings: JobSettings) -> Machine:
    return settings.machine


@pytest.fixture
def shots(settings: JobSettings) -> tuple[Shot, ...]:
    return shots_of(print_job(settings), settings.machine)


@pytest.mark.parametrize("bed", MACHINES)
@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_happens_on_any_machine(name: str, bed: str) -> None:
    contracts.check_fault(catalogue.load("job.faults", name), MACHINES[bed])


@pytest.mark.parametrize("name", FAULTS)
def test_a_camera_of_8_bits_gives_its_own_levels_only(name: str) -> None:
    machine = MACHINES["long 8-bit bed"]
    shots = contracts._shots(machine, "job", 0)
    for arrival in spoiled(name, shots, machine):
        if arrival.shot is not None and name != "wrong_depth":
            assert not (arrival.shot.frame % 257).any()


def test_shots_tell_the_machines_cycle(settings: JobSettings) -> None:
    plain = shots_of(print_job(settings), settings.machine)
    assert [shot.layer for shot in plain] == list(range(10, 18))
    assert {shot.job for shot in plain} == {"job"}
    np.testing.assert_allclose(np.diff([shot.time for shot in plain]), settings.machine.layer_time)
    jittered = shots_of(print_job(settings), settings.machine, np.random.default_rng(0))
    steps = np.diff([shot.time for shot in jittered]) / settings.machine.layer_time
    assert 0 < np.abs(steps - 1).max() < 0.06


@pytest.mark.parametrize("bits", [8, 16])
def test_degrees_and_levels_are_inverse(bits: int) -> None:
    machine = replace(default_machine(), bits=bits)
    levels = np.arange(2**bits, dtype=np.uint16).reshape(-1, 16) * np.uint16(65535 // (2**bits - 1))
    np.testing.assert_array_equal(frame_of(heat_of(levels, machine), machine), levels)


def test_what_is_frozen_shows_the_last_sound_layer(shots: tuple[Shot, ...], machine: Machine) -> None:
    arrivals = spoiled("frozen", shots, machine)
    first = next(n for n, arrival in enumerate(arrivals) if arrival.truth.fault)
    for arrival in bad(arrivals):
        assert arrival.truth.layer == shots[first - 1].layer
        np.testing.assert_array_equal(shot_of(arrival).frame, shots[first - 1].frame)
    assert len({shot_of(arrival).time for arrival in arrivals}) == len(shots)


def test_a_dropped_layer_is_told_by_truth_alone(shots: tuple[Shot, ...], machine: Machine) -> None:
    arrivals = spoiled("dropped", shots, machine)
    came = [arrival.shot.layer for arrival in arrivals if arrival.shot]
    missing = [arrival.truth.layer for arrival in arrivals if arrival.shot is None]
    assert missing
    assert sorted(came + missing) == [shot.layer for shot in shots]
    assert arrivals[-1].shot is not None  # a gap has two ends


def test_the_wrong_order_goes_with_its_times(shots: tuple[Shot, ...], machine: Machine) -> None:
    for renumbered in (0.0, 1.0):
        arrivals = spoiled("wrong_order", shots, machine, renumbered=renumbered)
        layers, times = ([getattr(shot_of(a), what) for a in arrivals] for what in ("layer", "time"))
        assert (layers == sorted(layers)) == bool(renumbered)
        assert times != sorted(times)
        assert sorted(times) == [shot.time for shot in shots]


def test_times_after_a_pause_or_a_jump_stay_moved(shots: tuple[Shot, ...], machine: Machine) -> None:
    for name in ("power_pause", "clock_jump"):
        off = np.round([shot_of(a).time - s.time for a, s in zip(spoiled(name, shots, machine), shots, strict=True)], 2)
        assert off[0] == 0
        assert len(set(off.tolist())) == 2
        assert np.count_nonzero(np.diff(off)) == 1
    pause = spoiled("power_pause", shots, machine)
    steps = np.diff([shot_of(a).time for a in pause]) / machine.layer_time
    assert sorted(np.round(steps, 6).tolist())[-2:] == [1.0, 10.0]


def test_a_cooled_bed_warms_up_again(shots: tuple[Shot, ...], machine: Machine) -> None:
    pairs = [(shot_of(a), s) for a, s in zip(spoiled("power_pause", shots, machine), shots, strict=True)]
    lost = [float((heat_of(s.frame, machine) - heat_of(a.frame, machine)).mean()) for a, s in pairs]
    cold = [value for value in lost if value]
    assert 1.0 < cold[0] < 8.0
    assert cold == sorted(cold, reverse=True)


@pytest.mark.parametrize("head", ["x", "y"])
@pytest.mark.parametrize("late", [0.0, 1.0])
def test_recoater_and_head_lie_across_their_travel(late: float, head: Axis) -> None:
    machine = replace(default_machine(), head=head, recoater="y" if head == "x" else "x")
    warm = np.full((machine.height, machine.width), 40000, np.uint16)
    shots = [Shot("job", layer, 20.0 * layer, warm) for layer in range(6)]
    (first, *_) = bad(spoiled("late_or_early", shots, machine, late=late))
    steel = heat_of(shot_of(first).frame, machine) < 35.5 if late else heat_of(shot_of(first).frame, machine) < 32
    columns, rows = steel.mean(0).max() > 0.6, steel.mean(1).max() > 0.6
    along = machine.recoater if late else machine.head  # the bar lies across this axis
    assert (columns, rows) == ((True, False) if along == "x" else (False, True))
    off = shot_of(first).time - 20.0 * shot_of(first).layer
    assert 0.5 < abs(off) < 0.3 * machine.layer_time
    assert (off > 0) == bool(late)


def test_a_bump_moves_the_border_too(shots: tuple[Shot, ...], machine: Machine) -> None:
    for seed in range(3):
        (first, *_) = bad(spoiled("bumped_camera", shots, machine, seed))
        before, after = (heat_of(f, machine) for f in (shots[0].frame, shot_of(first).frame))
        border = np.ones(after.shape, bool)
        border[2:-2, 2:-2] = False
        assert after[border].min() < before[border].min() - 3
        assert np.quantile(after, 0.5) == pytest.approx(np.quantile(before, 0.5), abs=1.5)


def test_soft_pictures_keep_the_sensors_noise(shots: tuple[Shot, ...], machine: Machine) -> None:
    for name in ("shutter", "defocus"):
        heat = heat_of(shot_of(bad(spoiled(name, shots, machine))[0]).frame, machine)
        fine = np.median(np.abs(np.diff(heat, n=3, axis=0))) / 0.6745 / np.sqrt(20)  # blind to slopes
        assert fine == pytest.approx(machine.noise, rel=0.3)


@pytest.mark.parametrize(("name", "end"), [("saturated", 65535), ("under_range", 0), ("black", 0)])
def test_ends_of_the_span(name: str, end: int, shots: tuple[Shot, ...], machine: Machine) -> None:
    share = (shot_of(bad(spoiled(name, shots, machine))[0]).frame == end).mean()
    assert share > 0.29
    assert (share == 1) == (name == "black")


def test_skin_and_sleeve_have_their_own_temperatures(shots: tuple[Shot, ...], machine: Machine) -> None:
    for seed in range(4):
        (first, *_) = bad(spoiled("person_in_chamber", shots, machine, seed))
        healthy = next(s for s in shots if s.layer == shot_of(first).layer)
        changed = shot_of(first).frame != healthy.frame
        body = heat_of(shot_of(first).frame, machine)[changed]
        assert 0.03 < changed.mean() < 0.75
        assert changed[0].any() or changed[-1].any() or changed[:, 0].any() or changed[:, -1].any()
        assert 29.3 < np.quantile(body, 0.1) < np.quantile(body, 0.75) < 36.5  # but for its soft rim


def test_files_of_another_form_keep_their_heat(shots: tuple[Shot, ...], machine: Machine) -> None:
    (first, *_) = bad(spoiled("wrong_depth", shots, machine, unscaled=0.0))
    healthy = next(s for s in shots if s.layer == shot_of(first).layer)
    assert shot_of(first).bits == 8
    assert np.abs(shot_of(first).frame * 257.0 - healthy.frame).max() <= 129
    (first, *_) = bad(spoiled("wrong_depth", shots, machine, unscaled=1.0))
    assert shot_of(first).bits == 16
    assert shot_of(first).frame.max() < 256
    (first, *_) = bad(spoiled("wrong_size", shots, machine, binned=1.0))
    assert shot_of(first).frame.shape == (48, 48)
    assert shot_of(first).frame.mean() == pytest.approx(healthy.frame.mean(), rel=0.02)


def test_a_short_job_is_refused_with_the_number_of_layers(shots: tuple[Shot, ...], machine: Machine) -> None:
    with pytest.raises(DataError, match="dropped needs a job of 3 layers to begin in, this one has 2; print more"):
        spoiled("dropped", shots[:2], machine)


def test_spoiled_frames_look_as_they_did() -> None:
    """Mean and spread in degC of the first spoiled frame of some faults; a change here changes every archive."""
    machine = default_machine()
    shots, found = contracts._shots(machine, "job", 0), {}
    for name in ("open_door", "fouled_window", "late_or_early", "person_in_chamber"):
        heat = heat_of(shot_of(bad(spoiled(name, shots, machine))[0]).frame, machine)
        found[name] = (float(heat.mean()), float(heat.std()))
    assert found == {
        "open_door": pytest.approx((38.82, 1.74), abs=0.01),
        "fouled_window": pytest.approx((39.42, 2.16), abs=0.01),
        "late_or_early": pytest.approx((37.99, 3.22), abs=0.01),
        "person_in_chamber": pytest.approx((39.43, 3.08), abs=0.01),
    }
