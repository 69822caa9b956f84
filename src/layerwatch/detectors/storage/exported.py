"""An exported network's graph and window -> a detector that reads without torch, and cannot be trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from layerwatch import catalogue
from layerwatch.detectors.base import Checkpoint, Detector
from layerwatch.detectors.networks.framing import Framing
from layerwatch.detectors.networks.inputs import Window
from layerwatch.detectors.networks.readings import readings_of
from layerwatch.detectors.runtimes.base import Reader, Runtime
from layerwatch.records import LayerImage, Progress, Reading, UsageError, silent

_BATCH = 32


@dataclass
class Exported(Detector):
    """f-AnoGAN as one graph; see ``layerwatch.detectors.runtimes``."""

    size: int  # px of the network
    lam: float
    runtime: str
    precision: str = "fp32"
    tiles: bool = False
    levelled: bool = False
    graph_: bytes = field(default=b"", repr=False)
    window_: Window = field(default_factory=lambda: Window(0.0, 1.0), repr=False)
    reader_: Reader | None = field(default=None, repr=False)

    def fit(
        self,
        images: Sequence[LayerImage],
        *,
        seed: int = 0,
        progress: Progress = silent,
        checkpoint: Checkpoint | None = None,
    ) -> Exported:
        """See Detector; here it is refused."""
        raise UsageError("an exported model cannot be trained; train its detector and export it again")

    def open(self, graph: bytes) -> Exported:
        """Make the graph ready.

        Raises:
            UsageError: no such runtime, its package is missing, or the machine cannot run the precision.
        """
        runtime: Runtime = catalogue.load("detectors.runtimes", self.runtime)()
        self.graph_, self.reader_ = graph, runtime.open(graph, self.precision)
        return self

    def read(self, images: Sequence[LayerImage]) -> tuple[Reading, ...]:
        """See Detector; the heat map is X - G(E(X)) in grey."""
        if self.reader_ is None:
            raise UsageError("the graph of an exported model was not opened")
        framing, readings = Framing(self.size, self.tiles, is_levelled=self.levelled), list[Reading]()
        for start in range(0, len(images), _BATCH):
            chunk = images[start : start + _BATCH]
            told = self.reader_(framing.cut(chunk, self.window_))
            heats = framing.join(told.rest[:, 0], chunk[0].pixels.shape, self.window_)
            readings += readings_of(chunk, told.A_R, told.A_D, heats, told.features, self.lam)
        return tuple(readings)

    def arrays(self) -> dict[str, np.ndarray]:
        """See Detector."""
        return {
            "window": np.array([self.window_.low, self.window_.high]),
            "graph": np.frombuffer(self.graph_, np.uint8),
        }

    def restore(self, arrays: dict[str, np.ndarray]) -> Exported:
        """See Detector."""
        low, high = arrays["window"].tolist()
        self.window_ = Window(low, high)
        return self.open(arrays["graph"].tobytes())
