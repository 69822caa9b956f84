"""A wish and the name of a variant -> the same jobs with one part of the domain randomisation taken away or changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace

from layerwatch.job.ranges import Interval, Ranges
from layerwatch.journeys.synthesise import Wish

_NONE = Interval(0.0, 0.0)
_WIDER = "variability-"  # such as variability-2: every interval twice as wide


def _alike_layers(ranges: Ranges) -> Ranges:
    own = {f.name: value for f in fields(ranges) if isinstance(value := getattr(ranges, f.name), Interval)}
    return replace(ranges, **{name: replace(value, layer=0.0) for name, value in own.items()})  # type: ignore[arg-type] # its own names


VARIANTS: Mapping[str, Callable[[Ranges], Ranges]] = {
    "no-texture": lambda ranges: replace(ranges, bed_texture=_NONE, part_texture=_NONE),
    "no-decay": lambda ranges: replace(ranges, decay=_NONE),
    "no-blur": lambda ranges: replace(ranges, blur=_NONE),
    "alike-layers": _alike_layers,  # randomised per job only
    "alike-jobs": lambda ranges: ranges.widened(0.0),  # not randomised at all
    "one-place": lambda ranges: replace(ranges, place=_NONE),
}


def varied(wish: Wish, variant: str) -> Wish:
    """The wish with the variant's ranges."""
    if variant.startswith(_WIDER):
        return replace(wish, variability=float(variant.removeprefix(_WIDER)))
    return replace(wish, learnt=VARIANTS[variant](wish.ranges))
