"""The right frame of each layer is chosen from a stream, and never one with the carriage in view."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from tests.images.streams import Frame, Printer

from layerwatch.images.frame_choice import Choice, Choosing, FrameChooser, coarse
from layerwatch.records import UsageError

LAMP = Choosing(after="lamp", wait=0.3, patience=4.0, lamp=0.35)
MOTION = Choosing(after="motion", wait=0.3, patience=4.0, passes=2)


@dataclass
class Told:
    """What was chosen, with what is really in it."""

    frames: list[Frame] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)

    @property
    def shown(self) -> list[Frame]:
        return [self.frames[int(choice.data)] for choice in self.choices if choice.data]

    @property
    def right(self) -> list[int]:
        return [frame.layer for frame in self.shown if frame.best]


def watched(printer: Printer, wish: Choosing, away: tuple[float, float] = (0.0, 0.0)) -> Told:
    """Frames between the two times never come."""
    told, chooser = Told(), FrameChooser(wish)
    layer, was_away = -1, False
    for frame in printer.frames():
        number = len(told.frames)
        told.frames.append(replace(frame, pixels=frame.pixels[:1]))
        is_away = away[0] <= frame.time < away[1]
        if is_away and not was_away:
            chooser.interrupted()
        was_away = is_away
        if is_away:
            continue
        if wish.after == "trigger" and frame.layer != layer and frame.after_lamp:
            layer = frame.layer
            if (ended := chooser.begin(frame.time)) is not None:
                told.choices.append(ended)
        choice = chooser.see(frame.pixels, frame.time, str(number).encode())
        if choice is not None:
            told.choices.append(choice)
    return told


@pytest.mark.parametrize("wish", [LAMP, MOTION], ids=["lamp", "motion"])
@pytest.mark.parametrize("seed", range(5))
def test_every_layer_gives_its_right_frame_once(seed: int, wish: Choosing) -> None:
    told = watched(Printer(seed, 25, (8.0, 5.0, 10.0)[seed % 3], wish.after == "lamp"), wish)
    assert told.right == list(range(25)), "with a lamp and without, at 5 to 10 frames a second"
    assert not any(frame.carriage for frame in told.shown)
    assert all(not choice.note for choice in told.choices)
    assert [choice.layer for choice in told.choices] == list(range(25))


def test_the_same_frames_give_the_same_choices() -> None:
    printer = Printer(3, 4)
    assert watched(printer, LAMP).choices == watched(printer, LAMP).choices


def test_after_a_trigger_the_first_calm_frame_is_taken() -> None:
    told = watched(Printer(1, 10), replace(LAMP, after="trigger"))
    assert told.right == list(range(10))


def test_a_slow_stream_gives_its_layers_too() -> None:
    told = watched(Printer(1, 20, rate=1.5), replace(LAMP, patience=6.0))
    assert not any(frame.carriage or frame.lamp for frame in told.shown)
    assert set(told.right) <= set(range(20))
    assert len(told.right) == len(set(told.right)) >= 18, "a lamp that passes between two frames is not seen"


def test_a_carriage_that_stops_in_view_is_said_and_not_shown() -> None:
    told = watched(Printer(2, 8, stops_in=4), replace(LAMP, patience=1.0))
    said = {choice.layer: choice.note for choice in told.choices if not choice.data}
    assert list(said) == [4]
    assert "something stands in view" in said[4]
    assert told.right == [0, 1, 2, 3, 5, 6, 7]
    without = watched(Printer(2, 8, has_lamp=False, stops_in=4), replace(MOTION, shortest=4.0, patience=1.0))
    assert not any(frame.carriage for frame in without.shown)
    assert [choice.layer for choice in without.choices if not choice.data] == [4]


@pytest.mark.parametrize("second", range(0, 20, 2))
def test_a_stream_that_was_cut_doubles_no_layer(second: int) -> None:
    told = watched(Printer(4, 8), LAMP, (30.0 + second, 32.0 + second))
    layers = [frame.layer for frame in told.shown]
    assert len(layers) == len(set(layers)) >= 7
    assert not any(frame.carriage for frame in told.shown)


def test_a_view_that_has_changed_is_usual_after_three_spells() -> None:
    """Somebody has moved the camera between two layers."""
    chooser, found = FrameChooser(MOTION), []
    for frame in Printer(0, 16, has_lamp=False).frames():
        pixels = frame.pixels if frame.layer < 8 else np.pad(frame.pixels, ((0, 0), (16, 0)), "edge")[:, :-16]
        choice = chooser.see(pixels, frame.time, b"x")
        found += [frame.layer] if choice is not None and choice.data else []
    assert set(range(8)) <= set(found)
    assert {13, 14, 15} <= set(found), "it has learnt the new view"


def test_what_flickers_inside_the_view_gives_the_calmest_frame_with_a_note() -> None:
    chooser, found = FrameChooser(LAMP), []
    for number, frame in enumerate(Printer(0, 4).frames()):
        pixels = frame.pixels.copy()
        pixels[40:56, 50:58] += 0.2 * (number % 2)  # 1 % of the view
        choice = chooser.see(np.clip(pixels, 0, 1), frame.time, b"x" if frame.best else b"wrong")
        found += [choice] if choice is not None else []
    assert all("the calmest" in choice.note and choice.data == b"x" for choice in found), found
    assert len(found) >= 3


def test_memory_is_bounded() -> None:
    chooser = FrameChooser(LAMP)
    for frame in Printer(0, 20).frames():
        chooser.see(frame.pixels, frame.time, b"x")
        views = [*chooser._usual, *chooser._chosen, *chooser._odds]
        assert len(views) <= 15
        assert all(view.size <= 32 * 32 for view in views)


def test_places_are_means_and_small_views_stay_as_they_are() -> None:
    pixels = np.arange(64 * 96, dtype=np.float32).reshape(64, 96) / 6144
    assert coarse(pixels).shape == (21, 32)
    assert coarse(pixels)[0, 0] == pytest.approx(pixels[:3, :3].mean())
    assert coarse(pixels[:8, :8]).shape == (8, 8)
    assert coarse(pixels[:1, :96]).shape == (1, 32)


@pytest.mark.parametrize(
    "wrong", [{"wait": -1.0}, {"patience": 0.0}, {"passes": 0}, {"calm": 0.1}, {"lamp": 1.0}, {"step": 0.0}]
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        replace(LAMP, **wrong)  # type: ignore[arg-type] # numbers of all kinds
