"""The demo's results -> report.html: what was printed, what was found, how sure we are, how long it took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import layerwatch
from layerwatch.evaluation import figures as draw
from layerwatch.evaluation.report import Card, Picture, Section, Table, html
from layerwatch.evaluation.score_figures import histograms
from layerwatch.evaluation.tables import Row, Wanted
from layerwatch.images.writing import write_file
from layerwatch.journeys.demo_data import healthy_twin
from layerwatch.journeys.demo_results import ON_LINE, Results, critic_scores
from layerwatch.journeys.train import judge_of
from layerwatch.records import LayerImage, Reading, Truth, Verdict

_COLUMNS = 5  # layers shown of each part


def write_report(path: Path, results: Results) -> None:
    """Draw every figure and write the file."""
    lead = (
        f"layerwatch {layerwatch.__version__}, recipe {results.recipe.name}, seed {results.seed}. Parts: "
        f"{', '.join(part.name for part in results.data.parts)}. Every detector has seen healthy virtual layers only."
    )
    sections = [*_printed(results), *_found(results), *_measured(results), _timings(results)]
    write_file(path, html("layerwatch: from STL to verdicts", lead, _cards(results), sections))


def _cards(results: Results) -> list[Card]:
    figures = results.figures[ON_LINE]
    best = max(results.figures.values(), key=lambda f: f.auroc["all"].value)
    judged = [one.verdict for one in results.judged]
    hit = sum(v.word == "NOK" and results.defect_at(v.layer) is not None for v in judged)
    spoiled = sum(results.defect_at(v.layer) is not None for v in judged)
    return [
        Card(str(best.auroc["all"]), f"AUROC of {best.name} over all defects, 95 % interval by job"),
        Card(
            f"{figures.false_alarms.value:.2%}",
            f"false alarms of {ON_LINE} on {figures.healthy} healthy layers; promised {figures.promised:.2%}",
        ),
        Card(f"{hit} of {spoiled}", f"defective layers of the inspected job found by {ON_LINE}"),
        Card(f"{sum(results.seconds.values()):.0f} s", "from STL to this report"),
    ]


def _printed(results: Results) -> Iterator[Section]:
    data, shown = results.data, []
    for part in data.parts:
        layers = [_any_layer(results, part.name, share) for share in np.linspace(0.05, 0.95, _COLUMNS)]
        shown.append((part.name, layers))
    said = " ".join(f"{part.name}: {len(part.layers)} layers, {'; '.join(part.said)}." for part in data.parts)
    yield Section(
        "Virtual layers",
        f"Each STL is sliced; its layers are printed with heat drawn at random for every job and every layer. {said}",
        (Picture(draw.layer_sheet(shown), "Infrared frames with the contours of the plan (white)."),),
    )
    pairs = [_pair(results, defect) for defect in results.defects]
    yield Section(
        "Healthy beside defective",
        f"The same layer printed twice from the same seed, without and with a defect of severity "
        f"{results.recipe.amounts.severity:g} (a matched filter that knows the very defect would have "
        f"d' = {10 * results.recipe.amounts.severity:g}). Place, shape, sign and length differ from job to job.",
        (Picture(draw.pairs_sheet(pairs), "Outlined in blue: where the layer is defective. Below: the difference."),),
    )


def _found(results: Results) -> Iterator[Section]:
    names = list(results.models)
    layers = [int(one.verdict.layer) for one in results.judged]
    thresholds = {name: results.figures[name].threshold for name in names}
    yield Section(
        "The inspected job, layer by layer",
        "One job that no detector has seen, read from a folder of image files. Above the dashed line a layer is NOK. "
        "Shaded: the layers in which a defect was really printed; the layers after a defect still carry its heat.",
        (
            Picture(
                draw.timeline(layers, results.job_scores, thresholds, results.data.spans),
                f"Score against layer, one panel a detector; {ON_LINE} gives the verdicts.",
            ),
            _verdicts(results),
        ),
    )
    rows = [_row(results, defect) for defect in results.defects]
    yield Section(
        "Where it is",
        f"One defective layer of each kind. Left: the frame with the regions that {ON_LINE} reports (boxes). Then what "
        "each detector sees, brighter where the layer is unlike healthy ones. Outlined: the true place.",
        (Picture(draw.heat_sheet(rows, names), "Heat maps over the frames."),),
    )


def _measured(results: Results) -> Iterator[Section]:
    figures = results.figures
    kinds = results.scored["fanogan"].data.kinds
    healthy = {n: one.scores[one.where("healthy")] for n, one in results.scored.items()}
    defective = {n: one.scores[one.where("all")] for n, one in results.scored.items()}
    yield Section(
        "How well each detector tells defective from healthy",
        "AUROC for each defect with 95 % intervals, drawn by job and not by layer. 0.5 is guessing. The image-only "
        "detectors of the paper are trained here for a few minutes at a small size; they do not yet reproduce parts at "
        "random places, and one number a layer drowns in healthy texture. The plan, which CAD gives for nothing, is "
        "what makes the difference here.",
        (
            Picture(draw.auroc_bars({n: f.auroc for n, f in figures.items()}), "AUROC with intervals."),
            Picture(draw.roc(healthy, defective), "ROC over all defects; right: the same with few false alarms."),
            _auroc_table(results),
            _alarm_table(results),
        ),
    )
    yield Section(
        "Distribution of anomaly scores",
        "As the paper's Figure 7: reconstruction error of the VAE, and equation 1 of f-AnoGAN for lam = 0 (A_R), 0.1 "
        "and 1 (A_D).",
        (Picture(histograms(_figure7(results), kinds), "Number of layers by score, one line a type."),),
    )
    yield Section(
        "Clusters without labels",
        "As the paper's Table 2, at a small size: accuracy of four ways to part an unlabelled, balanced cohort in two, "
        "counted on jobs that the clustering has not seen. Which side is NOK is decided without labels (cohort) or by "
        "counting both ways and taking the better one (best), which flatters.",
        (_table2(results),),
    )


def _timings(results: Results) -> Section:
    rows = tuple((step, f"{seconds:.1f}") for step, seconds in results.seconds.items())
    return Section("Timings", "Seconds on this machine.", (Table(("step", "s"), rows),))


def _verdicts(results: Results) -> Table:
    rows = []
    for one in results.judged:
        v, place = one.verdict, ""
        if v.regions:
            r = v.regions[0]
            place = f"part {r.part}: x {r.x:.0f}, y {r.y:.0f} mm, {r.extent:.0f} mm" + (
                f" and {len(v.regions) - 1} more" if len(v.regions) > 1 else ""
            )
        defect = results.defect_at(v.layer)
        if v.word != "OK" or defect:
            said = (defect or "none").replace("_", " ")
            rows.append((str(v.layer), v.word, f"{v.score:.2f}", f"{v.p_value:.3f}", v.reason, place, said))
    head = ("layer", "verdict", "score", "p", "what is seen", "strongest place", "really printed")
    return Table(head, tuple(rows), "Every layer that is NOK or was really defective; all others are OK and healthy.")


def _auroc_table(results: Results) -> Table:
    kinds = list(next(iter(results.figures.values())).auroc)
    rows = tuple((name, *(str(f.auroc[k]) for k in kinds)) for name, f in results.figures.items())
    return Table(("detector", *(k.replace("_", " ") for k in kinds)), rows, "AUROC [95 % interval].")


def _alarm_table(results: Results) -> Table:
    rows = tuple(
        (name, f"{f.promised:.3f}", str(f.false_alarms), str(f.hits["all"])) for name, f in results.figures.items()
    )
    head = ("detector", "promised", "false alarms on healthy layers", "defective layers found")
    return Table(head, rows, "Shares of layers above each detector's threshold [95 % interval].")


def _table2(results: Results) -> Table:
    def cell(value: float | None) -> str:
        return "" if value is None else f"{value:.3f}"

    methods = Wanted().methods
    head = ("input", "dimension", "components", "NOK side", "covariance", *(m.replace("_", " ") for m in methods))
    rows = tuple(
        (r.input, str(r.dimension), r.search, r.mapping, r.covariance, *(cell(r.accuracy[m]) for m in methods))
        for r in results.table
        if (r.covariance == "full") == _has_full(r, results.table)
    )
    return Table(head, rows, "Accuracy; blank where a method cannot take the input.", head[5:])


def _has_full(row: Row, table: Sequence[Row]) -> bool:
    """Whether a Gaussian mixture with full covariances took this input."""
    return any(r.input == row.input and r.covariance == "full" and r.accuracy["gmm"] is not None for r in table)


def _figure7(results: Results) -> dict[str, np.ndarray]:
    critic = results.scored["fanogan"]
    named = {f"f-AnoGAN, lam = {lam:g}": critic_scores(critic, lam) for lam in (0.0, 0.1, 1.0)}
    return {"VAE, A_R": results.scored["vae"].scores, **named}


def _any_layer(results: Results, part: str, share: float) -> tuple[LayerImage, float]:
    """A layer of the training archive near that share of the part's height."""
    data = results.data
    names = [p.name for p in data.parts]
    own = [job for number, job in enumerate(data.train.jobs) if number % len(names) == names.index(part)]
    layers = data.parts[names.index(part)].layers
    wanted = share * len(layers)
    _, job, layer = min((abs(layer - wanted), job, layer) for job in own for layer in data.train.layers[job])
    return data.train.image(job, layer), layers[layer].z


def _example(results: Results, defect: str) -> int:
    """Place in the test archive of a layer with that defect, from the middle of the list."""
    found = np.flatnonzero(results.scored["fanogan"].where(defect))
    return int(found[len(found) // 2])


def _truth(results: Results, image: LayerImage) -> Truth:
    return next(t for t in results.data.test.truths([image.job]) if t.layer == image.layer)


def _pair(results: Results, defect: str) -> draw.Pair:
    image = results.scored["fanogan"].data.images[_example(results, defect)]
    truth = _truth(results, image)
    record = truth.defects[0]
    size = f"{record.amplitude:+.1f} K, {record.extent:.0f} mm" if record.amplitude else f"{record.extent:.1f} mm"
    healthy = healthy_twin(results.data.settings[image.job], image.layer, image)
    return draw.Pair(defect, healthy, image, truth, size)


def _row(results: Results, defect: str) -> tuple[LayerImage, Truth, dict[str, Reading], Verdict]:
    place = _example(results, defect)
    image = results.scored["fanogan"].data.images[place]
    readings: dict[str, Any] = {name: one.readings[place] for name, one in results.scored.items()}
    verdict = judge_of(results.models[ON_LINE], results.recipe.false_alarm_rate).verdict(readings[ON_LINE], image)
    return image, _truth(results, image), readings, verdict
