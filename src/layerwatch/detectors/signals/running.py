"""The frames of a running job, one after the other -> what neither the plan nor the job's own past explains of each.

Every layer is regressed on the terms of its plan, the coefficients pooled over the job and only a few of them free to
differ (generalised least squares, Aitken 1935); the mean of the residuals of accepted layers some time ago is the job's
own bed: light, optics, pixels. What is left is weighed by its covariance. Nothing comes from the future.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float32, Float64

from layerwatch.detectors.signals.filters import gaussian
from layerwatch.detectors.signals.gain import Gain
from layerwatch.detectors.signals.plan_terms import (
    EACH_LAYER,
    FRESH,
    HEAT_PLACE,
    LEVEL,
    PLACE,
    Heat,
    PlanTerms,
    smooth_terms,
)
from layerwatch.detectors.signals.planes import Image, back, forward, weights
from layerwatch.detectors.signals.since_start import SinceStart, Weighed
from layerwatch.detectors.signals.textures import Covariance, Textures

LAG = 5  # layers that lie between a layer and its reference, so that a defect does not hide itself
LASTING = 5  # layers over which what stays is gathered
_WINDOW = 24  # layers of the reference, at most
_FEWEST = 2  # layers that make a reference
_DEAD = 1e-6  # of the strongest term: fainter ones are not there
_POOL = 4  # layers from which coefficients are pooled
_BROKEN = 400.0  # of chi square, from which the pooled coefficients do not hold: a pause, another lamp
_UNLIKE = 120.0  # the same, from which a layer has coefficients of its own
_ANEW = 3  # such layers in a row, and pooling begins again
_UPDATES = 5  # layers between two corrections of the covariance
_FIRST_ROUNDS = 4  # of corrections on a first frame
_MEDIAN = 1.6  # variance of a median of n over that of one, times n
_WANDER, _WANDER_WEIGHT = 0.07, 6.0  # px, that healthy outlines miss their place by, and how many layers that counts


@dataclass(frozen=True, eq=False)
class Channel:
    """What is left of a layer, or of the mean of several, and its weighed form."""

    residual: Image  # unit of the frame
    solved: Image  # C^-1 residual
    covariance: Covariance
    texture: Float32[np.ndarray, "2 h w"]  # what of the residual is texture, and what is of one drawn like it


@dataclass(frozen=True, eq=False)
class Cleared:
    """One layer without what is healthy in it."""

    now: Channel  # this layer
    lasting: Channel | None  # the mean of the last ones; None at the beginning
    start: Weighed | None  # the mean of the first ones, where it is looked at
    plan: PlanTerms
    moved: Float64[np.ndarray, " 2"]  # px, rows and columns, of the print against where the job has it
    moved_sigma: float  # px
    moved_lately: Float64[np.ndarray, " 2"]  # px, mean of the last layers


@dataclass(eq=False)
class _Kept:
    """What later layers need of one."""

    residual: Image
    explained: Image  # by levels and earlier heat
    gram: Float64[np.ndarray, "k k"]
    seen: Float64[np.ndarray, " k"]
    place: Float64[np.ndarray, " 2"]
    share: Image
    edges: Float32[np.ndarray, "3 h w"]
    is_accepted: bool = True
    is_pooled: bool = True


@dataclass(eq=False)
class Running:
    """One job as far as it has been seen."""

    heat: Heat = field(default_factory=Heat)
    _kept: list[_Kept] = field(default_factory=list)
    _now: Textures = field(default_factory=lambda: Textures(np.random.default_rng(0)))
    _lasting: Textures = field(default_factory=lambda: Textures(np.random.default_rng(1)))
    _bases: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    _broken: int = 0
    _gain: Gain = field(default_factory=Gain)
    _start: SinceStart = field(default_factory=SinceStart)
    _pending: tuple[Image, Channel] | None = None  # what the last layer tells of the gain, unless it is suspected

    def update(self, pixels: Image, coverage: Image, layer: int) -> Cleared:
        """Take the next layer; pixels that are not finite say nothing."""
        self._learn_gain()
        plan = self.heat.lay(coverage, layer)
        frame, unknown = _filled(pixels, plan.share)
        plan = replace(plan, edges=np.concatenate([plan.edges, unknown[None]]))
        terms, spectra = self._terms(plan, frame)
        if not self._now.is_begun:
            self._first(frame, terms, spectra, plan)
        gram, seen = _normal(spectra, self._now.covariance(plan.share, plan.edges), frame.shape)
        before = self._before()
        coefficients, pooled = self._fit(gram, seen, self._far()[-_WINDOW:], len(terms) - 6)
        residual = np.asarray(frame - np.tensordot(coefficients.astype(np.float32), terms, 1), np.float32)
        residual *= 1 - unknown
        explained = np.tensordot(coefficients[LEVEL:-6].astype(np.float32), plan.terms[LEVEL:], 1)
        contrast = _contrast(frame, plan.share) + 1e-9
        place = _place(pooled, gram) / contrast
        lately = np.mean([*(kept.place for kept in self._kept[1 - LASTING :]), place], axis=0)
        usual, wander = self._usual_place(before)
        told = np.linalg.pinv(gram[:EACH_LAYER, :EACH_LAYER])[:2, :2]
        self._kept.append(_Kept(residual, np.asarray(explained, np.float32), gram, seen, place, plan.share, plan.edges))
        del self._kept[: -(_WINDOW + LAG + LASTING)]
        now, lasting = self._channels(before, plan)
        return Cleared(
            now=now,
            lasting=lasting,
            start=self._start.take(residual, plan.share, plan.edges),
            plan=plan,
            moved=place - usual,
            moved_sigma=float(np.hypot(np.sqrt(np.trace(told) / 2) / contrast, wander)),
            moved_lately=np.asarray(lately - usual),
        )

    def _channels(self, before: list[_Kept], plan: PlanTerms) -> tuple[Channel, Channel | None]:
        """The layer just kept, and the mean of the last ones, against the job's own reference."""
        newest = self._kept[-1]
        if len(before) < _FEWEST:
            return self._weigh(self._now, newest.residual, plan), None
        residual, usual = _mean(before)
        fresh = newest.explained - usual
        now = self._weigh(self._now, newest.residual - residual - self._gain.of(fresh), plan, _doubt(before, plan))
        self._pending = (fresh, now)
        if len(self._kept) < 2 * LASTING:
            return now, None
        last = self._kept[-LASTING:]
        late, explained = _mean(last)
        late = late - residual - self._gain.of(explained - usual)
        share, edges = (np.mean([getattr(kept, name) for kept in last], axis=0) for name in ("share", "edges"))
        edges[1] = np.max([kept.edges[1] for kept in last], axis=0)
        plan = replace(plan, share=share, edges=edges)
        doubt = _doubt(before, plan)
        if not self._lasting.is_begun:
            self._lasting.begin(late, plan.share)
            for _ in range(_FIRST_ROUNDS):
                covariance = self._lasting.covariance(plan.share, plan.edges, doubt)
                self._lasting.learn(covariance.solve(late), covariance, plan.edges)
                self._lasting.update(plan.share)
        return now, self._weigh(self._lasting, late, plan, doubt)

    def _learn_gain(self) -> None:
        if self._pending is not None and self._kept[-1].is_accepted:
            fresh, now = self._pending
            self._gain.learn(fresh, now.solved, now.covariance.mixed)
        self._pending = None

    def hold(self) -> None:
        """Something is suspected on the layer just taken: it is no reference for later ones."""
        self._kept[-1].is_accepted = False

    def _far(self) -> list[_Kept]:
        """Layers some time ago."""
        lag = min(LAG, max(0, (len(self._kept) - 2) // 2))
        return self._kept[: len(self._kept) - lag]

    def _before(self) -> list[_Kept]:
        """Those that are a reference."""
        accepted = [kept for kept in self._far() if kept.is_accepted]
        return (accepted if len(accepted) >= _POOL else self._far())[-_WINDOW:]

    def _terms(self, plan: PlanTerms, frame: Image) -> tuple[np.ndarray, np.ndarray]:
        if frame.shape not in self._bases:
            smooth = smooth_terms(frame.shape)
            self._bases[frame.shape] = (smooth, forward(smooth))
        smooth, smooth_spectra = self._bases[frame.shape]
        made = forward(np.concatenate([plan.terms, frame[None]]))
        return np.concatenate([plan.terms, smooth]), np.concatenate([made[:-1], smooth_spectra, made[-1:]])

    def _first(self, frame: Image, terms: np.ndarray, spectra: np.ndarray, plan: PlanTerms) -> None:
        """The covariance from a job's first frame alone."""
        rough = 1 / (1e-5 + 1e-3 * _low_pass(frame.shape))
        gram, seen = _gram(spectra, rough, frame.shape)
        residual = _left(frame, terms, gram, seen)
        textures = self._now
        textures.begin(residual, plan.share)
        for _ in range(_FIRST_ROUNDS):
            covariance = textures.covariance(plan.share, plan.edges)
            gram, seen = _normal(spectra, covariance, frame.shape)
            residual = _left(frame, terms, gram, seen)
            textures.learn(covariance.solve(residual), covariance, plan.edges)
            textures.update(plan.share)

    def _fit(
        self, gram: np.ndarray, seen: np.ndarray, before: list[_Kept], terms: int
    ) -> tuple[Float64[np.ndarray, " k"], Float64[np.ndarray, " k"]]:
        """Coefficients to take away, and those of the job but for what may differ.

        The first are the second, or all free where a layer is unlike the job.
        """
        alone = _solved(gram, seen)
        pool = [kept for kept in before if kept.is_pooled]
        if len(pool) < _POOL or len(pool[0].seen) != len(seen):
            return alone, alone
        pooled = _solved(
            np.sum([gram, *(kept.gram for kept in pool)], axis=0), np.sum([seen, *(kept.seen for kept in pool)], axis=0)
        )
        each = np.eye(len(seen))[[*range(EACH_LAYER), *range(terms, len(seen))]]
        each[LEVEL] = np.where(np.isin(np.arange(len(seen)), FRESH), pooled, 0)  # all that is fresh fades together
        pooled = pooled + each.T @ _solved(each @ gram @ each.T, each @ (seen - gram @ pooled))
        lost = _loss(pooled, gram, seen) - _loss(alone, gram, seen)
        if lost < _BROKEN:
            self._broken = 0
            return (pooled if lost < _UNLIKE else alone), pooled
        self._broken += 1
        if self._broken >= _ANEW:
            for kept in self._kept[:-2]:
                kept.is_pooled = False
            self._broken = 0
        return alone, pooled

    def _usual_place(self, before: list[_Kept]) -> tuple[Float64[np.ndarray, " 2"], float]:
        """Where the job's print lies against its plan, and how far it wanders, in px."""
        places = np.array([kept.place for kept in before]).reshape(-1, 2)
        if len(places) < 2:
            return (places[0] if len(places) else np.zeros(2)), 4 * _WANDER
        usual = np.median(places, axis=0)
        seen = float((np.minimum(np.abs(places - usual), 4 * _WANDER) ** 2).sum() / 2)
        wander = (_WANDER_WEIGHT * _WANDER**2 + seen) / (_WANDER_WEIGHT + len(places))
        return usual, float(np.sqrt(wander * (1 + _MEDIAN / len(places))))  # the usual place is uncertain, too

    def _weigh(self, textures: Textures, residual: Image, plan: PlanTerms, doubt: Image | float = 0.0) -> Channel:
        textures.hear(residual)
        covariance = textures.covariance(plan.share, plan.edges, doubt)
        solved = covariance.solve(residual)
        drawn = textures.learn(solved, covariance, plan.edges)
        if textures.frames >= min(1 + len(self._kept), _UPDATES):
            textures.update(plan.share)
        return Channel(residual, solved, covariance, _texture(np.stack([solved, drawn]), covariance))


def _mean(layers: list[_Kept]) -> tuple[Image, Image]:
    """Of residuals, and of what was explained."""
    residual = np.mean([kept.residual for kept in layers], axis=0, dtype=np.float32)
    return np.asarray(residual), np.asarray(np.mean([kept.explained for kept in layers], axis=0, dtype=np.float32))


def _doubt(before: list[_Kept], plan: PlanTerms) -> Image:
    """Variance where the reference is of another outline: what it had there, and what new outlines will have."""
    residual, _ = _mean(before)
    share, steep = (np.mean(images, axis=0) for images in ([b.share for b in before], [b.edges[0] for b in before]))
    usual = float((residual**2 * steep).sum() / max(float(steep.sum()), 1e-9)) - float((residual**2).mean())
    fresh = np.maximum(plan.edges[0] - steep, 0) * np.float32(max(usual, 0))
    return np.asarray(((plan.share - share) * residual) ** 2 + fresh, np.float32)


def _texture(solved: Float32[np.ndarray, "2 h w"], covariance: Covariance) -> Float32[np.ndarray, "2 h w"]:
    """The expected textures, given solved residuals (Wiener 1949)."""
    m = np.stack([covariance.share, 1 - covariance.share])
    told = back(forward(m * solved[:, None]) * np.stack([covariance.part, covariance.bed]), solved.shape[-1])
    return np.asarray((m * told).sum(1), np.float32)


def _filled(pixels: Image, share: Image) -> tuple[Image, Image]:
    """The frame without its mean, and where it is not known; there it holds what part or bed has in the middle."""
    known = np.isfinite(pixels)
    if known.all():
        return np.asarray(pixels - pixels.mean(), np.float32), np.zeros(pixels.shape, np.float32)
    part = share > 0.5
    whole = float(np.median(pixels[known])) if known.any() else 0.0
    fill = [float(np.median(pixels[known & side])) if (known & side).any() else whole for side in (part, ~part)]
    filled = np.where(known, pixels, np.where(part, *fill)).astype(np.float32)
    return np.asarray(filled - filled.mean(), np.float32), (~known).astype(np.float32)


def _contrast(frame: Image, share: Image) -> float:
    part, bed = float(share.sum()), float((1 - share).sum())
    if min(part, bed) < 1:
        return 0.0
    return abs(float((frame * share).sum()) / part - float((frame * (1 - share)).sum()) / bed)


def _low_pass(shape: tuple[int, int]) -> np.ndarray:
    return gaussian(shape, 3.0, 3.0)


def _normal(spectra: np.ndarray, covariance: Covariance, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    return _gram(spectra, 1 / covariance.mixed, shape)


def _gram(spectra: np.ndarray, weight: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Normal equations of the terms, the frame last among the spectra."""
    scale = np.sqrt(weight * weights(shape) / (shape[0] * shape[1])).astype(np.float32)
    A = (spectra * scale).reshape(len(spectra), -1).view(np.float32).astype(np.float64)
    whole = A @ A.T
    return whole[:-1, :-1], whole[:-1, -1]


def _solved(gram: np.ndarray, seen: np.ndarray) -> Float64[np.ndarray, " k"]:
    size = np.sqrt(np.maximum(np.diag(gram), 0))
    alive = size > _DEAD * size.max() if size.size else np.zeros(0, bool)
    coefficients = np.zeros(len(seen))
    scaled = gram[np.ix_(alive, alive)] / np.outer(size[alive], size[alive])
    coefficients[alive] = np.linalg.lstsq(scaled, seen[alive] / size[alive], rcond=1e-9)[0] / size[alive]
    return coefficients


def _place(coefficients: Float64[np.ndarray, " k"], gram: np.ndarray) -> Float64[np.ndarray, " 2"]:
    """How far the outlines moved, times their contrast: the slopes of earlier heat count as far as they look alike."""
    pairs = zip(PLACE, HEAT_PLACE, strict=True)
    return np.array([sum(coefficients[j] * gram[i, j] for j in (i, k)) / max(gram[i, i], 1e-300) for i, k in pairs])


def _loss(coefficients: np.ndarray, gram: np.ndarray, seen: np.ndarray) -> float:
    return float(coefficients @ gram @ coefficients - 2 * coefficients @ seen)


def _left(frame: Image, terms: np.ndarray, gram: np.ndarray, seen: np.ndarray) -> Image:
    return np.asarray(frame - np.tensordot(_solved(gram, seen).astype(np.float32), terms, 1), np.float32)
