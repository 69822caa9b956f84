"""Our own archives -> Figures 1 to 4 and 6 and Table 1 of the paper, remade."""

from __future__ import annotations

import numpy as np

from layerwatch.evaluation.drawings import figure_1, figure_2, figure_3, figure_4, figure_6
from layerwatch.images.archive import Archive
from layerwatch.job.printing import stages_of
from layerwatch.journeys.models import parameters_of_table_1
from layerwatch.journeys.plates import fill_beds, slice_part
from layerwatch.journeys.reproduction.protocol import Protocol
from layerwatch.journeys.reproduction.shown import Shown
from layerwatch.journeys.reproduction.workshop import Workshop
from layerwatch.journeys.reproduction.writing import Rows, markdown, write_csv
from layerwatch.journeys.synthesise import Wish, plan_plates

_PAPER = {  # Table 1: train data, batch size, epochs, latent dimension, trainable parameters
    "VAE": ("4500 x 64 x 64", 64, 300, 16, 1_430_209),
    "DCGAN": ("4500 x 64 x 64", 128, 1500, 100, 3_039_041),
    "WGAN": ("4500 x 128 x 128", 256, 1500, 128, 5_697_347),
}


def remade(shop: Workshop, shown: Shown) -> None:
    """Figures 1, 2, 3, 4 and 6, and table1.csv."""
    spoiled = shop.archive(f"severity-{shop.protocol.severity:g}")
    shown.draw("Figure 1", "figure1", figure_1(), "The method as this reproduction runs it.")
    plainest = max(shop.protocol.severities)
    striation = _striation(shop.archive(f"severity-{plainest:g}"))
    shown.draw("Figure 2", "figure2", figure_2(striation), _FIGURE_2.format(plainest))
    shown.draw(
        "Figure 3",
        "figure3",
        figure_3(_stages(shop)),
        "One virtual layer as it comes to be; below, what a stage adds, or the middle of the image.",
    )
    shown.draw(
        "Figure 4", "figure4", figure_4(_defects(spoiled, shop.protocol)), _FIGURE_4.format(shop.protocol.severity)
    )
    shown.draw("Figure 6", "figure6", figure_6())
    rows = list(_table_1(shop.protocol))
    write_csv(shown.folder / "table1.csv", rows)
    shown.say("Table 1", "The paper's networks, and what this recipe trains.", markdown(rows))


def _striation(archive: Archive) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """The last layer before a striation and the first two with it; the half of the bed in which most of it lies."""
    job = next(job for job in archive.jobs if job.startswith("striation"))
    truths = archive.truths([job])
    first = next(number for number, truth in enumerate(truths) if truth.is_defective)
    covered = truths[first].mask.sum(1)
    half = len(covered) // 2
    start = max(range(len(covered) - half + 1), key=lambda row: int(covered[row : row + half].sum()))
    rows = slice(start, start + half)
    return [
        (f"layer {truth.layer}: {truth.label}", archive.image(job, truth.layer).pixels[rows], truth.mask[rows])
        for truth in truths[max(first - 1, 0) : first + 2]
    ]


def _stages(shop: Workshop) -> dict[str, np.ndarray]:
    """Of the first healthy job."""
    sliced = [slice_part(path, shop.machine) for path in shop.parts[:1]]
    wish = Wish(1, 0, 1, preset=shop.protocol.data, seed=shop.protocol.data_seed)
    return stages_of(next(iter(plan_plates(fill_beds(sliced, shop.machine), shop.machine, wish).values())))


def _defects(archive: Archive, protocol: Protocol) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """For each defect the layer on which it covers most."""
    found = []
    for defect in protocol.defects:
        jobs = [job for job in archive.jobs if job.startswith(defect)][:8]
        truth = max((t for t in archive.truths(jobs) if t.is_defective), key=lambda t: int(t.mask.sum()) % t.mask.size)
        found.append((defect, archive.image(truth.job, truth.layer).pixels, truth.mask))
    return found


def _table_1(protocol: Protocol) -> Rows:
    counts, rows = parameters_of_table_1(), []
    for name, (data, batch, epochs, z_dim, parameters) in _PAPER.items():
        settings = protocol.recipe.settings["vae" if name == "VAE" else "fanogan"]
        size, width = settings.get("size", 64), settings.get("width", 0.25)
        rows.append(
            {
                "network": name,
                "paper: data (images x px x px)": data,
                "batch (images)": batch,
                "epochs": epochs,
                "z (numbers)": z_dim,
                "parameters (trainable)": parameters,
                "ours, full size (trainable)": counts[name],
                "this recipe: side (px)": size,
                "width (share of the channels)": width,
                "steps (batches)": settings.get("steps", settings.get("gan_steps")),
            }
        )
    return rows


_FIGURE_2 = (
    "A virtual job in which striation begins, at severity {:g}; below, the change, and what is defective outlined; "
    "half of the bed."
)
_FIGURE_4 = (
    "Each defect at severity {:g}, outlined below: a matched filter finds all of them, the eye the compact ones."
)
