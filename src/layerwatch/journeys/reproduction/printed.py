"""Archives of defective layers -> how many layers of each defect there really are, and the severity that they reach."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from layerwatch.images.archive import Archive
from layerwatch.journeys.reproduction.shown import Shown
from layerwatch.journeys.reproduction.workshop import Workshop
from layerwatch.journeys.reproduction.writing import Rows, markdown, write_csv
from layerwatch.records import LayerImage

Row = dict[str, Any]
_SAME = 0.95  # of the severity asked for; below it the defect is at the end of what is believable


def printed(shop: Workshop, shown: Shown) -> None:
    """defects.csv: for every severity and defect the layers, and what the truth files say of their severity."""
    rows = [row for severity in shop.protocol.severities for row in printed_at(shop, severity)]
    write_csv(shown.folder / "defects.csv", rows)
    shown.say("What was printed", _WORDS, markdown(rows))
    shown.tell("defects", rows)


def printed_at(shop: Workshop, severity: float) -> list[Row]:
    """One row a defect, of the layers that tables and figures take at a severity."""
    return list(shop.remembered(f"printed-{severity:g}", partial(_rows, shop, severity)))


def median_of(rows: Rows) -> float:
    """Of the defects' medians."""
    return float(np.median([row["reached_median"] for row in rows]))


def in_words(rows: Rows) -> str:
    """The real counts and severities, for the words above a table."""
    each = "; ".join(
        f"{row['defect'].replace('_', ' ')} {row['layers']} layers, median severity {row['reached_median']:.3g}"
        for row in rows
    )
    return f"What was printed at {rows[0]['severity']:g}: {each}."


def _rows(shop: Workshop, severity: float) -> list[Row]:
    name, rows = f"severity-{severity:g}", list[Row]()
    found, archive, each = shop.labelled(name), shop.archive(name), shop.protocol.each
    for defect in shop.protocol.defects:
        every = [image for image, kind in zip(found.images, found.kinds, strict=True) if kind == defect]
        reached = np.array(_severities(archive, every[:each], defect))
        rows.append(
            {
                "severity": severity,
                "defect": defect,
                "jobs": len({image.job for image in every[:each]}),
                "layers_printed": len(every),
                "layers": len(every[:each]),
                "reached_median": float(np.median(reached)),
                "reached_lowest": float(reached.min()),
                "share_below": float((reached < _SAME * severity).mean()),
            }
        )
    return rows


def _severities(archive: Archive, images: Sequence[LayerImage], defect: str) -> list[float]:
    """Of the layer's own defect."""
    of_job = {job: archive.defects(job) for job in {image.job for image in images}}
    return [
        max(
            one.severity
            for one in of_job[image.job]
            if one.defect == defect and one.first_layer <= image.layer <= one.last_layer
        )
        for image in images
    ]


_WORDS = (
    "A severity is asked for, but no defect is made hotter or larger than is believable, so at high ones many layers "
    "stay below it: what the truth files say of the layers taken (`layers`: at most as many as the protocol "
    "takes, fewer where the defects of all jobs do not last so long). `share_below`: of layers more than 5 % below."
)
