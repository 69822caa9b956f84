"""Values of runs of layers with their errors -> an interval, freed of what is only error of measurement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from layerwatch.images.properties import LayerProperties, RunProperties
from layerwatch.job.ranges import Interval

_MEDIAN = 1.33  # standard deviation over the median distance, between a uniform's and a Gaussian's
_UNIFORM = float(np.sqrt(3))  # half the width of a uniform distribution over its standard deviation


@dataclass(frozen=True, eq=False)
class Series:
    """One quantity: a value and its standard error for each run, and for each layer of each run."""

    runs: Float64[np.ndarray, " r"]
    errors: Float64[np.ndarray, " r"]
    layers: list[Float64[np.ndarray, " _"]]
    layer_error: float  # standard error of a layer's value


def interval(series: Series, by: str, fresh: float = 1.0) -> Interval:
    """An interval that holds the runs' values, and the share of it within which layers lie around their run's.

    What is only error of measurement is taken off both spreads: values are drawn together until they spread as much as
    the truth does.

    Args:
        series: values with their errors.
        by: which ends.
        fresh: by how much more the fresh layers differ than those seen, through which earlier ones shine.
    """
    values, center = series.runs, float(np.mean(series.runs))
    spread, error = float(values.var()), float(np.mean(series.errors**2))
    if spread > 0:
        values = center + (values - center) * np.sqrt(max(1 - error / spread, 0.0))
    away = [np.abs(own - np.median(own)) * np.sqrt(len(own) / (len(own) - 1)) for own in series.layers if len(own) > 2]
    within = (_MEDIAN * float(np.median(np.concatenate(away)))) ** 2 if away else 0.0
    reach = fresh * _UNIFORM * float(np.sqrt(max(within - series.layer_error**2, 0.0)))
    ends = (values.min(), values.max()) if by == "minmax" else np.percentile(values, [5, 95])
    low, high = float(ends[0]) - reach, float(ends[1]) + reach
    if any(len(own) for own in series.layers):  # never beyond what was seen, but for what heat hides of fresh layers
        seen, hidden = np.concatenate(series.layers), (1 - 1 / fresh) * reach
        low, high = max(low, float(seen.min()) - hidden), min(high, float(seen.max()) + hidden)
    low, high = min(low, high), max(low, high)  # layers that all lie beside their run: the interval reaches to both
    return Interval(low, high, min(2 * reach / (high - low), 1.0) if high > low else 0.0)


def with_share(found: Interval, share: float) -> Interval:
    """An interval of runs alone, widened so that layers may lie beside their run by a given share of it."""
    more = (found.high - found.low) * share / (2 * (1 - share)) if share < 1 else 0.0
    return Interval(found.low - more, found.high + more, share if more else 0.0)


def series_of(
    runs: Sequence[RunProperties],
    of: Callable[[LayerProperties], float],
    error: Callable[[LayerProperties], float],
) -> Series | None:
    """A quantity of all runs that show it."""
    return numbered_series(runs, lambda _, p: of(p), error)


def numbered_series(
    runs: Sequence[RunProperties],
    of: Callable[[int, LayerProperties], float],
    error: Callable[[LayerProperties], float],
) -> Series | None:
    """A quantity of all runs that show it; ``of`` is told the run's number."""
    values, errors, layers, single = [], [], [], []
    for number, run in enumerate(runs):
        value = of(number, run.together)
        if np.isfinite(value):
            own = np.array([of(number, layer) for layer in run.layers])
            wrong = np.array([error(layer) for layer in run.layers])
            layers.append(own[np.isfinite(own)])
            single += wrong[np.isfinite(wrong)].tolist()
            values.append(value)
            told = error(run.together)
            errors.append(told if np.isfinite(told) else 0.0)
    if not values:
        return None
    return Series(np.array(values), np.array(errors), layers, float(np.median(single)) if single else 0.0)


def series_of_runs(pairs: Sequence[tuple[float, float]]) -> Series | None:
    """A quantity that only whole runs show."""
    if not pairs:
        return None
    values, errors = np.array(pairs).T
    return Series(values, errors, [], 0.0)


def scaled(series: Series, factor: float) -> Series:
    """The same quantity in another unit."""
    layers = [own * factor for own in series.layers]
    return Series(series.runs * factor, series.errors * factor, layers, series.layer_error * factor)


def joined(own: tuple[float, float] | None, prior: tuple[float, float] | None) -> tuple[float, float] | None:
    """Two estimates of one value together."""
    known = [one for one in (own, prior) if one is not None]
    if not known:
        return None
    weights = np.array([1 / error**2 for _, error in known])
    return float(np.average([value for value, _ in known], weights=weights)), float(weights.sum() ** -0.5)
