"""A trained model's folder -> what is worth keeping of it: log, samples, weights in fp16 and where they come from.

Usage: python benchmarks/keep.py MODEL NAME --hardware "2 cores" --command "layerwatch train ..." [--out DIR]

Weights go into files of at most 12 MB; each is read back and compared.
"""

from __future__ import annotations

import argparse
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

_MOST = 12_000_000  # bytes of a file
Arrays = dict[str, np.ndarray]


def main() -> None:
    """Write the folder and print its size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("name")
    parser.add_argument("--hardware", required=True)
    parser.add_argument("--command", required=True)
    parser.add_argument("--no-weights", action="store_true", help="keep log and samples only")
    parser.add_argument("--out", type=Path, default=Path("results/training"))
    wanted = parser.parse_args()
    folder: Path = wanted.out / wanted.name
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("log.jsonl", *(path.name for path in sorted(wanted.model.glob("samples-*.png"))), "training.png"):
        if (wanted.model / name).exists():
            shutil.copyfile(wanted.model / name, folder / name)
    kept = [] if wanted.no_weights else keep_weights(load_file(wanted.model / "weights.safetensors"), folder)
    told = json.loads((wanted.model / "model.json").read_text())
    provenance: dict[str, Any] = {k: v for k, v in told["provenance"].items() if k != "jobs"}
    provenance |= {
        "detector": told["detector"],
        "settings": told.get("settings", {}),
        "command": wanted.command,
        "hardware": wanted.hardware,
        "torch": torch.__version__,
        "date": datetime.now(UTC).date().isoformat(),
        "weights": kept,
    }
    (folder / "provenance.json").write_text(json.dumps(provenance, indent=1) + "\n")
    print(f"{folder}: {sum(path.stat().st_size for path in folder.iterdir()) / 1e6:.1f} MB")


def keep_weights(arrays: Arrays, folder: Path) -> list[dict[str, Any]]:
    """Write the weights in fp16, a network a file where together they are too large; returns names and errors."""
    small = {key: value.astype(np.float16) if value.dtype == np.float32 else value for key, value in arrays.items()}
    whole = sum(value.nbytes for value in small.values()) <= _MOST
    groups: dict[str, Arrays] = {}
    for key, value in small.items():
        groups.setdefault("weights" if whole else f"weights-{key.partition('.')[0]}", {})[key] = value
    found = []
    for name, group in groups.items():
        path = folder / f"{name}.safetensors"
        save_file(group, path)
        if path.stat().st_size > _MOST:
            raise SystemExit(f"{path}: {path.stat().st_size:,} bytes, more than {_MOST:,}")
        error = max(float(np.abs(v.astype(np.float64) - arrays[k]).max()) for k, v in load_file(path).items())
        found.append({"file": path.name, "bytes": path.stat().st_size, "largest_error": error})
    return found


if __name__ == "__main__":
    main()
