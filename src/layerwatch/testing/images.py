"""A seed -> small healthy layer images with plans, for tests of anything; and hypothesis strategies of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st
from jaxtyping import Float32, UInt8

from layerwatch.records import LayerImage

_LEVELS = (0.55, 0.40)  # grey of bed and part


def healthy_image(seed: int, size: int = 48, *, plan: bool = True) -> LayerImage:
    """A layer with a cool frame-shaped part that lies a little elsewhere each time, warm texture, and noise."""
    rng = np.random.default_rng([seed, 7])
    mask = _plan(size, int(rng.integers(-3, 4)), int(rng.integers(-3, 4)))
    coarse = np.kron(rng.normal(0, 0.008, (-(-size // 6), -(-size // 6))), np.ones((6, 6)))[:size, :size]
    pixels = np.where(mask > 0, _LEVELS[1], _LEVELS[0]) + coarse + rng.normal(0, 0.004, (size, size))
    name = f"healthy-{seed:03d}"
    grey = np.clip(pixels, 0, 1).astype(np.float32)
    return LayerImage(name, seed, grey, 3.0, mask if plan else None, name)


def healthy_images(count: int, size: int = 48, *, first: int = 0, plan: bool = True) -> tuple[LayerImage, ...]:
    """Many of them, each of a job of its own."""
    return tuple(healthy_image(first + number, size, plan=plan) for number in range(count))


def spoiled_image(image: LayerImage, amount: float = 0.3) -> LayerImage:
    """The same layer with a bright square on it, a sixth of the frame wide."""
    size = image.pixels.shape[0]
    spot = np.zeros_like(image.pixels)
    spot[size // 3 : size // 2, size // 3 : size // 2] = amount
    return replace(image, pixels=np.clip(image.pixels + spot, 0, 1).astype(np.float32))


def greys(least: int = 8, most: int = 40) -> st.SearchStrategy[Float32[np.ndarray, "h w"]]:
    """Grey images of any size in a range, with any values in [0, 1]."""

    def drawn(height: int, width: int, seed: int, low: float, high: float) -> Float32[np.ndarray, "h w"]:
        rng = np.random.default_rng(seed)
        return np.asarray(rng.uniform(min(low, high), max(low, high), (height, width)), np.float32)

    side, share = st.integers(least, most), st.floats(0, 1)
    return st.builds(drawn, side, side, st.integers(0, 2**32 - 1), share, share)


def vectors(least: int = 12, most: int = 60, dimension: int = 8) -> st.SearchStrategy[Float32[np.ndarray, "n d"]]:
    """Feature vectors of a cohort with two centres, at any distance and scale."""

    def drawn(count: int, d: int, seed: int, gap: float, scale: float) -> Float32[np.ndarray, "n d"]:
        rng = np.random.default_rng(seed)
        far = np.arange(count) % 2 == 1
        return np.asarray(scale * (rng.normal(size=(count, d)) + gap * far[:, None]), np.float32)

    return st.builds(
        drawn,
        st.integers(least, most),
        st.integers(1, dimension),
        st.integers(0, 2**32 - 1),
        st.floats(0, 20),
        st.floats(1e-3, 1e3),
    )


def _plan(size: int, down: int, right: int) -> UInt8[np.ndarray, "h w"]:
    plan = np.zeros((size, size), np.uint8)
    margin, wall = size // 5, size // 6
    rows = slice(margin + down, size - margin + down)
    columns = slice(margin + right, size - margin + right)
    plan[rows, columns] = 1
    plan[margin + down + wall : size - margin + down - wall, margin + right + wall : size - margin + right - wall] = 0
    return plan
