"""Part files -> the paper's whole evaluation: Figure 7, Table 2, its claims and what lies beyond them, on one page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from layerwatch import __version__
from layerwatch.images.writing import check_writable, write_file
from layerwatch.job.machine import Machine, default_machine
from layerwatch.journeys.examples import example_parts
from layerwatch.journeys.reproduction.causes import causes, contaminated
from layerwatch.journeys.reproduction.ceiling import ceiling
from layerwatch.journeys.reproduction.checked import claims
from layerwatch.journeys.reproduction.detection import detect
from layerwatch.journeys.reproduction.figure5 import figure5
from layerwatch.journeys.reproduction.figure7 import figure7
from layerwatch.journeys.reproduction.judged import OPEN
from layerwatch.journeys.reproduction.multi_class import multi_class
from layerwatch.journeys.reproduction.one_number import one_number
from layerwatch.journeys.reproduction.pixels import pixelwise
from layerwatch.journeys.reproduction.prevalence import prevalence
from layerwatch.journeys.reproduction.printed import printed
from layerwatch.journeys.reproduction.protocol import Protocol
from layerwatch.journeys.reproduction.remade import remade
from layerwatch.journeys.reproduction.shown import Shown
from layerwatch.journeys.reproduction.table import table
from layerwatch.journeys.reproduction.timing import timing
from layerwatch.journeys.reproduction.variability import variability
from layerwatch.journeys.reproduction.workshop import Workshop
from layerwatch.journeys.synthesise import crew_of
from layerwatch.records import DataError, Progress, UsageError, silent

Stage = Callable[[Workshop, Shown], None]
_CLAIM = "protocol.json"


@dataclass(frozen=True)
class Reproduced:
    """Where the results lie, and what to tell a person."""

    folder: Path
    lines: tuple[str, ...]


def reproduce(
    protocol: Protocol,
    parts: Sequence[Path],
    out: Path,
    work: Path,
    *,
    machine: Machine | None = None,
    costly: bool = False,
    workers: int = 1,
    progress: Progress = silent,
) -> Reproduced:
    """Print, train, read, cluster, count and write; an interrupted call of the same protocol goes on where it was.

    Args:
        protocol: how much is run.
        parts: what is printed, in turn; none: an example.
        out: folder of results: tables, figures, reproduction.md.
        work: folder of archives, models and readings, which may be deleted afterwards.
        machine: the printer; None: the usual one.
        costly: also check the statements that take trainings of their own.
        workers: processes that print and cluster; 0: one a processor.
        progress: told all along.

    Raises:
        UsageError: a folder cannot be written, or ``work`` holds a reproduction of other settings.
        DataError: a part is broken, or a training diverges.
    """
    check_writable(out)
    check_writable(work)
    parts = list(parts) or example_parts()[:1]
    told = {"protocol": _plain(protocol), "parts": [part.name for part in parts]}
    for folder in (work, out):
        _check_claim(folder, told)
    shop = Workshop(protocol, parts, machine or default_machine(), work, crew_of("processes", workers), progress)
    shop.archive("learn")  # what cannot be printed leaves no claim behind
    for folder in (work, out):
        write_file(folder / _CLAIM, (json.dumps(told, indent=1) + "\n").encode())
    shown = Shown(out)
    stages: tuple[Stage, ...] = (
        remade,
        printed,
        figure7,
        table,
        detect,
        ceiling,
        prevalence,
        multi_class,
        pixelwise,
        *((figure5, contaminated, causes, variability, one_number) if costly else ()),
        partial(claims, costly=costly),
        timing,
    )
    for stage in stages:
        stage(shop, shown)
    summary = {"layerwatch": __version__, **told, **shown.summary}
    write_file(out / "summary.json", (json.dumps(summary, indent=1) + "\n").encode())
    write_file(out / "reproduction.md", _page(protocol, parts, shown).encode())
    return Reproduced(out, _lines(out, shown))


def _check_claim(folder: Path, told: Mapping[str, object]) -> None:
    """Refuse a folder in which something else was reproduced: what is kept there would be taken for this."""
    path = folder / _CLAIM
    try:
        before = json.loads(path.read_bytes()) if path.exists() else told
    except ValueError:
        raise DataError(f"{path} is damaged, so what {folder} holds is not known; choose another folder") from None
    if before != told:
        raise UsageError(
            f"{folder} holds a reproduction of other settings; choose another --work and another --out, or delete it"
        )


def _plain(protocol: Protocol) -> object:
    """As JSON gives it back."""
    return json.loads(json.dumps(asdict(protocol)))


def _page(protocol: Protocol, parts: Sequence[Path], shown: Shown) -> str:
    head = (
        f"# The paper's evaluation, recipe `{protocol.recipe.name}` on `{protocol.data}` data\n\n"
        f"{protocol.healthy_jobs * protocol.layers:,} healthy layers of {', '.join(part.stem for part in parts)}, "
        f"{protocol.held_jobs * protocol.layers} of them held out (whole jobs); of defects {_counts(protocol, shown)}; "
        f"seeds {', '.join(map(str, protocol.seeds))}. All splits by job unless said otherwise. Written by "
        "`layerwatch reproduce`.\n"
    )
    return "\n".join([head, *shown.sections])


def _counts(protocol: Protocol, shown: Shown) -> str:
    """Layers of each defect at the main severity."""
    main = [row for row in shown.summary["defects"] if row["severity"] == protocol.severity]
    return ", ".join(f"{row['layers']} of {row['defect'].replace('_', ' ')}" for row in main)


def _lines(out: Path, shown: Shown) -> tuple[str, ...]:
    held = list(shown.summary["claims"].values())
    forest = "D_f - D_f(G(E(X))) / isolation_forest"
    return (
        f"Isolation Forest on subtracted features: accuracy {shown.summary['table2'][forest]:.3f} (paper: 1.000)",
        f"claims: {held.count('yes')} hold, {held.count('no')} do not, {held.count(OPEN)} cannot be judged",
        f"results: {out / 'reproduction.md'}   tables: {out}/*.csv   figures: {out / 'figures'}",
    )
