"""Properties of runs of layers -> the interval of each quantity that is randomised, and how far it was measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from layerwatch.images.layer_memory import Memory, fit_memory
from layerwatch.images.properties import LayerProperties, RunProperties
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval, Ranges
from layerwatch.job.thermal import Kernel
from layerwatch.journeys.range_levels import mean_share
from layerwatch.journeys.range_series import (
    Series,
    interval,
    joined,
    numbered_series,
    scaled,
    series_of,
    series_of_runs,
    with_share,
)
from layerwatch.records import UsageError

ONE_VALUE = "no difference beyond the error of measurement: one value; widen it by hand or give more runs"
_LEAST_RUNS = 3  # of layers, for what only runs show
_RARE = 0.2  # share of the runs that must show a quantity
_LIMITS = {"texture_memory": (0.0, 0.95), "decay": (0.0, 0.9), "anisotropy": (0.1, 10.0), "uneven": (0.0, 0.2)}
BY = ("minmax", "percentiles")
_SHOWN = 0.2  # standard error of a decay that a run is said to show
_SPREAD = 0.1  # by which decays may differ from job to job, for jobs that show none themselves
_COLUMNS = float(np.sqrt(1.25))  # a fixed pattern of pixels and of columns half as strong, over that of pixels alone
_FIELD_ERROR = 0.3  # relative standard error of the lamp field's spread: a bed holds few of its humps
_CREEP_ERROR = 0.12  # the same of a blur through conducted heat, measured on our own renderer
_FINEST = 0.5  # px, shortest correlation length


@dataclass(frozen=True)
class Learnt:
    """What could be learnt, what could not, and why."""

    intervals: dict[str, Interval]
    comments: dict[str, str]  # of each interval: how it was measured, and from how many images
    omitted: dict[str, str]  # quantity -> why
    noise: float  # K, of the camera; belongs into the machine file
    hot_part: float | None = None  # share of jobs in which the part is the warmer one; None: no outlines

    @property
    def narrow(self) -> tuple[str, ...]:
        """Quantities whose interval is one value, as no difference between runs exceeds the error of measurement."""
        return tuple(key for key, own in self.intervals.items() if np.isclose(own.low, own.high, rtol=1e-4, atol=0))


def learn(runs: Sequence[RunProperties], ranges: Ranges, machine: Machine, by: str, mm_per_px: float | None) -> Learnt:
    """Intervals from measured runs.

    Args:
        runs: of real images.
        ranges: the preset whose renderer will print them.
        machine: gives the recoater's axis, and the lamp.
        by: "minmax", the paper's; or "percentiles", from 5 to 95 %.
        mm_per_px: None: unknown; lengths are then left out.

    Raises:
        UsageError: ``by`` is none of both.
    """
    check_by(by)
    return _Learner(runs, ranges, machine, by, mm_per_px).learn()


def check_by(by: str) -> None:
    """Refuse an unknown way to find the ends.

    Raises:
        UsageError: there is none of that name.
    """
    if by not in BY:
        raise UsageError(f"--by {by}: there are {' and '.join(BY)}")


@dataclass(eq=False)
class _Learner:
    runs: Sequence[RunProperties]
    ranges: Ranges
    machine: Machine
    by: str
    mm: float | None

    def __post_init__(self) -> None:
        self.found = Learnt({}, {}, {}, _median([run.noise for run in self.runs]))
        self.is_decay = self.ranges.memory == "decay"
        self.memories = self._memories()
        decays = [m.decay for m in self.memories if np.isfinite(m.decay)]
        decay = float(np.median(decays)) if decays else 0.0
        self.fresh = float(np.sqrt((1 + decay) / (1 - decay))) if self.is_decay else 1.0

    def learn(self) -> Learnt:
        self._optics()
        self._textures()
        self._layer_to_layer()
        if self.is_decay:
            self._levels()
        else:
            self._surface()
        self.found.comments.update({key: f"{self.found.comments[key]}; {ONE_VALUE}" for key in self.found.narrow})
        return self._with_hot_part()

    def _with_hot_part(self) -> Learnt:
        """The share of jobs whose part is warmer than the bed; ``binder`` itself has no sign."""
        jobs: dict[str, list[float]] = {}
        for run in self.runs:
            if np.isfinite(run.together.contrast):
                jobs.setdefault(run.job, []).append(run.together.contrast)
        if not jobs:
            return self.found
        hot = sum(float(np.mean(own)) < 0 for own in jobs.values())
        self.found.comments["hot_part"] = f"share of jobs with a warmer part: {hot} of {len(jobs)}"
        return replace(self.found, hot_part=hot / len(jobs))

    def _memories(self) -> list[Memory]:
        """Of every run; decays seen at moving outlines help the runs that show none."""
        shown = [run.decay for run in self.runs if run.decay is not None and run.decay[1] < _SHOWN]
        prior = None
        if self.is_decay and shown:
            weights = np.array([1 / (error**2 + _SPREAD**2 / 4) for _, error in shown])
            prior = (float(np.average([value for value, _ in shown], weights=weights)), _SPREAD)
        elif self.is_decay:
            prior = ((self.ranges.decay.low + self.ranges.decay.high) / 2, 1e-3)
        return [self._memory(run, prior, shown=bool(shown)) for run in self.runs]

    def _memory(self, run: RunProperties, prior: tuple[float, float] | None, *, shown: bool) -> Memory:
        if not self.is_decay:
            return fit_memory(run.lags, run.lag_errors, None, conduction=True)
        if not shown and prior is not None:  # the preset's decay is taken, or less where the textures forget sooner
            first, error = float(run.lags[0]), float(run.lag_errors[0])
            decay = float(np.clip(first, 0, prior[0])) if np.isfinite(first) else np.nan
            texture = (first - decay) / (1 - first * decay) if np.isfinite(first) else np.nan
            return Memory(max(texture, 0.0) if np.isfinite(texture) else np.nan, decay, error, error)
        if run.decay is not None and run.decay[1] < _SHOWN:
            return fit_memory(run.lags, run.lag_errors, run.decay)
        memory = fit_memory(run.lags, run.lag_errors, joined(run.decay, prior))
        return replace(memory, decay_error=np.nan)  # others' decay, good enough to tell the texture's memory

    def _add(
        self, key: str, series: Series | None, comment: str, *, why: str, fresh: float = 1.0, by_run: bool = False
    ) -> None:
        """Learn one quantity, or say why not; ``by_run``: single layers show it too badly for a layer's share."""
        if series is None or not len(series.runs):
            self.found.omitted[key] = why
            return
        if key == "texture_memory" and len(series.runs) < _LEAST_RUNS:
            self.found.omitted[key] = (
                f"runs of layers that show it: {len(series.runs)}; {_LEAST_RUNS} at least are needed"
            )
            return
        if len(series.runs) < _RARE * len(self.runs):
            self.found.omitted[key] = f"only {len(series.runs)} of {len(self.runs)} runs of layers show it"
            return
        if by_run:
            base: Interval = getattr(self.ranges, key)
            found = with_share(interval(replace(series, layers=[]), self.by), base.layer)
            comment += " (the layer's share is the preset's)"
        else:
            found = interval(series, self.by, fresh)
        self.found.intervals[key] = found.widened(1.0, _LIMITS.get(key, (0.0, np.inf)))
        counted = sum(len(own) for own in series.layers) or len(series.runs)
        unit = "image(s)" if any(len(own) for own in series.layers) else "run(s) of layers"
        self.found.comments[key] = f"{comment}; from {counted} {unit}"

    def _optics(self) -> None:
        more = 0.0 if self.is_decay else _CREEP_ERROR
        blur = series_of(self.runs, lambda p: p.blur, lambda p: float(np.hypot(p.blur_error, more * p.blur)))
        sources = {layer.source for run in self.runs for layer in run.layers if np.isfinite(layer.blur)}
        self._add("blur", blur, f"px, sigma of the outlines, by {', '.join(sorted(sources))}", why=_NO_OUTLINE)
        if not self.is_decay:
            fixed = np.array([run.fixed_pattern for run in self.runs if np.isfinite(run.fixed_pattern)])
            series = Series(fixed, np.full(len(fixed), self.found.noise / 50), [], 0.0)
            series = scaled(series, _COLUMNS)
            self._add(
                "fixed_pattern",
                series,
                "K, pixel noise that stays from layer to layer, columns taken as half as strong",
                why=_NO_PAIR,
            )
        if self.mm is None:
            self.found.omitted["place"] = _NO_MM
            return
        shift = series_of(self.runs, lambda p: p.shift_x * self._mm, lambda p: p.blur_error * self._mm)
        other = series_of(self.runs, lambda p: p.shift_y * self._mm, lambda p: p.blur_error * self._mm)
        if shift is None or other is None:
            self.found.omitted["place"] = "no plans to lay beside the outlines"
            return
        reach = float(np.mean([interval(one, self.by, self.fresh).reach for one in (shift, other)]))
        base = self.ranges.place
        width = max(base.high - base.low, 1e-9)
        self.found.intervals["place"] = replace(base, layer=float(min(2 * reach / width, 1.0)))
        self.found.comments["place"] = (
            f"mm; only the layer's share is measured ({reach:.2g} mm either way beside the plan)"
        )

    @property
    def _mm(self) -> float:
        return self.mm or 1.0

    def _textures(self) -> None:
        bed = self._texture(lambda p: p.bed_texture, lambda p: p.texture_error)
        part = self._texture(lambda p: p.part_texture, lambda p: p.part_error)
        what = "K, standard deviation, without what blur and heat take from it"
        self._add("bed_texture", bed, what, why="no texture above the noise was found on the bed")
        self._add("part_texture", part, what, why=_NO_PART)
        across, ratio = self._length(across=True), self._ratio()
        if self.mm is None:
            px = f"; it is {np.median(across.runs):.3g} px" if across is not None else ""
            self.found.omitted["texture_length"] = _NO_MM + px
        else:
            mm = None if across is None else scaled(across, self._mm)
            text = (
                f"mm, where the correlation falls to 1 / e, across the recoater (along {_other(self.machine.recoater)})"
            )
            self._add("texture_length", mm, text, why=_NO_TEXTURE, by_run=True)
        how = f"length along {self.machine.recoater} over that across"
        self._add("anisotropy", ratio, how, why=_NO_TEXTURE, by_run=True)

    def _sharp(self, p: LayerProperties) -> tuple[float, float]:
        """Correlation lengths along x and y before the optics, px."""
        blur = p.blur if np.isfinite(p.blur) else self._usual_blur
        x, y = (max(length**2 - 4 * blur**2, _FINEST**2) ** 0.5 for length in (p.length_x, p.length_y))
        return x, y

    @property
    def _usual_blur(self) -> float:
        known = self.found.intervals.get("blur")
        return (known.low + known.high) / 2 if known else 0.0

    def _gain(self, number: int, p: LayerProperties) -> float:
        """What a texture's standard deviation was before optics and heat, over what is seen."""
        x, y = self._sharp(p)
        optics = float(np.sqrt(p.length_x * p.length_y / (x * y)))
        memory = self.memories[number]
        if not self.is_decay:
            return optics * 2 / (self.ranges.emissivity.low + self.ranges.emissivity.high)
        decay, kept = (v if np.isfinite(v) else 0.0 for v in (memory.decay, memory.texture))
        return optics / float(np.sqrt(Kernel.decay(decay).correlated(kept)))

    def _texture(
        self, of: Callable[[LayerProperties], float], error: Callable[[LayerProperties], float]
    ) -> Series | None:
        """Layers share their run's lengths, which single layers show less well."""

        def value(number: int, p: LayerProperties) -> float:
            together = self.runs[number].together
            return of(p) * self._gain(number, together) if np.isfinite(together.length_x) else np.nan

        return numbered_series(self.runs, value, lambda p: error(p) * of(p))

    def _length(self, *, across: bool) -> Series | None:
        along_x = (self.machine.recoater == "x") != across

        def value(number: int, p: LayerProperties) -> float:
            return self._sharp(p)[0 if along_x else 1] if np.isfinite(p.length_x) else np.nan

        return numbered_series(self.runs, value, lambda p: p.texture_error * (p.length_x if along_x else p.length_y))

    def _ratio(self) -> Series | None:
        def value(number: int, p: LayerProperties) -> float:
            if not np.isfinite(p.length_x):
                return np.nan
            x, y = self._sharp(p)
            return x / y if self.machine.recoater == "x" else y / x

        return numbered_series(self.runs, value, lambda p: 1.5 * p.texture_error * value(0, p))

    def _layer_to_layer(self) -> None:
        kept = [(m.texture, m.texture_error) for m in self.memories if np.isfinite(m.texture)]
        shown = sum(run.decay is not None and run.decay[1] < _SHOWN for run in self.runs)
        how = "correlation of the textures from layer to layer" + (", heat's decay taken off" if self.is_decay else "")
        why = _NO_TEXTURE if any(len(run.layers) > 1 for run in self.runs) else _NO_PAIR
        self._add("texture_memory", series_of_runs(kept), how, why=why, by_run=True)
        if not self.is_decay:
            return
        decays = [(m.decay, m.decay_error) for m in self.memories if np.isfinite(m.decay + m.decay_error)]
        low = [value for value, _ in decays if value < self.ranges.decay.low]
        if shown:
            self._add(
                "decay",
                series_of_runs(decays),
                f"share of the layer before; {shown} runs show it at outlines that move",
                why="",
            )
        elif len(low) > len(decays) / 2:
            text = (
                "no outline moves, and textures are forgotten sooner than the preset's decay allows: the most it can be"
            )
            self._add("decay", series_of_runs(decays), text, why="")
        else:
            self.found.omitted["decay"] = (
                "no plans whose outlines move from layer to layer, so heat and texture look alike"
            )

    def _levels(self) -> None:
        cells = [_few_cells(p) for run in self.runs for p in (run.together,)]
        lamp = series_of(self.runs, lambda p: p.bed, lambda p: p.bed_texture * _median(cells))
        self._add("lamp", lamp, "degC, level of the bed", why="no bed was found", fresh=self.fresh)
        contrast = series_of(self.runs, lambda p: abs(p.contrast), lambda p: abs(p.contrast) * p.blur_error)
        self._add(
            "binder", contrast, "K, bed minus part at the outlines, without its sign", why=_NO_OUTLINE, fresh=self.fresh
        )
        share = np.sqrt(1 - mean_share(self.ranges, self.machine))
        uneven = series_of(self.runs, lambda p: p.uneven_share / share, lambda p: _FIELD_ERROR * p.uneven_share)
        how = "standard deviation of the lamp's field over the level of the bed"
        self._add("uneven", uneven, how, why="no bed was found", by_run=True)

    def _surface(self) -> None:
        middle = (self.ranges.emissivity.low + self.ranges.emissivity.high) / 2
        contrast = series_of(self.runs, lambda p: abs(p.contrast) / middle, lambda p: abs(p.contrast) * p.blur_error)
        self._add(
            "binder",
            contrast,
            "K a layer, from the contrast at outlines, without its sign, and how heat is conducted",
            why=_NO_OUTLINE,
        )
        why = "levels show only the sum of lamp, sand and chamber"
        self.found.omitted.update(lamp=why, sand=why, chamber=why)
        why = "a picture does not show it apart from levels and textures"
        self.found.omitted.update(uneven=why, vignetting=why, drift=why, emissivity=why, creep=why)


_NO_MM = "the size of a pixel is not known; give --mm-per-px"
_NO_OUTLINE = "no outlines: there are no plans, and the pictures do not show two clear levels"
_NO_TEXTURE = "no texture above the noise was found"
_NO_PART = "no part, or one too thin for its texture to be seen apart"
_NO_PAIR = "no two consecutive layers of one job"


def _few_cells(p: LayerProperties) -> float:
    """Standard error of a level over the texture's standard deviation."""
    return float(np.sqrt(2) * p.texture_error) if np.isfinite(p.texture_error) else np.nan


def _other(axis: str) -> str:
    return "y" if axis == "x" else "x"


def _median(values: Sequence[float]) -> float:
    """Of those that are known."""
    known = [value for value in values if np.isfinite(value)]
    return float(np.median(known)) if known else float("nan")
