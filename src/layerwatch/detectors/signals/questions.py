"""A cleared layer -> how loudly each question is answered: blob, line, stripe, step, texture, place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float32, Float64

from layerwatch.detectors.signals.filters import blurred
from layerwatch.detectors.signals.heat import heat_of, loudest, shapes
from layerwatch.detectors.signals.outline import explain, strongest_steps
from layerwatch.detectors.signals.own import Own
from layerwatch.detectors.signals.planes import Image
from layerwatch.detectors.signals.running import LAG, Channel, Cleared
from layerwatch.detectors.signals.since_start import Weighed
from layerwatch.detectors.signals.templates import Answer, compact, profiles, stripes
from layerwatch.records import LayerImage

NOW = ("blob", "line", "stripe", "stripe", "step", "step", "texture gain", "texture loss", "shift")
LATE = ("blob", "line", "stripe", "stripe", "step", "step", "shift")
START = ("blob", "line", "stripe", "stripe", "step", "step")
ALONE = ("step", "shift")  # of plan_residual's questions: what a past of two layers cannot do as well
QUESTIONS = (*NOW, *LATE, *ALONE, *START)
# of the layer, of the mean of the last ones, of the layer without a past, of the mean since the job's start
YOUNG = 8  # layers, while which a job's past says little, and each is also asked without it
_LEAST = 1e-4  # of what is told without a past, in its unit: less is nothing
_FINE = (0.7, 2.5)  # px, blurs between which the finest structure lies
_LAYERS = 8  # that tell how strong it usually is
_NEAR = (4.0, 10.0)  # px, over which texture's energy is taken
_USUAL = 0.8  # of what was known of healthy energy, kept with each layer
_TWICE = 2.0  # the mean of five layers wanders about half as far


@dataclass(frozen=True, eq=False)
class Asked:
    """All answers for one layer."""

    z: Float64[np.ndarray, " q"]  # as QUESTIONS; 0 where a question cannot be asked
    answers: tuple[Answer, ...]  # the same in detail
    heat: Image  # in healthy spreads, signed: the loudest small blob filter at each pixel, or a clear shape


@dataclass(eq=False)
class Questioner:
    """Remembers how much texture a job's healthy layers have at each place."""

    _energy: Float32[np.ndarray, "2 h w"] | None = None
    _age: int = 0  # layers so far
    _fine: list[Float32[np.ndarray, "2 h w"]] = field(default_factory=list)
    _steps: tuple[tuple[Own, Own], ...] = field(default_factory=lambda: ((Own(), Own()), (Own(), Own())))

    def ask(self, cleared: Cleared, image: LayerImage) -> Asked:
        """Ask everything of a layer and what was cleared of it."""
        now, heat = self._of(cleared.now, 0)
        now += [*self._gain(cleared.now), *self._loss(cleared.now), _shift(cleared.moved, cleared.moved_sigma)]
        alone, shape = self._without_past(image, now), shapes(cleared.now.residual, cleared.now.covariance)
        if cleared.lasting is None:
            late: list[Answer] = [Answer(kind, 0.0) for kind in LATE]
        else:
            late, slow = self._of(cleared.lasting, 1)
            late.append(_shift(cleared.moved_lately, cleared.moved_sigma / _TWICE))
            heat = loudest(heat, slow)
            shape = loudest(shape, shapes(cleared.lasting.residual, cleared.lasting.covariance))
        answers = (*now, *late, *alone, *self._since_start(cleared.start))
        return Asked(np.array([answer.z for answer in answers]), answers, heat_of(heat, shape))

    def _without_past(self, image: LayerImage, now: Sequence[Answer]) -> list[Answer]:
        """As ``plan_residual`` asks; the place is that of the same question to the cleared layer."""
        self._age += 1
        if self._age > YOUNG or not np.isfinite(image.pixels).all():
            return [Answer(kind, 0.0) for kind in ALONE]
        explained = explain(image)
        told = np.log(np.array([max(strongest_steps(explained)), explained.shift]) + _LEAST)
        places = {kind: max((a for a in now if a.kind == kind), key=lambda a: a.z) for kind in ALONE}
        return [replace(places[kind], z=z) for kind, z in zip(ALONE, (told - np.log(_LEAST)).tolist(), strict=True)]

    @staticmethod
    def _since_start(weighed: Weighed | None) -> list[Answer]:
        """Of the job's first layers, asked when they are looked at again."""
        if weighed is None:
            return [Answer(kind, 0.0) for kind in START]
        answers, _ = compact(weighed.solved, weighed.covariance)
        answers += stripes(weighed.solved, weighed.covariance)
        return answers + profiles(weighed.solved, weighed.covariance, (Own(), Own()))

    def _of(self, channel: Channel, number: int) -> tuple[list[Answer], Image]:
        answers, heat = compact(channel.solved, channel.covariance)
        answers += stripes(channel.solved, channel.covariance)
        answers += profiles(channel.solved, channel.covariance, self._steps[number])
        return answers, heat

    def _gain(self, channel: Channel) -> list[Answer]:
        """Where textures are stronger than drawn ones: the logarithm of their energies' ratio."""
        seen, drawn = _energies(channel.texture)
        known = self._energy
        usual = drawn if known is None or known.shape != drawn.shape else _USUAL * known + (1 - _USUAL) * drawn
        self._energy = usual
        least = 1e-3 * float(usual.mean()) + 1e-12
        ratio = np.log((np.maximum(seen, 0) + least) / (np.maximum(usual, 0) + least))
        return [_place_of(ratio, "texture gain", 1)]

    def _loss(self, channel: Channel) -> list[Answer]:
        """Where the finest structure is weaker than in the job's layers some time ago."""
        fine = blurred(channel.residual, _FINE[0]) - blurred(channel.residual, _FINE[1])
        energy = np.log(np.maximum(_energies(fine[None])[0], 0) + 1e-12)
        past = [old for old in self._fine[:-LAG] if old.shape == energy.shape] or self._fine[:1]
        self._fine.append(energy)
        del self._fine[: -(LAG + _LAYERS)]
        ratio = energy - np.mean(past, axis=0) if past else energy - energy.mean()
        return [_place_of(np.asarray(ratio - np.median(ratio), np.float32), "texture loss", -1)]


def _energies(images: Float32[np.ndarray, "k h w"]) -> list[Float32[np.ndarray, "2 h w"]]:
    """Squares of each image, near each pixel."""
    return [np.stack([blurred(image**2, px) for px in _NEAR]) for image in images.astype(np.float32)]


def _place_of(ratio: Float32[np.ndarray, "2 h w"], kind: str, sign: int) -> Answer:
    at = int((sign * ratio).argmax())
    size, row, column = np.unravel_index(at, ratio.shape)
    value = float(ratio[size, row, column])
    return Answer(kind, sign * value, float(row), float(column), 2 * _NEAR[size], float(np.expm1(value)))


def _shift(moved: Float64[np.ndarray, " 2"], sigma: float) -> Answer:
    distance = float(np.hypot(*moved))
    z = distance / sigma if np.isfinite(sigma) and sigma > 0 else 0.0
    return Answer("shift", z, extent=distance, angle=float(np.degrees(np.arctan2(moved[0], moved[1]))))
