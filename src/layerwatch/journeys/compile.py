"""A trained f-AnoGAN -> the same model for a faster runtime, its agreement with torch measured and bounded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float32

from layerwatch.detectors.storage.exported import Exported
from layerwatch.detectors.storage.model_files import EXPORTED, StoredModel, pack
from layerwatch.images.gate_files import DESCRIPTION, NUMBERS
from layerwatch.journeys.files import load_model, save_model
from layerwatch.journeys.train import check_target
from layerwatch.records import DataError, LayerImage, Progress, UsageError, silent

_BOUNDS = {"fp32": 1e-4, "bf16": 0.05}  # relative error of A that is allowed
_COMPARED = 32  # images


def compile_model(
    folder: Path,
    out: Path,
    runtime: str,
    precision: str = "fp32",
    *,
    overwrite: bool = False,
    progress: Progress = silent,
) -> float:
    """Export E, G and D_f as one graph, compare it with torch, store it.

    Args:
        folder: a model of fanogan.
        out: folder of the exported model; it is read, evaluated and inspected with like any other.
        runtime: one of the shelf ``detectors.runtimes``.
        precision: fp32, or bf16 where runtime and processor can.
        overwrite: replace a model that is there already.
        progress: told all along.

    Returns:
        The largest relative difference of A.

    Raises:
        UsageError: no f-AnoGAN, no such runtime or precision here, or ``out`` cannot be written.
        DataError: the exported graph differs from torch by more than is allowed.
    """
    check_target(out, overwrite=overwrite)
    stored: StoredModel = load_model(folder)
    if stored.name != "fanogan":
        raise UsageError(f"{folder}: {stored.name} cannot be exported; give a model of fanogan")
    from layerwatch.detectors.fanogan import Fanogan
    from layerwatch.detectors.networks.graph import onnx_of

    detector = stored.detector
    if not isinstance(detector, Fanogan):
        raise UsageError(f"{folder}: {stored.name} cannot be exported; give a model of fanogan")
    progress("export", 0, 2)
    images = _images(detector.generate(_COMPARED), detector.window_.low, detector.window_.high)
    wanted = [reading.score for reading in detector.read(images)]
    tiles, levelled = detector.tiles, detector.levelled
    exported = Exported(detector.size, detector.lam, runtime, precision, tiles, levelled, window_=detector.window_)
    exported.open(onnx_of(detector.graph(), detector.size))
    progress("export", 1, 2)
    found = [reading.score for reading in exported.read(images)]
    error = float(np.max(np.abs(np.subtract(found, wanted)) / np.maximum(wanted, 1e-12)))
    if not error <= _BOUNDS[precision]:
        raise DataError(
            f"{runtime} in {precision} gives an A that is off by {error:.1e} of torch's ({_BOUNDS[precision]:g} "
            "allowed), so the model was not exported; choose another runtime, or fp32"
        )
    provenance = {
        **stored.provenance,
        "exported_from_sha256": stored.sha256,
        "runtime": runtime,
        "precision": precision,
        "largest_relative_error": error,
    }
    gate = {name: (folder / name).read_bytes() for name in (NUMBERS, DESCRIPTION) if (folder / name).is_file()}
    save_model(out, {**pack(exported, EXPORTED, stored.calibration, provenance), **gate})
    progress("export", 2, 2)
    return error


def _images(generated: Float32[np.ndarray, "n s s"], low: float, high: float) -> list[LayerImage]:
    """Generated images in grey, half of them with a bright spot, so that healthy and defective A are compared."""
    side = generated.shape[1] // 8
    spoiled = generated.copy()
    spoiled[::2, side : 2 * side, side : 2 * side] += 0.3
    grey = np.float32(low) + spoiled * np.float32(high - low)
    return [LayerImage("compared", number, one) for number, one in enumerate(grey)]
