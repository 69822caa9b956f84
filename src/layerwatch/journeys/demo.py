"""Part files -> the whole street: virtual layers, trained detectors, an inspected job, summary.json and report.html."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from layerwatch import recipes
from layerwatch.evaluation.tables import Origin, table2
from layerwatch.images.writing import write_file
from layerwatch.inspection.messages import as_json as verdict_json
from layerwatch.inspection.sinks.console import line
from layerwatch.journeys.demo_data import INSPECTED, print_demo
from layerwatch.journeys.demo_report import write_report
from layerwatch.journeys.demo_results import ON_LINE, Results
from layerwatch.journeys.evaluate import cohort_of, evaluate, read_all, score, triple
from layerwatch.journeys.examples import example_parts
from layerwatch.journeys.inspect import Frames, inspect, tally
from layerwatch.journeys.sources import healthy_images, labelled_images
from layerwatch.journeys.summary import comparison_lines
from layerwatch.journeys.train import Training
from layerwatch.journeys.trained import trained
from layerwatch.records import Progress


@dataclass(frozen=True)
class Summary:
    """What the terminal shows at the end."""

    lines: tuple[str, ...]


def demo(
    out: Path, parts: Sequence[Path], recipe_name: str, seed: int, progress: Progress, *, workers: int = 1
) -> Summary:
    """Run everything; an interrupted demo of the same parts, recipe and seed goes on where it was.

    Raises:
        UsageError: ``out`` cannot be written or holds a demo of other settings; no part files; no such recipe.
        DataError: a part is broken.
    """
    clock, recipe = Clock(out / "seconds.json"), recipes.recipe(recipe_name)
    paths = list(parts) or example_parts()
    with clock.step("slice and print"):
        data = print_demo(paths, out, recipe, seed, progress, workers=workers)
    healthy = healthy_images(data.train.folder, calibration=recipe.amounts.calibration, seed=seed)
    models = {}
    for name in recipe.shown:
        with clock.step(f"train {name}"):
            models[name] = trained(healthy, Training(name, recipe, seed), out / "models" / name, progress=progress)

    # Judge labelled layers that no detector has seen.
    found, scored = labelled_images(data.test.folder), {}
    for name, model in models.items():
        with clock.step(f"read with {name}"):
            scored[name] = score(name, model, found, progress=progress)
    figures = {n: evaluate(one, models[n], recipe.false_alarm_rate, seed=seed) for n, one in scored.items()}
    with clock.step("Table 2"):
        origin = Origin("paper", recipe.amounts.severity, seed)
        table = table2(cohort_of({n: scored[n] for n in ("vae", "fanogan")}), origin, progress=progress)

    # Inspect one more job from its files, layer by layer, as a plant would.
    with clock.step("inspect the job"):
        frames = Frames(
            data.job.folder / "frames" / INSPECTED, data.job.folder / "plans" / INSPECTED, data.machine.mm_per_px
        )
        judged = inspect(frames, models[ON_LINE], recipe.false_alarm_rate, quiet=True, progress=progress)
    images = data.job.images()
    job_scores = {
        n: np.array([r.score for r in read_all(model, images, f"read the job with {n}")]) for n, model in models.items()
    }
    clock.save()
    results = Results(recipe, seed, data, models, scored, figures, table, judged, job_scores, clock.seconds)
    _write(out, results)
    with clock.step("report"):
        write_report(out / "report.html", results)
    progress("report", 1, 1)
    return Summary(tuple(_lines(results, out)))


class Clock:
    """Seconds of each step, kept on disk; a step that was interrupted counts all its tries."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step."""
        before, started = self._before(name), time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(before + time.monotonic() - started, 2)
            if self._path.parent.is_dir():
                self.save()

    def save(self) -> None:
        """Keep what was measured."""
        known = json.loads(self._path.read_bytes()) if self._path.exists() else {}
        write_file(self._path, (json.dumps({**known, **self.seconds}, indent=1) + "\n").encode())

    def _before(self, name: str) -> float:
        """What training and printing took before; reading is done anew each time."""
        if not self._path.exists() or not name.startswith(("train", "slice")):
            return 0.0
        return float(json.loads(self._path.read_bytes()).get(name, 0.0))


def _write(out: Path, results: Results) -> None:
    verdicts = "".join(json.dumps(verdict_json(one.verdict), sort_keys=True) + "\n" for one in results.judged)
    write_file(out / "verdicts.jsonl", verdicts.encode())
    write_file(out / "summary.json", (json.dumps(summary_of(results), indent=1) + "\n").encode())


def summary_of(results: Results) -> dict[str, Any]:
    """What scripts read: AUROC with intervals, false alarms, Table 2, seconds."""
    on_line = results.figures[ON_LINE]
    return {
        "seed": results.seed,
        "recipe": results.recipe.name,
        "detector": ON_LINE,
        "auroc": {n: {kind: triple(e) for kind, e in f.auroc.items()} for n, f in results.figures.items()},
        "false_alarms": {
            "promised": on_line.promised,
            "measured": triple(on_line.false_alarms)[0],
            "interval": triple(on_line.false_alarms)[1:],
            "layers": on_line.healthy,
            "all_detectors": {n: triple(f.false_alarms) for n, f in results.figures.items()},
        },
        "inspected": {"verdicts": tally(results.judged), "defects": [list(span) for span in results.data.spans]},
        "table2": [row.as_dict() for row in results.table],
        "seconds": results.seconds,
    }


def _lines(results: Results, out: Path) -> Iterator[str]:
    yield f"verdicts of {ON_LINE} on the inspected job, layer by layer (* marks layers with a true defect):"
    for one in results.judged:
        defects = [d for d, first, last in results.data.spans if first <= one.verdict.layer <= last]
        yield f"{'*' if defects else ' '} {line(one.verdict)}{'   <- ' + defects[0] if defects else ''}"
    yield tally(results.judged)
    yield ""
    yield from comparison_lines(list(results.figures.values()))
    yield f"report: {out / 'report.html'}   figures: {out / 'summary.json'}"
    yield f"{sum(results.seconds.values()):.0f} s in all"
