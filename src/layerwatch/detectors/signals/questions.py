"""A cleared layer -> how loudly each question is answered: blob, line, stripe, step, texture, place."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Float64

from layerwatch.detectors.signals.filters import blurred
from layerwatch.detectors.signals.planes import Image
from layerwatch.detectors.signals.running import Channel, Cleared
from layerwatch.detectors.signals.templates import Answer, compact, profiles, stripes

ONCE = ("blob", "line", "stripe", "stripe", "step", "step", "texture gain", "texture loss", "shift")
QUESTIONS = (*ONCE, *ONCE)  # of the layer, then of the mean of the last ones
_NEAR = (4.0, 10.0)  # px, over which texture's energy is taken
_USUAL = 0.8  # of what was known of healthy energy, kept with each layer
_TWICE = 2.0  # the mean of five layers wanders about half as far


@dataclass(frozen=True, eq=False)
class Asked:
    """All answers for one layer."""

    z: Float64[np.ndarray, " q"]  # as QUESTIONS; 0 where a question cannot be asked
    answers: tuple[Answer, ...]  # the same in detail
    heat: Image  # z of the loudest small blob filter at each pixel, signed


@dataclass(eq=False)
class Questioner:
    """Remembers how much texture a job's healthy layers have at each place."""

    _energy: dict[int, Float32[np.ndarray, "2 h w"]] = field(default_factory=dict)

    def ask(self, cleared: Cleared) -> Asked:
        """Ask everything."""
        now, heat = self._of(cleared.now, 0)
        place = _shift(cleared.moved, cleared.moved_sigma)
        now.append(place)
        if cleared.lasting is None:
            late: list[Answer] = [Answer(kind, 0.0) for kind in ONCE]
        else:
            late, slow = self._of(cleared.lasting, 1)
            late.append(_shift(cleared.moved_lately, cleared.moved_sigma / _TWICE))
            heat = np.where(np.abs(slow) > np.abs(heat), slow, heat)
        answers = (*now, *late)
        return Asked(np.array([answer.z for answer in answers]), answers, heat)

    def _of(self, channel: Channel, number: int) -> tuple[list[Answer], Image]:
        answers, heat = compact(channel.solved, channel.covariance)
        answers += stripes(channel.solved, channel.covariance)
        answers += profiles(channel.solved, channel.covariance)
        return [*answers, *self._texture(channel, number)], heat

    def _texture(self, channel: Channel, number: int) -> list[Answer]:
        """Where the texture is stronger or weaker than drawn ones: the logarithm of its energy's ratio."""
        seen, drawn = (
            np.stack([blurred(image**2, px) for px in _NEAR]) for image in channel.texture.astype(np.float32)
        )
        known = self._energy.get(number)
        usual = drawn if known is None or known.shape != drawn.shape else _USUAL * known + (1 - _USUAL) * drawn
        self._energy[number] = usual
        least = 1e-3 * float(usual.mean()) + 1e-12
        ratio = np.log((np.maximum(seen, 0) + least) / (np.maximum(usual, 0) + least))
        return [_place_of(ratio, "texture gain", 1), _place_of(ratio, "texture loss", -1)]


def _place_of(ratio: Float32[np.ndarray, "2 h w"], kind: str, sign: int) -> Answer:
    at = int((sign * ratio).argmax())
    size, row, column = np.unravel_index(at, ratio.shape)
    value = float(ratio[size, row, column])
    return Answer(kind, sign * value, float(row), float(column), 2 * _NEAR[size], float(np.expm1(value)))


def _shift(moved: Float64[np.ndarray, " 2"], sigma: float) -> Answer:
    distance = float(np.hypot(*moved))
    z = distance / sigma if np.isfinite(sigma) and sigma > 0 else 0.0
    return Answer("shift", z, extent=distance, angle=float(np.degrees(np.arctan2(moved[0], moved[1]))))
