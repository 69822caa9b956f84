"""Detectors and images -> seconds an image; and timing.csv, what every step of a reproduction took."""

from __future__ import annotations

import time
from functools import partial

from layerwatch.journeys.reproduction.shown import Shown
from layerwatch.journeys.reproduction.step_times import estimated, step_keys
from layerwatch.journeys.reproduction.workshop import Workshop
from layerwatch.journeys.reproduction.writing import markdown, write_csv

_IMAGES = 20


def seconds_an_image(shop: Workshop, name: str) -> float:
    """Reading images one by one, as they come from a printer; the fastest of them, after a first one."""

    def make() -> float:
        seed = shop.protocol.seeds[0]
        model, images = shop.model(shop.network(name, seed)), shop.healthy(seed).calibration[: _IMAGES + 1]
        took = []
        for image in images:
            started = time.perf_counter()
            model.detector.read([image])
            took.append(time.perf_counter() - started)
        return min(took[1:])

    return float(shop.remembered(f"seconds-{name}", make))


def timing(shop: Workshop, shown: Shown) -> None:
    """timing.csv: seconds of every training, reading and table, when it was made.

    A network of the main table that was trained elsewhere has no such time; what it takes here is then estimated from
    some of its steps, and said to be.
    """
    clocks = {name: (told, "measured") for name, told in shop.seconds.items()}
    for name in shop.protocol.detectors:
        for seed in shop.protocol.seeds:
            network = shop.network(name, seed)
            step = f"train {network.name}"
            if step not in clocks and step_keys(shop.untrained(network)):
                seconds = shop.remembered(f"estimated-{name}", partial(estimated, shop, network), written_in=__name__)
                clocks[step] = (
                    {"seconds": round(seconds, 3), "layers": 0},
                    "estimated: processor time of 20 steps of each part",
                )
    rows = [
        {
            "step": name,
            "seconds": told["seconds"],
            "layers": told["layers"] or None,
            "ms a layer": _each(told),
            "how": how,
        }
        for name, (told, how) in sorted(clocks.items())
    ]
    write_csv(shown.folder / "timing.csv", rows)
    shown.say(
        "Time",
        "What each step took on the machine that made it, beside whatever else that machine did.",
        markdown(rows),
    )
    shown.tell("seconds", {row["step"]: row["seconds"] for row in rows})


def _each(told: dict[str, float]) -> float | None:
    return 1000 * told["seconds"] / told["layers"] if told["layers"] else None
