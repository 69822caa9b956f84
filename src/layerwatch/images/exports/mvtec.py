"""Archive -> the folder tree of MVTec AD that anomalib loads as it is, with a manifest and a 16-bit copy."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from layerwatch.images.archive import Archive, encode_png
from layerwatch.images.exports.base import Export
from layerwatch.images.grey import to_uint8, to_uint16
from layerwatch.images.splits import split_jobs
from layerwatch.images.walk import count_layers, walk, walk_truths
from layerwatch.images.writing import write_file
from layerwatch.records import DataError, LayerImage, Progress, Truth, silent

_COLUMNS = ("image_path", "label_index", "split", "mask_path", "job", "layer", "label", "defects", "image16_path")


@dataclass(frozen=True)
class _Row:
    """Where one layer goes."""

    image: LayerImage
    truth: Truth
    split: str

    @property
    def path(self) -> str:
        """File name below the category, without its ending; job and layer in it, since anomalib wants flat folders."""
        kind = self.truth.label if self.truth.is_defective else "good"
        return f"{self.split}/{kind}/{self.image.job}_{self.image.layer:05d}"

    @property
    def mask_path(self) -> str:
        if not self.truth.is_defective:
            return ""
        return f"ground_truth/{self.truth.label}/{self.image.job}_{self.image.layer:05d}_mask.png"


@dataclass(frozen=True)
class Mvtec(Export):
    """``CATEGORY/{train,test,ground_truth}`` in 8 bit, ``manifest.csv``, and ``CATEGORY_16bit`` beside it.

    Train holds healthy jobs only. Healthy layers of a defective job are left out, since a defect leaves its trace on
    the layers after it.
    """

    summary: ClassVar[str] = "MVTec AD folder tree (anomalib), manifest.csv, 16-bit copy"
    source: ClassVar[str] = "Bergmann et al. 2019, MVTec AD; anomalib's MVTecAD and Tabular data modules"
    leaves_out: ClassVar[str] = "layers of a defective job in which no defect is printed, plans and coverage, heights"

    category: str = "layers"
    train_share: float = 0.7  # of the healthy jobs
    seed: int = 0

    def write(self, archive: Archive, out: Path, *, progress: Progress = silent) -> int:
        """See Export."""
        manifest = []
        total = count_layers(archive)
        for number, row in enumerate(self._rows(archive)):
            self._write_row(row, out)
            manifest.append(self._describe(row))
            progress("export", number + 1, total)
        progress("export", total, total)
        write_file(out / self.category / "manifest.csv", _csv(manifest))
        return len(manifest)

    def _rows(self, archive: Archive) -> Iterator[_Row]:
        healthy = [job for job in archive.jobs if all(t.is_healthy for t in walk_truths(archive, [job]))]
        if len(healthy) < 2:
            raise DataError(
                f"{len(healthy)} healthy jobs in the archive; at least 2 are needed, one to train, one to test"
            )
        train, _ = split_jobs(healthy, (self.train_share, 1 - self.train_share), seed=self.seed)
        for image, truth in walk(archive):
            if image.job in healthy or truth.is_defective:
                yield _Row(image, truth, "train" if image.job in train else "test")

    def _write_row(self, row: _Row, out: Path) -> None:
        write_file(out / self.category / f"{row.path}.png", encode_png(to_uint8(row.image.pixels)))
        write_file(out / f"{self.category}_16bit" / f"{row.path}.png", encode_png(to_uint16(row.image.pixels)))
        if row.mask_path:
            mask = row.truth.mask.astype(np.uint8) * np.uint8(255)
            write_file(out / self.category / row.mask_path, encode_png(mask))

    def _describe(self, row: _Row) -> tuple[str | int, ...]:
        told = [f"{d.defect}:{d.severity:g}:{d.amplitude:.3g}K:{d.extent:.3g}mm" for d in row.truth.defects]
        defects = ";".join(told) or "-"  # anomalib's Tabular takes no empty cell but a mask's
        label = row.truth.label
        where = f"../{self.category}_16bit/{row.path}.png"
        index = int(row.truth.is_defective)
        return (
            f"{row.path}.png",
            index,
            row.split,
            row.mask_path,
            row.image.job,
            row.image.layer,
            label,
            defects,
            where,
        )


def _csv(rows: list[tuple[str | int, ...]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(rows)
    return text.getvalue().encode()
