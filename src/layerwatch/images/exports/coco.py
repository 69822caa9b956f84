"""Archive -> images in 8 bit with one COCO annotation for each connected defective place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool
from scipy import ndimage

from layerwatch.images.archive import Archive, encode_png
from layerwatch.images.exports.base import Export
from layerwatch.images.grey import to_uint8
from layerwatch.images.walk import count_layers, walk
from layerwatch.images.writing import write_file
from layerwatch.records import Progress, Truth, silent


@dataclass(frozen=True)
class Coco(Export):
    """``images/JOB_LAYER.png`` and ``annotations.json``: boxes, areas and run-length masks, column by column."""

    summary: ClassVar[str] = "COCO: images, boxes and run-length masks"
    source: ClassVar[str] = "Lin et al. 2014, Microsoft COCO; format of the object detection task"
    leaves_out: ClassVar[str] = "the lower 8 of 16 bits, plans and coverage, heights, size and severity of the defects"

    def write(self, archive: Archive, out: Path, *, progress: Progress = silent) -> int:
        """See Export; layers that carry only a trace are there, without annotations."""
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        numbers: dict[str, int] = {}
        total = count_layers(archive)
        for image, truth in walk(archive):
            file = f"{image.job}_{image.layer:05d}.png"
            write_file(out / "images" / file, encode_png(to_uint8(image.pixels)))
            height, width = image.pixels.shape
            images.append(
                {
                    "id": len(images) + 1,
                    "file_name": file,
                    "width": width,
                    "height": height,
                    "job": image.job,
                    "layer": image.layer,
                    "label": truth.label,
                }
            )
            for place in _places(truth):
                number = numbers.setdefault(truth.label, len(numbers) + 1)
                annotations.append(
                    {"id": len(annotations) + 1, "image_id": len(images), "category_id": number, **place}
                )
            progress("export", len(images), total)
        categories = [{"id": number, "name": name, "supercategory": "defect"} for name, number in numbers.items()]
        told = {"images": images, "annotations": annotations, "categories": categories}
        write_file(out / "annotations.json", (json.dumps(told, indent=1) + "\n").encode())
        return len(images)


def _places(truth: Truth) -> list[dict[str, Any]]:
    """Each connected place of a defective layer as COCO tells it."""
    if not truth.is_defective:
        return []
    labels, count = ndimage.label(truth.mask, np.ones((3, 3)))
    return [_place(labels == number) for number in range(1, count + 1)]


def _place(mask: Bool[np.ndarray, "h w"]) -> dict[str, Any]:
    rows, columns = np.nonzero(mask)
    top, left = int(rows.min()), int(columns.min())
    box = [left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1]
    counts = _runs(mask.ravel(order="F"))
    return {
        "bbox": box,
        "area": len(rows),
        "iscrowd": 0,
        "segmentation": {"size": list(mask.shape), "counts": counts},
    }


def _runs(values: Bool[np.ndarray, " n"]) -> list[int]:
    """Lengths of runs of outside and inside by turns, beginning with outside (which may be of length 0)."""
    changes = np.flatnonzero(np.diff(values.astype(np.int8))) + 1
    lengths = np.diff(np.concatenate([[0], changes, [len(values)]])).tolist()
    return [0, *lengths] if values[0] else list(lengths)
