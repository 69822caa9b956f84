"""What was seen on a layer and the scale of scores -> a row of the table; and words that undo a judgement of a job."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Bool, Float64
from scipy import ndimage

from layerwatch.journeys.score_following import SeenLayer
from layerwatch.journeys.score_scale import Scale
from layerwatch.records import Finding, LayerImage, Reading

NOT_CALIBRATED = "not calibrated"
_FIRST = 10  # scored layers of a job that tell whether it is like the healthy ones
_FEWEST = 5
_LOUD = 0.5  # share of them that is NOK, from which the job may be unlike
_SAME = 0.6  # share of those that is at one place, from which it is a defect and not the job
_NEAR = 0.04  # of the frame's longer side, beside half of the extent: one place
_IN_LINE = 0.02  # of the frame's longer side, or half of the extent: on one line along an image axis
_FEWEST_IN_LINE = 5  # layers; fewer lie on a line by chance
_GREY = re.compile(r"[+-][\d.e+-]+ grey")


@dataclass(frozen=True)
class Row:
    """One line of the table; the fields are its columns, but for the last ones."""

    job: str
    layer: int
    file: str
    score: float = math.nan
    p_value: float = math.nan
    p_kind: str = ""
    verdict: str = ""
    type: str = ""
    x_mm: float = math.nan
    y_mm: float = math.nan
    extent_mm: float = math.nan
    amplitude: float = math.nan
    statistic: str = ""
    part: int | None = None
    reason: str = ""
    side_mm: float = math.nan  # longer side of the frame


COLUMNS = tuple(one.name for one in fields(Row) if one.name not in {"reason", "side_mm"})


def row_of(seen: SeenLayer, scale: Scale, alpha: float, *, is_scaled: bool) -> Row:
    """The row of one layer."""
    file = seen.file
    row = Row(file.job, file.layer, file.name)
    if seen.refused is not None or seen.reading is None or seen.image is None:
        told = seen.refused
        return row if told is None else replace(row, verdict=told.word, reason=told.reason)
    score = scale.standard(seen.reading.score)
    p = scale.p_value(score)
    found = seen.reading.finding or _peak_of(seen.reading, seen.image)
    size = max(seen.image.pixels.shape) * seen.image.mm_per_px
    row = replace(row, score=score, p_value=p.value, p_kind=p.kind, verdict="NOK" if p.value < alpha else "OK")
    row = replace(row, reason=seen.note, side_mm=size)
    return row if found is None else _with_finding(row, found, seen.image, is_scaled=is_scaled)


def _with_finding(row: Row, found: Finding, image: LayerImage, *, is_scaled: bool) -> Row:
    levels = 1.0 if image.bits is None or image.span is not None else float(2**image.bits - 1)
    is_level = found.kind != "shift" and not found.kind.startswith("texture")
    amplitude = found.amplitude * levels if is_level else found.amplitude
    text = _GREY.sub(f"{amplitude:+.3g} grey", found.text)
    return replace(
        row,
        type=found.kind,
        x_mm=found.x,
        y_mm=found.y,
        extent_mm=found.extent,
        amplitude=amplitude,
        statistic=text if is_scaled else re.sub(r"\bmm\b", "px", text),
        part=found.part,
    )


def _peak_of(reading: Reading, image: LayerImage) -> Finding | None:
    """Where the heat map of a detector that names nothing stands out most."""
    if reading.heat is None:
        return None
    heat = ndimage.gaussian_filter(reading.heat, max(1.0, max(reading.heat.shape) / 64))
    row, column = np.unravel_index(int(np.abs(heat).argmax()), heat.shape)
    mm, amplitude = image.mm_per_px, float(heat[row, column])
    if image.span is not None:
        amplitude *= image.span[1] - image.span[0]
    at = ((column + 0.5) * mm, (row + 0.5) * mm)
    text = f"unlike healthy images, {amplitude:+.2g} {'grey' if image.span is None else 'K'}"
    return Finding("unlike", text, float(at[0]), float(at[1]), math.nan, amplitude, 0, math.nan)


def judged_job(rows: Sequence[Row], *, knows_plan: bool) -> tuple[Row, ...]:
    """The rows of one job; none is OK or NOK where its first layers show that the job is unlike the healthy ones.

    A defect that is there from the first layer on stays at one place, or on one line along an image axis, whatever
    it is named on each layer. Where most of the first layers are conspicuous, each elsewhere, it is the job, its camera
    or its plans that are unlike. Without plans another bed looks like a defect at one place as well.
    """
    first = [row for row in rows if row.p_kind][:_FIRST]
    loud = [row for row in first if row.verdict == "NOK"]
    if len(first) < _FEWEST or len(loud) <= _LOUD * len(first) or (knows_plan and _share_at_one_place(loud) >= _SAME):
        return tuple(rows)
    reason = (
        f"{len(loud)} of the first {len(first)} layers are conspicuous, at no place common to them: this job is "
        f"unlike the healthy ones; give (more) healthy jobs of this printer and camera with --healthy"
    )
    return tuple(replace(row, verdict=NOT_CALIBRATED, reason=reason) if row.p_kind else row for row in rows)


def _share_at_one_place(rows: Sequence[Row]) -> float:
    """The largest share of rows whose findings lie at one place, or on one line along an image axis.

    What has no place along one axis, such as a stripe, counts by the other; what has none at all, by its name.
    """
    x, y = np.array([row.x_mm for row in rows]), np.array([row.y_mm for row in rows])
    half = np.nan_to_num(np.array([row.extent_mm / 2 for row in rows]))
    side = rows[0].side_mm
    nowhere = np.isnan(x) & np.isnan(y)
    alike = Counter(row.type for row, lost in zip(rows, nowhere, strict=True) if lost)
    wide, narrow = _NEAR * side + half, np.maximum(_IN_LINE * side, half)
    at_one = ~nowhere & (_near(x, wide) | np.isnan(x)) & (_near(y, wide) | np.isnan(y))
    in_line = max(int(_near(x, narrow).sum()), int(_near(y, narrow).sum()))
    most = max(int(at_one.sum()), max(alike.values(), default=0), in_line if in_line >= _FEWEST_IN_LINE else 0)
    return most / len(rows)


def _near(places: Float64[np.ndarray, " n"], reach: Float64[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Which are within reach of the median of those that are known."""
    known = np.isfinite(places)
    middle = np.median(places[known]) if known.any() else np.nan
    return np.asarray(np.abs(places - middle) < reach)  # nan is near nothing


def as_csv(rows: Sequence[Row]) -> bytes:
    """The table; numbers that there are none of stay empty."""
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(COLUMNS)
    for row in rows:
        table.writerow([_written(getattr(row, name)) for name in COLUMNS])
    return file.getvalue().encode()


def _written(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else ""
    return "" if value is None else str(value)
