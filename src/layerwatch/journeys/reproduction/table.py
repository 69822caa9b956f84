"""Features of healthy and defective layers -> Table 2 for every seed, severity and split, and beside the paper's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from layerwatch.evaluation.cohorts import SPLITS, Split
from layerwatch.evaluation.tables import Origin, Wanted, table2
from layerwatch.images.writing import write_file
from layerwatch.journeys.reproduction.paper_table2 import METHODS, PAPER
from layerwatch.journeys.reproduction.printed import in_words, median_of, printed_at
from layerwatch.journeys.reproduction.shown import Shown
from layerwatch.journeys.reproduction.workshop import Workshop
from layerwatch.journeys.reproduction.writing import Rows, markdown, write_csv

Row = dict[str, Any]


def rows_of(shop: Workshop, seed: int, severity: float, split: Split = "job") -> list[Row]:
    """The whole table of one seed and severity; it is kept, so it is made once."""

    def make() -> list[Row]:
        networks = {name: shop.network(name, seed) for name in shop.protocol.detectors}
        origin = Origin(shop.protocol.data, severity, seed)
        cohort = shop.cohort(networks, severity)
        rows = table2(
            cohort, origin, Wanted.whole(split, shop.protocol.mix), each=shop.crew.each, progress=shop.progress
        )
        return [row.as_dict() for row in rows]

    return list(shop.remembered(f"table2-{severity:g}-{split}-{seed}", make))


def table(shop: Workshop, shown: Shown) -> None:
    """table2.csv, .json and .md: every seed and severity by job, and the paper's random split at the main severity."""
    protocol, rows = shop.protocol, list[Row]()
    for seed in protocol.seeds:
        for severity in protocol.severities:
            for split in SPLITS if severity == protocol.severity else SPLITS[:1]:
                rows += rows_of(shop, seed, severity, split)
    write_csv(shown.folder / "table2.csv", rows)
    write_file(shown.folder / "table2.json", (json.dumps(rows, indent=1) + "\n").encode())
    beside, layers = list(beside_the_paper(rows, protocol.severity)), printed_at(shop, protocol.severity)
    words = f"{_words(protocol.severity, protocol.seeds)} {in_words(layers)}"
    write_file(shown.folder / "table2.md", f"{words}\n\n{markdown(beside)}".encode())
    shown.say("Table 2", words, markdown(beside))
    shown.tell("table2", {f"{row['input']} / {row['method']}": row["ours"] for row in beside})
    reached = {severity: median_of(printed_at(shop, severity)) for severity in protocol.severities}
    shown.say("By severity", _BY_SEVERITY, markdown(list(by_severity(rows, reached))))
    shown.say("The paper's random split", _SPLIT, markdown(list(by_split(rows, protocol.severity))))


def beside_the_paper(rows: Rows, severity: float) -> Iterator[Row]:
    """Cell by cell: the paper's accuracy, ours with its choices, and ours without any label, means over the seeds.

    Its rows and columns first, in its order; then whatever else the rows hold, which the paper does not have.
    """
    for name, method in product(_names(rows), _methods(rows)):
        paper = PAPER.get(name)
        theirs = cell(rows, name, method, severity, search="paper", mapping="best")
        if theirs is None:
            continue
        yield {
            "input": name,
            "method": method,
            "paper": None if paper is None else getattr(paper, method, None),
            "ours": theirs,
            "ours, no label used": cell(rows, name, method, severity, search="variance", mapping="cohort"),
            "components": _components(rows, name, severity),
            "paper's": None if paper is None else paper.dimension,
        }


def _names(rows: Rows) -> list[str]:
    return [*PAPER, *(name for name in dict.fromkeys(str(row["input"]) for row in rows) if name not in PAPER)]


def _methods(rows: Rows) -> list[str]:
    """The paper's, then every other one of the shelf: the columns between the input's dimension and the seed."""
    columns = list(rows[0])
    own = columns[columns.index("dimension") + 1 : columns.index("seed")]
    return [*METHODS, *(name for name in own if name not in METHODS)]


def cell(
    rows: Rows,
    name: str,
    method: str,
    severity: float,
    *,
    search: str = "variance",
    mapping: str = "cohort",
    split: str = "job",
) -> float | None:
    """Mean accuracy over the seeds; None where the method cannot take the input.

    Of the Gaussian mixture the one with full covariances counts, as in the paper, and a diagonal one where there is
    no other.
    """
    here = [
        row
        for row in rows
        if (row["input"], row["severity"], row["mapping"], row["split"]) == (name, severity, mapping, split)
        and row["search"] in {"none", search}
    ]
    full = [row[method] for row in here if row["covariance"] == "full" and row[method] is not None]
    values = full or [row[method] for row in here if row[method] is not None]
    return float(np.mean(values)) if values else None


def by_severity(rows: Rows, reached: Mapping[float, float]) -> Iterator[Row]:
    """Accuracy of every method on the main inputs, one line a severity asked for and what its layers reached."""
    for name in [key for key in PAPER if " on " not in key]:
        for severity in sorted({row["severity"] for row in rows}):
            for label, search, mapping in (("paper's choices", "paper", "best"), ("no label", "variance", "cohort")):
                values = {m: cell(rows, name, m, severity, search=search, mapping=mapping) for m in METHODS}
                told = {"severity": f"{severity:g}", "reached (median)": reached[severity], "NOK side": label}
                yield {"input": name, **told, **values}


def by_split(rows: Rows, severity: float) -> Iterator[Row]:
    """How much the random split flatters: accuracy with it and by job."""
    for name in PAPER:
        for method in METHODS:
            job, layer = (cell(rows, name, method, severity, split=split) for split in SPLITS)
            if job is not None and layer is not None:
                yield {"input": name, "method": method, "by job": job, "random": layer, "flatters by": layer - job}


def _components(rows: Rows, name: str, severity: float) -> str:
    here = [row for row in rows if (row["input"], row["severity"], row["split"]) == (name, severity, "job")]
    found = sorted({row["dimension"] for row in here if row["search"] != "variance"})
    return ", ".join(map(str, found))


def _words(severity: float, seeds: Sequence[int]) -> str:
    return f"Accuracy at severity {severity:g}, mean of {len(seeds)} seed{'s' if len(seeds) > 1 else ''}. {_CHOICES}"


_CHOICES = (
    "The column *ours* makes the paper's choices: its search for the number of components, and of two clusters the "
    "better one called NOK. The column without labels takes components by explained variance, and says which cluster "
    "is NOK from the cohort alone."
)
_BY_SEVERITY = (
    "Accuracy on the inputs as they are. A severity is d' / 10 of the defect to a matched filter, as it was asked for "
    "and as the layers reach it."
)
_SPLIT = "With the paper's random split, layers of one job lie on both sides; by job they do not. No label used."
