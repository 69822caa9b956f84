"""The intervals of domain randomisation half and twice as wide -> short trainings and Table 2 at each (future work)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import product
from typing import Any

from layerwatch.evaluation.tables import Origin, Wanted, table2
from layerwatch.journeys.reproduction.causes import row_of
from layerwatch.journeys.reproduction.paper_table2 import METHODS, PAPER
from layerwatch.journeys.reproduction.short_runs import merit, short_network
from layerwatch.journeys.reproduction.shown import Shown
from layerwatch.journeys.reproduction.table import cell
from layerwatch.journeys.reproduction.workshop import Workshop
from layerwatch.journeys.reproduction.writing import Rows, markdown, write_csv

Row = dict[str, Any]
LEVELS = (0.5, 1.0, 2.0)


def variability(shop: Workshop, shown: Shown) -> None:
    """variability.csv: AUROC at each level; variability_table2.csv: Table 2 of the same short trainings."""
    base = merit(shop, short_network(shop, "fanogan"))
    rows, tables = list[Row](), dict[float, list[Row]]()
    for level in LEVELS:
        name = _end(level)
        found = merit(shop, short_network(shop, "fanogan", learn=f"learn{name}"), name)
        rows.append(row_of("variability", f"{level:g}", found, base))
        tables[level] = list(shop.remembered(f"variability-{level:g}", partial(_rows, shop, level)))
    write_csv(shown.folder / "variability.csv", rows)
    write_csv(shown.folder / "variability_table2.csv", [row for own in tables.values() for row in own])
    shown.say("Variability", _WORDS, markdown(rows))
    beside = list(_beside(tables, shop.protocol.severity))
    shown.say("Table 2 at three levels of variability", _TABLE, markdown(beside))
    shown.tell("variability", beside)


def _end(level: float) -> str:
    """Of an archive's name; the protocol's own has none."""
    return "" if level == 1 else f"@variability-{level:g}"


def _rows(shop: Workshop, level: float) -> list[Row]:
    """Table 2 of the short training of f-AnoGAN that variability.csv has too, the first seed, by job."""
    severity, seed, name = shop.protocol.severity, shop.protocol.seeds[0], _end(level)
    cohort = shop.cohort({"fanogan": short_network(shop, "fanogan", learn=f"learn{name}")}, severity, at=name)
    origin, wanted = Origin(shop.protocol.data, severity, seed), Wanted.whole("job", shop.protocol.mix)
    rows = table2(cohort, origin, wanted, each=shop.crew.each, progress=shop.progress)
    return [{"variability": level, **row.as_dict()} for row in rows]


def _beside(tables: Mapping[float, Rows], severity: float) -> Iterator[Row]:
    """Cell by cell of the paper's table, with its choices and, after the bar, without any label."""
    for name, method in product(PAPER, METHODS):
        told = {f"{level:g}": _both(rows, name, method, severity) for level, rows in tables.items()}
        if any(told.values()):
            yield {"input": name, "method": method, "paper": getattr(PAPER[name], method), **told}


def _both(rows: Rows, name: str, method: str, severity: float) -> str:
    ours = cell(rows, name, method, severity, search="paper", mapping="best")
    plain = cell(rows, name, method, severity)
    return "" if ours is None or plain is None else f"{ours:.3f} / {plain:.3f}"


_WORDS = "All intervals of domain randomisation half and twice as wide; the same short trainings."
_TABLE = (
    "Accuracy where all intervals are half as wide, as they are, and twice as wide; with the paper's choices / without "
    "any label. f-AnoGAN with a fifth of the recipe's steps, the first seed: not to be set beside the table above."
)
