"""A weighed residual -> matched filter answers: blobs, lines at any angle, stripes over the frame, steps and bands.

Each answer is a z: what the filter gives over the standard deviation that healthy residuals of that covariance give
(North 1943). Its amplitude is in the unit of the frame, of a template of height 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Complex64, Float32, Float64
from scipy import fft, ndimage

from layerwatch.detectors.signals.filters import blurred, gaussian
from layerwatch.detectors.signals.own import Own
from layerwatch.detectors.signals.planes import Image, back, forward, weights
from layerwatch.detectors.signals.textures import Covariance

_OPTICS = 0.7  # px
_RADII = (0.5, 1.2, 2.2, 3.5, 5.5, 9.0, 15.0)  # px
_LINES = ((1.2, 12.0, 4), (1.2, 40.0, 8), (3.0, 40.0, 4), (3.0, 120.0, 8))  # px across, px along, angles in half a turn
_ALWAYS = 6.0  # px, radius up to which blobs are looked for in any frame
_SHARE = 0.05, 0.35  # of the frame's shorter side: the largest blob and the longest line
_STRIPES = (1.0, 2.0, 3.5)  # px
_RAMPS = (1.0, 4.0, 8.0)  # px
_EVERY = 3  # px between two ramps
_LEAST = 0.02  # of all that a profile can tell, that a step must be able to


@dataclass(frozen=True)
class Answer:
    """The loudest answer of one kind of filter."""

    kind: str  # as in questions.QUESTIONS
    z: float
    row: float = float("nan")  # px
    column: float = float("nan")
    extent: float = 0.0  # px: diameter, width, ramp
    amplitude: float = 0.0  # unit of the frame, signed
    angle: float | None = None  # degrees, 0 along image rows, 90 along columns


@dataclass(frozen=True, eq=False)
class _Bank:
    kinds: tuple[str, ...]
    extents: tuple[float, ...]
    angles: tuple[float | None, ...]
    transfers: Complex64[np.ndarray, "k h f"]
    energies: Float32[np.ndarray, "k n"]  # weights of the whole plane included


@cache
def _bank(shape: tuple[int, int]) -> _Bank:
    short = min(shape)
    v, u = (np.minimum(i, n - i) * np.where(i > n // 2, -1, 1) for i, n in zip(np.indices(shape), shape, strict=True))
    made: list[tuple[str, float, float | None, np.ndarray]] = [
        ("blob", 2 * radius, None, np.clip(radius - np.hypot(v, u) + 0.5, 0, 1))
        for radius in _RADII
        if radius < _ALWAYS or radius < _SHARE[0] * short
    ]
    made += [
        ("line", across, 180.0 * k / turns, _bar(v, u, across, along, np.pi * k / turns))
        for across, along, turns in _LINES
        if along <= max(40.0, _SHARE[1] * short)
        for k in range(turns)
    ]
    blur = gaussian(shape, _OPTICS, _OPTICS)
    transfers = forward(np.stack([one[3] for one in made]).astype(np.float32)) * blur
    energies = (np.abs(transfers) ** 2 * weights(shape) / (shape[0] * shape[1])).reshape(len(made), -1)
    kinds, extents, angles = zip(*(one[:3] for one in made), strict=True)
    return _Bank(kinds, extents, angles, transfers, energies.astype(np.float32))


def _bar(v: np.ndarray, u: np.ndarray, across: float, along: float, angle: float) -> np.ndarray:
    length, width = np.cos(angle) * u + np.sin(angle) * v, np.cos(angle) * v - np.sin(angle) * u
    bar = np.clip(across / 2 - np.abs(width) + 0.5, 0, 1) * np.clip(along / 2 - np.abs(length) + 0.5, 0, 1)
    return np.asarray(bar)


def compact(solved: Image, covariance: Covariance) -> tuple[list[Answer], Image]:
    """The loudest blob and the loudest line, and at each pixel the answer of the loudest small filter, signed."""
    bank, shape = _bank(solved.shape), solved.shape
    noise = np.float32(covariance.noise.min())
    told = [bank.energies @ (1 / (spectrum + noise)).ravel() for spectrum in (covariance.bed, covariance.part)]
    near = np.clip(blurred(covariance.share, 1.5), 0, 1)
    energy = told[0][:, None, None] * (1 - near) + told[1][:, None, None] * near
    root = np.sqrt(np.maximum(energy, 1e-30))
    z = back(forward(solved) * bank.transfers.conj(), shape[1]) / root
    answers = []
    for kind in ("blob", "line"):
        members = [i for i, k in enumerate(bank.kinds) if k == kind]
        flat = np.abs(z[members]).reshape(len(members), -1)
        best = int(flat.max(1).argmax())
        k, place = members[best], int(flat[best].argmax())
        row, column = divmod(place, shape[1])
        value = float(z[k, row, column])
        answers.append(
            Answer(kind, abs(value), row, column, bank.extents[k], value / float(root[k, row, column]), bank.angles[k])
        )
    small = z[[i for i, e in enumerate(bank.extents) if e < 8 and bank.kinds[i] == "blob"]]
    loudest = np.abs(small).argmax(0)
    return answers, np.asarray(np.take_along_axis(small, loudest[None], 0)[0], np.float32)


def stripes(solved: Image, covariance: Covariance) -> list[Answer]:
    """The loudest stripe over the whole frame, along rows and along columns."""
    mixed, found = covariance.mixed, []
    for axis in (0, 1):  # along which the frame is summed
        profile = solved.sum(axis, dtype=np.float64)
        n, length = len(profile), solved.shape[axis]
        told = (mixed[0] if axis == 0 else mixed[:, 0])[: n // 2 + 1]
        twice = np.full(len(told), 2.0)
        twice[0] = 1
        if n % 2 == 0:
            twice[-1] = 1
        best = Answer("stripe", 0.0)
        for width in _STRIPES:
            T = fft.rfft(_box(n, width))
            e = length * float((np.abs(T) ** 2 / told * twice).sum()) / n
            z = fft.irfft(fft.rfft(profile) * T.conj(), n) / np.sqrt(e)
            at = int(np.abs(z).argmax())
            if abs(z[at]) > best.z:
                where = {"column": float(at)} if axis == 0 else {"row": float(at)}
                best = Answer(
                    "stripe",
                    float(abs(z[at])),
                    extent=width,
                    amplitude=float(z[at] / np.sqrt(e)),
                    angle=90.0 * (1 - axis),
                    **where,
                )
        found.append(best)
    return found


def _box(n: int, width: float) -> Float64[np.ndarray, " n"]:
    k = np.minimum(np.arange(n), n - np.arange(n))
    box = np.clip(width / 2 - k + 0.5, 0, 1)
    return np.asarray(ndimage.gaussian_filter1d(box, _OPTICS, mode="wrap"))


@cache
def _ramps(n: int) -> tuple[Float32[np.ndarray, "t n"], Float64[np.ndarray, " t"], Float64[np.ndarray, " t"]]:
    """Steps and ramps of a profile, with their places and widths."""
    k, every = np.arange(n), max(_EVERY, n // 43)
    made = [(x, w, np.clip(0.5 + (k - x) / w, 0, 1)) for w in _RAMPS for x in range(4, n - 4, every)]
    bank = np.array([t for _, _, t in made], np.float32)
    return bank, np.array([x for x, _, _ in made], np.float64), np.array([w for _, w, _ in made], np.float64)


def profiles(solved: Image, covariance: Covariance, own: Sequence[Own]) -> list[Answer]:
    """The loudest step of level inside the part, across rows and across columns.

    A profile sums the weighed residual inside the part along one axis. Its covariance follows from the outline and the
    part's spectrum; what every row shares is taken out. ``own`` knows how the job's layers answer.
    """
    m, found = covariance.share, []
    weight = 1 / (covariance.part + np.float32(covariance.noise.min()))
    for axis, usual in zip((1, 0), own, strict=True):  # along which the part is summed: rows first
        profile = (m * solved).sum(axis)
        fisher = _fisher(m, weight, axis)
        found.append(_loudest(profile, fisher, axis, usual))
    return found


def _loudest(profile: np.ndarray, fisher: np.ndarray, axis: int, own: Own) -> Answer:
    bank, places, widths = _ramps(len(profile))
    shared = fisher.sum(1)
    total = float(shared.sum())
    if total <= 0:
        return Answer("step", 0.0)
    common = bank @ shared / total
    told = np.maximum(((bank @ fisher) * bank).sum(1) - common**2 * total, 1e-30)
    amplitude = np.where(told > _LEAST * total, (bank @ profile - common * profile.sum()) / told, 0.0)
    z = own.standard(np.asarray(amplitude * np.sqrt(told), np.float64))
    at = int(np.abs(z).argmax())
    where = {"row": float(places[at])} if axis == 1 else {"column": float(places[at])}
    angle = 0.0 if axis == 1 else 90.0
    return Answer(
        "step", float(abs(z[at])), extent=float(widths[at]), amplitude=float(amplitude[at]), angle=angle, **where
    )


def _fisher(m: Image, weight: np.ndarray, axis: int) -> Float32[np.ndarray, "n n"]:
    """What profiles vary like: F_ij = sum_f M_if conj(M_jf) K_(i-j)f; of all lags, or it would not stay positive."""
    h, w = m.shape
    if axis == 1:
        M, K, twice = fft.rfft(m, axis=1), fft.ifft(weight, axis=0).real, weights((h, w))[0] / w
    else:
        M, K, twice = fft.fft(m, axis=0).T, fft.irfft(weight, n=w, axis=1).T, np.full(h, 1 / h, np.float32)
    M = np.asarray(M * np.sqrt(twice), np.complex64)
    R = np.concatenate([M.real, M.imag], axis=1)
    K = np.tile(np.asarray(K, np.float32), (1, 2))
    n = len(R)
    fisher = np.zeros((n, n), np.float32)
    filled = np.flatnonzero(m.sum(axis) > 1)
    if len(filled) == 0:
        return fisher
    low, high = int(filled[0]), int(filled[-1]) + 1
    for lag in range(high - low):
        values = np.einsum("if,if->i", R[low : high - lag] * K[lag], R[low + lag : high])
        at = np.arange(low, high - lag)
        fisher[at, at + lag] = fisher[at + lag, at] = values
    return fisher
