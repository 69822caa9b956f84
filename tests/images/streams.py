"""A virtual printer under a video camera: sand, prints, a carriage that passes twice a layer, a lamp that sweeps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from scipy import ndimage

HEIGHT, WIDTH = 96, 128
PERIOD = 10.0  # s a layer, about


@dataclass(frozen=True)
class Frame:
    """One frame of the stream, and what is really in it."""

    pixels: Float32[np.ndarray, "h w"]
    time: float  # s
    layer: int  # that the machine is at; -1 before the first
    carriage: bool  # any part of it is in view
    lamp: bool
    after_lamp: bool  # the lamp of this layer has passed, and the carriage has left after it
    best: bool = False  # nothing in view, after everything of this layer


@dataclass(frozen=True)
class Printer:
    """One seed is one set-up: speeds, temperatures, noise, light."""

    seed: int
    layers: int
    rate: float = 8.0  # frames a second
    has_lamp: bool = True
    stops_in: int = -1  # layer in which the carriage stops in view once everything else is done

    def frames(self) -> Iterator[Frame]:
        rng = np.random.default_rng(self.seed)
        base = 0.4 + 0.1 * ndimage.zoom(rng.standard_normal((4, 5)), (24, 25.6), order=1).astype(np.float32)[:96, :128]
        base[:8], base[-8:], base[:, :8], base[:, -8:] = 0.3, 0.3, 0.3, 0.3  # the machine's frame
        noise, steel = rng.uniform(0.005, 0.03), rng.choice([-0.25, -0.15, 0.1])
        lamp, width, speed = rng.uniform(0.45, 0.6), rng.uniform(10, 18), rng.uniform(85, 140)  # grey, px, px/s
        clock, drift = 0.0, 0.0
        starts = 3.0 + np.cumsum([0.0, *rng.uniform(0.9, 1.2, self.layers) * PERIOD])
        while clock < starts[-1]:
            layer = int(np.searchsorted(starts, clock, side="right")) - 1
            passed = clock - starts[max(layer, 0)] if layer >= 0 else -1.0
            drift += rng.normal(0, 0.0005)
            view, there, shines, done = base + np.float32(drift), False, False, False
            travel = (WIDTH + 3 * width) / speed
            if layer >= 0:
                first, second, sweep = 0.3, 0.8 + travel, 1.3 + 2 * travel
                warmth = 0.05 * np.exp(-max(passed - sweep - travel, 0) / 6) if self.has_lamp else 0.0
                out = (passed - first) * speed - 1.5 * width  # px, where the carriage is on its way out, and back
                back = WIDTH + 1.5 * width - (passed - second) * speed
                if layer == self.stops_in:
                    back = max(back, WIDTH / 2)
                columns = np.arange(WIDTH)
                printed = np.where(columns < out, 0.0, _part(self.seed, layer - 1)) if layer else np.float32(0)
                printed = np.where(columns > back, _part(self.seed, layer), printed)
                view = view - 0.12 * printed + np.float32(warmth if passed > sweep or passed < first else 0.0)
                there = _bar(view, out, width, float(steel)) | _bar(view, back, width, float(steel))
                if self.has_lamp:
                    shines = _glow(view, (passed - sweep) * speed - 1.5 * width, width, lamp)
                end = (sweep if self.has_lamp else second) + travel
                done = passed > end and not there
            view = view + noise * rng.standard_normal(view.shape, np.float32)
            best = done and not shines and layer != self.stops_in
            yield Frame(np.clip(view, 0, 1).astype(np.float32), clock, layer, there, shines, done, best)
            clock += rng.uniform(0.8, 1.2) / self.rate


def _part(seed: int, layer: int) -> Float32[np.ndarray, "h w"]:
    """A rounded rectangle that grows and wanders from layer to layer, another one every 25."""
    shape = np.random.default_rng((seed, 1 + max(layer, 0) // 25))
    rows, columns = np.indices((HEIGHT, WIDTH), np.float32)
    y, x = shape.uniform(40, 56), shape.uniform(50, 78)
    h, w = shape.uniform(8, 25) + 0.1 * (layer % 25), shape.uniform(8, 30)
    edge = np.maximum(np.abs(rows - y) - h, np.abs(columns - x - 0.2 * (layer % 25)) - w)
    return np.asarray(np.clip(0.5 - edge, 0, 1), np.float32)


def _bar(view: Float32[np.ndarray, "h w"], place: float, width: float, level: float) -> bool:
    """A carriage across the whole view; whether any of it is in view."""
    first, last = round(place - width / 2), round(place + width / 2)
    if last <= 0 or first >= WIDTH:
        return False
    view[:, max(first, 0) : last] = 0.4 + level
    return True


def _glow(view: Float32[np.ndarray, "h w"], place: float, width: float, light: float) -> bool:
    """The lamp's hood, bright across the whole view."""
    shine = light * np.exp(-(((np.arange(WIDTH) - place) / width) ** 2)).astype(np.float32)
    view += shine
    return bool(shine.max() > 0.02)
