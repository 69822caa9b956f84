"""Frames of a stream, one by one -> the one frame of each layer, calm and with nothing in view, or why there is none.

A frame is looked at in coarse places, so that noise averages out. A carriage is what moves over many places, or what
stands at the border of the view, or across it, and was not there before: machines move on rails that begin outside.
What changes inside the view and stands still is a print. A calm frame is given out when the next one is calm too.
Memory is a dozen coarse views and the bytes of two frames.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32
from scipy import ndimage

from layerwatch.records import UsageError

View = Float32[np.ndarray, "rows columns"]

_ALONG = 32  # places along the longer side
_TOP = 0.95  # quantile from which on places are the brightest
_RIM = 10  # part of a side that counts as its border: over the machine's frame a carriage may hardly be seen
_ACROSS = 0.75  # of a side; so far only a carriage reaches
_VIEWS = 6  # kept of each kind
_SURE = 4  # views from which on a place must be like two of them
_FEWEST = 3  # views before anything can be said to be new
_SLOW = 0.5  # s between two frames, from which on what was in view in one may be gone in the next
_SPELLS = 3  # in a row that show the same new view, until it is the usual one


@dataclass(frozen=True)
class Choosing:
    """When a layer is there and which frame will do."""

    after: Literal["lamp", "motion", "trigger"] = "lamp"  # what a layer's frame follows
    wait: float = 0.5  # s after it, before a frame is chosen
    patience: float = 10.0  # s after that, in which a calm frame must come
    shortest: float = 5.0  # s; lamps or passes of the carriage closer together are of one layer
    passes: int = 1  # of the carriage that make a layer, where a frame follows motion
    step: float = 0.05  # grey by which a place must differ to count
    calm: float = 0.005  # share of the view that may differ in a calm frame
    carriage: float = 0.04  # share of the view in one piece, from which on it is a carriage
    lamp: float = 0.2  # grey by which the brightest twentieth of the view rises while the lamp passes

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            UsageError: a setting is out of its bounds.
        """
        for name, is_right, bounds in (
            ("wait", self.wait >= 0, "0 s or more"),
            ("patience", self.patience > 0, "above 0 s"),
            ("shortest", self.shortest > 0, "above 0 s"),
            ("passes", 1 <= self.passes <= 100, "1 to 100"),
            ("step", 0 < self.step < 1, "between 0 and 1, in grey"),
            ("calm", 0 < self.calm < 1, "between 0 and 1, a share of the view"),
            ("carriage", self.calm <= self.carriage < 1, "a share of the view, not less than calm"),
            ("lamp", 0 < self.lamp < 1, "between 0 and 1, in grey"),
        ):
            if not is_right:
                raise UsageError(f"{name} is {getattr(self, name)}; it must be {bounds}")


@dataclass(frozen=True)
class Choice:
    """What became of one layer."""

    layer: int  # counted from 0
    data: bytes = field(repr=False)  # of the frame as they came; empty: there is none
    time: float | None  # s, of the frame, by the clock of the stream
    note: str = ""  # why there is no frame, or what is wrong with it; empty: it is calm


@dataclass(frozen=True, eq=False)
class _Look:
    """What one frame shows, as shares of the view."""

    time: float
    view: View
    moved: float  # largest piece that differs from the frame before
    moved_at_border: float
    moved_all: float  # all places that do
    standing: float  # largest piece at the border that no usual view shows
    new: float  # all places that no usual view shows
    rise: float  # grey, of the brightest places above the usual view
    is_slow: bool  # so long after the frame before that the two need not be alike

    def is_still(self, wish: Choosing) -> bool:
        return self.moved_all <= wish.calm

    def is_calm(self, wish: Choosing) -> bool:
        return (self.is_still(wish) and self.standing <= wish.calm) or (self.is_slow and self.new <= wish.calm)

    def is_free(self, wish: Choosing) -> bool:
        """Nothing comes in from the border, though something may flicker inside."""
        return max(self.standing, self.moved_at_border) <= wish.calm and self.moved < wish.carriage


@dataclass(eq=False)
class _Layer:
    """The layer whose frame is still to be chosen."""

    number: int
    opened: float  # s
    passes: int = 0
    done: float | None = None  # s, when what the frame follows was over
    stands: bool = False  # something stood in view when the last frame came
    calmest: tuple[float, float, bytes] | None = None  # share that moves, s, bytes
    calm: tuple[View, float, bytes] | None = None  # the frame before, where it was calm; s, bytes


@dataclass(eq=False)
class FrameChooser:
    """Sees every frame of a stream once, in order, and gives out at most one for each layer.

    A view that no usual view explains at its border becomes usual when three still spells in a row, with motion
    between them, show it alike: then the camera or the chamber has changed.
    """

    wish: Choosing = field(default_factory=Choosing)
    _count: int = 0
    _layer: _Layer | None = None
    _opened: float = float("-inf")  # s, when the last layer began
    _is_on: bool = False  # the lamp, or a carriage in view
    _since: float = 0.0  # s
    _peak: float = 0.0  # grey, of this lamp
    _before: View | None = None
    _seen_at: float = float("-inf")  # s, of the frame before
    _usual: deque[View] = field(default_factory=lambda: deque(maxlen=_VIEWS))
    _chosen: deque[View] = field(default_factory=lambda: deque(maxlen=_VIEWS))
    _kept_at: float = float("-inf")  # s
    _odd: View | None = None  # of the still spell that lasts
    _odds: list[View] = field(default_factory=list)

    def see(self, pixels: Float32[np.ndarray, "h w"], time: float, data: bytes) -> Choice | None:
        """Look at the next frame; what is given back may be an earlier one.

        Args:
            pixels: grey in [0, 1].
            time: s, by a clock that never goes back.
            data: of the frame's file.
        """
        look = self._look(coarse(pixels), time)
        self._learn(look)
        chosen = self._confirmed(look)
        ended = self._follow(look) if self.wish.after != "trigger" else None
        return chosen or ended or self._choose(look, data)

    def begin(self, time: float) -> Choice | None:
        """The machine tells that a layer's frame can be taken from now on; the layer before ends."""
        ended = self._closed()
        self._open(time).done = time
        return ended

    def interrupted(self) -> None:
        """The stream was cut: the next frame is not compared with the last."""
        self._before = None

    def _look(self, view: View, time: float) -> _Look:
        if self._before is not None and self._before.shape != view.shape:
            self._before = None
            self._usual.clear()
            self._chosen.clear()
            self._odds.clear()
        usual, step = [*self._usual, *self._chosen], self.wish.step
        moved = np.ones(view.shape, bool) if self._before is None else _off(view, self._before) > step
        new = np.zeros(view.shape, bool)
        if len(usual) >= _FEWEST:
            new = np.sort([_off(view, one) for one in usual], 0)[1 if len(usual) >= _SURE else 0] > step
        rise = _top(view - np.median(usual, 0)) if usual else 0.0
        is_slow = time - self._seen_at > _SLOW
        self._before, self._seen_at = view, time
        (piece, edge), (_, standing) = _pieces(moved), _pieces(new)
        known = float(new.mean()) if len(usual) >= _FEWEST else 1.0
        return _Look(time, view, piece, edge, float(moved.mean()), standing, known, rise, is_slow)

    def _learn(self, look: _Look) -> None:
        """Keep still views now and then, and change the mind about what is usual when it has changed."""
        wish = self.wish
        if not look.is_free(wish) and not look.is_still(wish):
            if look.moved >= wish.carriage and self._odd is not None:
                self._odds = [*self._odds, self._odd][-_SPELLS:]
                self._odd = None
            return
        if look.standing > wish.calm:
            self._odd = look.view
            alike = [one for one in self._odds if _pieces(_off(look.view, one) > wish.step)[1] <= wish.calm]
            if len(alike) >= _SPELLS - 1 and len(alike) == len(self._odds):
                self._usual.clear()
                self._chosen.clear()
                self._usual.extend([*self._odds, look.view])
                self._odds, self._odd = [], None
            return
        self._odds, self._odd = [], None
        if not self._is_on and look.time - self._kept_at >= wish.shortest / 10:
            self._usual.append(look.view)
            self._kept_at = look.time

    def _is_happening(self, look: _Look) -> bool:
        """The lamp passes, or the carriage is in view."""
        wish = self.wish
        if wish.after == "motion":
            if self._is_on:
                return max(look.moved, look.standing) > wish.calm
            return max(look.moved, look.standing) >= wish.carriage and len(self._usual) > 0
        self._peak = max(self._peak, look.rise) if self._is_on else look.rise
        return look.rise >= (self._peak / 2 if self._is_on else wish.lamp)

    def _follow(self, look: _Look) -> Choice | None:
        """Begin a layer with its first lamp or pass; the layer before ends."""
        was_on, ended = self._is_on, None
        self._is_on = self._is_happening(look)
        if self._is_on and not was_on:
            self._since = look.time
            if look.time - self._opened >= self.wish.shortest:
                ended = self._closed()
                self._open(look.time)
            elif self._layer is not None:
                self._layer.done = None
        elif was_on and not self._is_on:
            self._end_of_pass(look.time)
        return ended

    def _end_of_pass(self, time: float) -> None:
        if self._layer is None:
            self._opened = max(self._opened, min(time, self._since + self.wish.shortest))
            return
        self._layer.passes += 1
        if self.wish.after == "lamp" or self._layer.passes >= self.wish.passes:
            self._layer.done = time

    def _choose(self, look: _Look, data: bytes) -> Choice | None:
        """Hold a frame that will do; or the end of a layer that has waited long enough."""
        layer, wish = self._layer, self.wish
        if layer is None:
            return None
        layer.stands = look.standing > wish.calm
        if layer.done is None:
            if self._is_on and look.time - self._since > wish.shortest + wish.wait + wish.patience:
                return self._stopped()
            is_over = not self._is_on and look.time - layer.opened > wish.shortest
            return self._closed() if is_over else None
        waited = look.time - layer.done
        if waited >= wish.wait and look.is_calm(wish):
            layer.calm = (look.view, look.time, data)
        elif waited >= wish.wait and look.is_free(wish):
            layer.calmest = min(layer.calmest or (2.0, 0.0, b""), (look.moved_all, look.time, data), key=lambda c: c[0])
        return self._closed() if waited > wish.wait + wish.patience and layer.calm is None else None

    def _confirmed(self, look: _Look) -> Choice | None:
        """The calm frame before this one, unless this one shows that something was just coming in."""
        layer = self._layer
        if layer is None or layer.calm is None:
            return None
        (view, time, data), layer.calm = layer.calm, None
        if not look.is_slow and not look.is_still(self.wish):
            return None
        self._layer = None
        self._chosen.append(view)
        return Choice(layer.number, data, time)

    def _open(self, time: float) -> _Layer:
        self._layer = layer = _Layer(self._count, time)
        self._count, self._opened = self._count + 1, time
        return layer

    def _stopped(self) -> Choice | None:
        if self._layer is None:
            return None
        number, self._layer = self._layer.number, None
        what = "the lamp stays in view" if self.wish.after == "lamp" else "something stands in view"
        return Choice(number, b"", None, f"no frame: {what}")

    def _closed(self) -> Choice | None:
        """The end of a layer for which no calm frame came."""
        layer, self._layer = self._layer, None
        if layer is None:
            return None
        if layer.done is None and self.wish.after == "motion":
            seen = f"{layer.passes} of {self.wish.passes} passes of the carriage were seen"
            return Choice(layer.number, b"", None, f"no frame: {seen}")
        if layer.calmest is not None:
            share, time, data = layer.calmest
            return Choice(layer.number, data, time, f"the calmest, but {share:.1%} of the view moved")
        why = "something stands in view" if layer.stands else "no calm frame came"
        return Choice(layer.number, b"", None, f"no frame: {why}")


def coarse(pixels: Float32[np.ndarray, "h w"]) -> View:
    """Means of square places, at most 32 along the longer side; what is left over at the far edges is not looked at."""
    side = max(-(-max(pixels.shape) // _ALONG), 1)
    rows, columns = (max(length // side, 1) for length in pixels.shape)
    high, wide = min(side, pixels.shape[0]), min(side, pixels.shape[1])
    cut = pixels[: rows * high, : columns * wide]
    return np.asarray(cut.reshape(rows, high, columns, wide).mean((1, 3)), np.float32)


def _off(view: View, other: View) -> View:
    """How far places differ, where neither the light of the whole view nor that of the bed alone explains it, grey."""
    difference = view - other
    return np.asarray(np.minimum(np.abs(difference), np.abs(difference - np.median(difference))), np.float32)


def _top(difference: View) -> float:
    return float(difference[difference >= np.quantile(difference, _TOP)].mean())


def _pieces(mask: Bool[np.ndarray, "rows columns"]) -> tuple[float, float]:
    """Share of the largest piece, and of the largest at the border or across the view; small gaps are bridged."""
    if not mask.any():
        return 0.0, 0.0
    labels, count = ndimage.label(ndimage.binary_dilation(mask, np.ones((3, 3), bool)))
    sizes = np.bincount(labels[mask], minlength=count + 1)
    rows, columns = (max(length // _RIM, 1) for length in mask.shape)
    inside = np.zeros(mask.shape, bool)
    inside[rows:-rows, columns:-columns] = True
    entering = set(np.unique(labels[~inside]).tolist())
    for number, (high, wide) in enumerate(ndimage.find_objects(labels), 1):
        reach = max((high.stop - high.start) / mask.shape[0], (wide.stop - wide.start) / mask.shape[1])
        entering |= {number} if reach >= _ACROSS else set()
    return float(sizes.max() / mask.size), float(max(sizes[number] for number in entering | {0}) / mask.size)
