"""Virtual printers under a video camera -> how often the right frame of a layer is chosen, and how long a frame takes.

    python benchmarks/frame_choice.py

Half of them have a lamp that sweeps, half show the carriage alone; 5, 8 and 10 frames a second.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.images.streams import Printer

from layerwatch.images.frame_choice import Choosing, FrameChooser

LAYERS = 25
WISHES = {
    "lamp": Choosing(after="lamp", wait=0.3, patience=4.0, lamp=0.35),
    "motion": Choosing(after="motion", wait=0.3, patience=4.0, passes=2),
}


def measured(seed: int, wish: Choosing) -> tuple[int, int, int, float, int]:
    """Layers with the right frame and no other, frames with the carriage in view, frames chosen; seconds, frames."""
    chooser, chosen, taken, seen = FrameChooser(wish), [], 0.0, []
    for number, frame in enumerate(Printer(seed, LAYERS, (8.0, 5.0, 10.0)[seed % 3], wish.after == "lamp").frames()):
        seen.append((frame.layer, bool(frame.best), bool(frame.carriage)))
        begun = time.perf_counter()
        choice = chooser.see(frame.pixels, frame.time, str(number).encode())
        taken += time.perf_counter() - begun
        if choice is not None and choice.data:
            chosen.append(seen[int(choice.data)])
    layers = [layer for layer, _, _ in chosen]
    right = sum(is_best and layers.count(layer) == 1 for layer, is_best, _ in chosen)
    return right, sum(there for _, _, there in chosen), len(chosen), taken, len(seen)


def main() -> None:
    """Print a line for each way of choosing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="printers of each way")
    parser.add_argument("--first", type=int, default=100, help="the first one's seed")
    wanted = parser.parse_args()
    for name, wish in WISHES.items():
        told = [measured(seed, wish) for seed in range(wanted.first, wanted.first + wanted.seeds)]
        right, carriage, chosen, taken, frames = (sum(column) for column in zip(*told, strict=True))
        print(
            f"{name}: {right} of {wanted.seeds * LAYERS} layers with their right frame and no other, {carriage} of "
            f"{chosen} chosen frames with the carriage in view, {1000 * taken / frames:.2f} ms a frame"
        )


if __name__ == "__main__":
    main()
