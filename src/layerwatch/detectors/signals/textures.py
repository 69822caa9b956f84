"""What healthy frames leave unexplained -> its covariance, learnt while a job runs, and its inverse applied to a frame.

A residual is r = m t_p + (1 - m) t_b + n: textures of part and bed, each stationary, and noise that is louder on the
outline. C is never built: C^-1 r comes from conjugate gradients (Hestenes and Stiefel 1952). The spectra are corrected
until m C^-1 r of real residuals has the spectrum that m C^-1 e has, with e drawn from C (moment matching by probes).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Float64

from layerwatch.detectors.signals.filters import blurred
from layerwatch.detectors.signals.planes import (
    Image,
    Spectrum,
    back,
    forward,
    smooth_spectrum,
    weights,
    white_level,
)

_ROUNDS = 8  # of conjugate gradients
_LEAST = 0.03  # of the noise: no texture is taken to be fainter
_STEP = (0.1, 4.0)  # a spectrum may change by that much at once
_EDGE_STEP = (0.7, 1.6)  # and the outline's noise
_MOST = 4.0  # standard deviations of a drawn residual, beyond which a pixel of a real one counts no more
_HOLE = 1e3  # the same where nothing is known
_LOUDEST = 30.0  # times the noise elsewhere
_FEW, _FEW_OVER, _OVER = 3, 2.5, 1.5  # frames, and bins over which spectra are smoothed
_KEPT = 0.75  # of what earlier frames told of the noise
_SIDE = 0.01  # of the frame, that part or bed must fill to be learnt from


@dataclass(frozen=True, eq=False)
class Covariance:
    """How healthy residuals of one layer vary, in squared units of the frame."""

    share: Image  # of the part, m
    bed: Spectrum  # of t_b, a pixel
    part: Spectrum  # of t_p
    noise: Image  # variance of n at each pixel

    def solve(self, residual: Image) -> Image:
        """C^-1 r, by a fixed number of rounds, in the frequency domain: four transforms a round."""
        m, level, width = self.share, np.float32(self.noise.min()), residual.shape[1]
        louder, gain, each = self.noise - level, 1 / self.mixed, weights(residual.shape)
        r = forward(residual)
        x, p = np.zeros_like(r), r * gain
        rho = _product(r, p, each)
        for _ in range(_ROUNDS):
            if rho <= 0:
                break
            image = back(p, width)
            inside = forward(m * image)
            bed = self.bed * (p - inside)
            more = back(self.part * inside - bed, width)
            q = bed + level * p + forward(m * more + louder * image)
            step = np.float32(rho / _product(p, q, each))
            x, r = x + step * p, r - step * q
            z = r * gain
            fresh = _product(r, z, each)
            p, rho = z + np.float32(fresh / rho) * p, fresh
        return back(x, width)

    @property
    def mixed(self) -> Spectrum:
        """Spectrum if part and bed were evenly mixed everywhere, noise included."""
        m = np.float32(self.share.mean())
        return np.asarray(m * self.part + (1 - m) * self.bed + np.float32(self.noise.min()), np.float32)

    def draw(self, rng: np.random.Generator) -> Image:
        """One residual of that covariance."""
        white = rng.standard_normal((3, *self.share.shape), np.float32)
        part, bed = _through(white[:2], np.sqrt(np.stack([self.part, self.bed])))
        return np.asarray(self.share * part + (1 - self.share) * bed + np.sqrt(self.noise) * white[2], np.float32)


def _product(a: np.ndarray, b: np.ndarray, each: Spectrum) -> float:
    """Of two images, given their half planes (Parseval), but for a factor."""
    return float(np.vdot(a, each * b).real)


def _through(images: np.ndarray, transfer: np.ndarray) -> np.ndarray:
    return back(forward(images) * transfer, images.shape[-1])


@dataclass(eq=False)
class Textures:
    """The covariance as a job's frames have taught it so far."""

    rng: np.random.Generator
    bed: Spectrum = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    part: Spectrum = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    edge: float = 1.0  # noise on the outline, times the noise elsewhere
    change: float = 1.0  # the same where the outline has just moved
    _white: Float64[np.ndarray, " 2"] = field(default_factory=lambda: np.zeros(2))  # sum of levels, and of frames
    _told: Float64[np.ndarray, "2 2 h f"] = field(default_factory=lambda: np.zeros((2, 2, 0, 0)))  # real, drawn
    _edges: Float64[np.ndarray, "2 2"] = field(default_factory=lambda: np.zeros((2, 2)))
    _frames: int = 0  # learnt from since the last update

    def begin(self, residual: Image, share: Image) -> None:
        """A first guess from one residual: its spectrum away from the part."""
        away = (np.clip(1 - 6 * blurred(share, 1.5), 0, 1) ** 2).astype(np.float32)
        enough = float((away**2).sum()) > 0.1 * share.size
        seen = residual * away if enough else residual
        power = np.abs(forward(seen)) ** 2 / (float((away**2).sum()) if enough else share.size)
        guess, level = smooth_spectrum(power, 1.0, share.shape[1], 2.0), max(white_level(residual), 1e-12)
        self.bed = np.where(guess < 1.5 * level, _LEAST * level, guess - level).astype(np.float32)
        self.part = self.bed.copy()
        self._white = np.array([level, 1.0])

    @property
    def is_begun(self) -> bool:
        """A first guess was made."""
        return bool(self.bed.size)

    def hear(self, residual: Image) -> None:
        """The camera's noise, from the finest structure of each residual."""
        self._white = _KEPT * self._white + np.array([max(white_level(residual), 1e-12), 1.0])

    def covariance(self, share: Image, edges: Float32[np.ndarray, "3 h w"], doubt: Image | float = 0.0) -> Covariance:
        """As it is known now.

        Args:
            share: of the part.
            edges: weights in [0, 1] of the outline, of where it has just moved, of holes.
            doubt: further variance at each pixel.
        """
        level = self._white[0] / self._white[1]
        louder = 1 + np.float32(self.edge - 1) * edges[0] + np.float32(self.change - 1) * edges[1]
        louder += np.float32(_HOLE) * edges[2]
        return Covariance(share, self.bed, self.part, np.asarray(np.float32(level) * louder + doubt, np.float32))

    def learn(self, solved: Image, covariance: Covariance, edges: Float32[np.ndarray, "3 h w"]) -> Image:
        """Set one solved residual beside one that is drawn, which is returned; ``update`` draws the conclusions."""
        probe = covariance.solve(covariance.draw(self.rng))
        sides = np.stack([1 - covariance.share, covariance.share])
        most = np.float32(_MOST * probe.std())  # a defect must not teach what is healthy
        pair = (np.clip(solved, -most, most), probe)
        told = np.stack([np.abs(forward(sides * image)) ** 2 for image in pair]).astype(np.float64)
        self._told = self._told + told if self._frames else told
        squares = np.stack(pair).astype(np.float64) ** 2
        self._edges += (squares[:, None] * edges[:2]).sum((2, 3))
        self._frames += 1
        return probe

    @property
    def frames(self) -> int:
        """How many were learnt from since the last update."""
        return self._frames

    def update(self, share: Image) -> None:
        """Correct the spectra by what real residuals have more or less than drawn ones."""
        over = _OVER if self._frames >= _FEW else _FEW_OVER
        level, width, filled = float(self._white[0] / self._white[1]), share.shape[1], float(share.mean())
        for side, name, area in ((0, "bed", 1 - filled), (1, "part", filled)):
            if area > _SIDE:
                told = self._told[:, side] / self._told[1, side].mean()
                seen, drawn = (smooth_spectrum(one, float(self._frames), width, over) for one in told)
                spectrum = getattr(self, name) * np.clip(seen / drawn, *_STEP)
                setattr(self, name, np.maximum(spectrum, _LEAST * level).astype(np.float32))
        step = np.clip(self._edges[0] / np.maximum(self._edges[1], 1e-30), *_EDGE_STEP)
        self.edge, self.change = (float(np.clip(v, 1, _LOUDEST)) for v in (self.edge, self.change) * step)
        self._edges, self._frames = np.zeros((2, 2)), 0
