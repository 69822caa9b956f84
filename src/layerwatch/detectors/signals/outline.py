"""A frame and its nominal outline -> what the outline explains (levels, place, sharpness), and the rest. Sizes in px.

A layer is modelled as ``a = s p + (1 - s) b`` with the softened share s of the part and two smooth fields, the levels p
of the part and b of the bed, found around every pixel by normalised convolution (Knutsson and Westin 1993). Where the
outline lies and how sharp it is, is found by least squares among what those fields leave (Frisch and Waugh 1933).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from layerwatch.detectors.signals.filters import Image, blurred, spread
from layerwatch.records import LayerImage

Stack = Float32[np.ndarray, "k h w"]

_BLUR = 0.7  # px, optics assumed for the outline
_OTHER_BLURS = (0.35, 1.0, 1.5)  # px
_NARROW, _WIDE = 2.0, 6.0  # px, how far around a pixel its levels are taken
_WANDER = 0.07  # px, healthy outlines miss their place by about that much along each axis


@dataclass(frozen=True, eq=False)
class Explained:
    """One frame, taken apart."""

    share: Image  # of the part at each pixel, softened by the optics
    nearness: Int64[np.ndarray, "h w"]  # to the outline, in 8 steps
    rest: Image  # what levels, place and sharpness leave, in grey
    still: Image  # what levels and sharpness leave: the outline's displacement is still in it
    contrast: Image  # p - b around every pixel, in grey
    shift: float  # px, how far the print lies from its plan, drawn towards 0 where the outline hardly tells


@dataclass(frozen=True, eq=False)
class _Levels:
    """What p and b of any image on this outline need: the outline's own moments around every pixel."""

    s: Image
    px: float  # how far around a pixel levels are taken
    pp: Image
    pb: Image
    bb: Image

    @classmethod
    def around(cls, s: Image, px: float) -> _Levels:
        """The moments of an outline."""
        bed = 1 - s
        pp, pb, bb = blurred(np.stack([s * s, s * bed, bed * bed]), px)
        least = np.float32(1e-4)  # where one side is far away its level is of no matter
        return cls(s, px, pp + least, pb, bb + least)

    def of(self, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The fields p and b that explain ``a``, one image or many, best around every pixel."""
        pa, ba = blurred(np.stack([self.s * a, (1 - self.s) * a]), self.px)
        determinant = self.pp * self.bb - self.pb * self.pb
        return (self.bb * pa - self.pb * ba) / determinant, (self.pp * ba - self.pb * pa) / determinant

    def rest(self, a: np.ndarray) -> np.ndarray:
        """What those fields do not explain."""
        p, b = self.of(a)
        return np.asarray(a - self.s * p - (1 - self.s) * b, np.float32)


def explain(image: LayerImage) -> Explained:
    """Take a frame apart by its plan.

    Args:
        image: must carry a plan; the outline is known more sharply with ``coverage``.
    """
    a = image.pixels - image.pixels.mean()
    share = share_of_part(image)
    s = np.clip(blurred(share, _BLUR), 0, 1)
    places, shapes = _places(s), np.concatenate([_blurs(share, s), _curvatures(s)])
    known = np.concatenate([places, shapes])
    narrow = _Levels.around(s, _NARROW)
    left = narrow.rest(np.concatenate([known, a[None]]))
    seen, left = left[-1], left[:-1]
    weights = _least_squares(left, seen)
    rest = np.asarray(seen - np.tensordot(weights, left, 1), np.float32)
    clean = np.asarray(a - np.tensordot(weights, known, 1), np.float32)
    still = np.asarray(rest + np.tensordot(weights[:2], left[:2], 1), np.float32)
    p, b = _Levels.around(s, _WIDE).of(clean)
    near = np.minimum((4 * s * (1 - s) * 8).astype(np.int64), 7)
    return Explained(s, near, rest, still, p - b, _shift(weights[:2], left, rest, p - b, s))


def share_of_part(image: LayerImage) -> Image:
    """Share of each pixel inside the nominal outline; 0 or 1 where only the plan is known."""
    if image.coverage is not None:
        return image.coverage.astype(np.float32) / np.float32(255)
    return (np.asarray(image.plan) > 0).astype(np.float32)


def _places(s: Image) -> Stack:
    """Derivatives along rows and columns: what a small displacement of the outline adds."""
    return np.stack(np.gradient(s)).astype(np.float32)


def _curvatures(s: Image) -> Stack:
    rows, columns = np.gradient(s)
    return np.stack([np.gradient(rows, axis=0), np.gradient(rows, axis=1), np.gradient(columns, axis=1)])


def _blurs(share: Image, s: Image) -> Stack:
    return np.stack([blurred(share, sigma) - s for sigma in _OTHER_BLURS])


def _least_squares(left: Stack, seen: Image) -> Float64[np.ndarray, " k"]:
    A = left.reshape(len(left), -1).astype(np.float64)
    gram = A @ A.T
    return np.asarray(np.linalg.lstsq(gram, A @ seen.ravel().astype(np.float64), rcond=1e-10)[0])


def _shift(moved: Float64[np.ndarray, " 2"], left: Stack, rest: Image, contrast: Image, s: Image) -> float:
    """Most likely displacement in px, given what the frame tells and how far healthy outlines wander."""
    edge = s * (1 - s) + 1e-6
    level = abs(float((contrast * edge).sum() / edge.sum())) + 1e-9
    A = left.reshape(len(left), -1).astype(np.float64)
    places, shapes = A[:2], A[2:]
    own = places - np.linalg.lstsq(shapes.T, places.T, rcond=1e-5)[0].T @ shapes
    told = own @ own.T / spread(rest) ** 2
    likely = np.linalg.solve(told + np.eye(2) / (level * _WANDER) ** 2, told @ moved)
    return float(np.hypot(*likely)) / level


def strongest_steps(
    explained: Explained,
    places: tuple[float, ...] = tuple(np.linspace(0.15, 0.85, 13)),
    widths: tuple[float, ...] = (1.0, 8.0),
) -> tuple[float, float]:
    """How clearly the part's level changes across a line, along rows and along columns, in standard errors.

    Args:
        explained: the frame, taken apart.
        places: of the line, as shares of the part's extent.
        widths: px, of the change.
    """
    return tuple(_step(explained, axis, places, widths) for axis in (0, 1))  # type: ignore[return-value] # two axes


def _step(explained: Explained, axis: int, places: tuple[float, ...], widths: tuple[float, ...]) -> float:
    weight = explained.share.sum(1 - axis).astype(np.float64)
    profile = (explained.contrast * explained.share).sum(1 - axis) / np.maximum(weight, 1e-3)
    there = np.flatnonzero(weight > 2)
    if len(there) <= 12:
        return 0.0
    y, w = profile[there].astype(np.float64), weight[there]
    k = np.arange(len(there))
    x = np.stack([np.clip((k - place * len(k)) / width + 0.5, 0, 1) for place in places for width in widths])
    x, y = x - (x @ w / w.sum())[:, None], y - y @ w / w.sum()
    xx = (x * x) @ w + 1e-9
    slope = (x * y) @ w / xx
    unexplained = np.maximum((y * y) @ w - slope**2 * xx, 0) + 1e-12
    return float(np.abs(slope * np.sqrt(xx / unexplained)).max())
