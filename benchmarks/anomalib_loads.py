"""A tree that `layerwatch export --to mvtec` wrote -> what anomalib finds in it: samples of each split, masks, pixels.

Needs an environment of its own with anomalib 2.7, never layerwatch's:

    python -m venv anomalib-env
    anomalib-env/bin/pip install torch==2.13.0
    anomalib-env/bin/pip install --no-deps torchvision==0.28.0
    anomalib-env/bin/pip install anomalib==2.7.0
    anomalib-env/bin/python benchmarks/anomalib_loads.py mvtec --archive archive

Prints a line for each check of each of three data modules (MVTecAD, Folder, Tabular) and exits with 1 if one fails.
With ``--archive``, masks are compared with those of the archive too, not only with those of the tree.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import numpy as np
from PIL import Image
from torchvision_operators import declare_torchvision_operators


def main() -> int:
    """Print every check; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path, help="folder that holds the category")
    parser.add_argument("--category", default="layers")
    parser.add_argument("--archive", type=Path, help="the archive that was exported")
    given = parser.parse_args()
    root = given.tree / given.category
    with (root / "manifest.csv").open(newline="", encoding="utf-8") as file:
        manifest = {str((root / row["image_path"]).resolve()): row for row in csv.DictReader(file)}
    failed = 0
    for name, module in _modules(given.tree, given.category):
        for told, is_right in _checks(module, manifest, root, given.archive):
            print(f"{name:8s} {'ok  ' if is_right else 'FAIL'} {told}")
            failed += not is_right
    return int(failed > 0)


def _modules(tree: Path, category: str) -> Iterator[tuple[str, Any]]:
    """The three ways into anomalib, each given the tree as it is."""
    declare_torchvision_operators()
    from anomalib.data import Folder, MVTecAD, Tabular
    from anomalib.data.utils import TestSplitMode, ValSplitMode

    root, same = tree / category, ValSplitMode.SAME_AS_TEST
    defects = sorted(path.name for path in (root / "test").iterdir() if path.name != "good")
    yield "MVTecAD", MVTecAD(root=tree, category=category, num_workers=0)
    yield (
        "Folder",
        Folder(
            name=category,
            root=root,
            normal_dir="train/good",
            normal_test_dir="test/good",
            abnormal_dir=[f"test/{name}" for name in defects],
            mask_dir=[f"ground_truth/{name}" for name in defects],
            test_split_mode=TestSplitMode.FROM_DIR,
            val_split_mode=same,
            num_workers=0,
        ),
    )
    yield (
        "Tabular",
        Tabular.from_file(
            category,
            root / "manifest.csv",
            pd_kwargs={"dtype": {"mask_path": object}},  # anomalib 2.7 puts paths into it; pandas 3 lets objects only
            root=root,
            val_split_mode=same,
            num_workers=0,
        ),
    )


def _checks(
    module: Any, manifest: dict[str, dict[str, str]], root: Path, archive: Path | None
) -> Iterator[tuple[str, bool]]:
    """What is checked in words, and whether it holds."""
    module.setup()
    splits = {"train": module.train_data, "test": module.test_data}
    for split, data in splits.items():
        wanted = Counter(int(row["label_index"]) for row in manifest.values() if row["split"] == split)
        found = Counter(int(item.gt_label) for item in data)
        told = f"{split}: {found[0]} normal, {found[1]} abnormal (manifest: {wanted[0]}, {wanted[1]})"
        yield told, found == wanted and len(data) > 0
    paths = {str(Path(item.image_path).resolve()) for data in splits.values() for item in data}
    yield f"{len(paths)} images are those of the manifest", paths == set(manifest)
    yield from _pixels(module.test_data, manifest, root, archive)
    batch = next(iter(module.test_dataloader()))
    yield f"a batch is {tuple(batch.image.shape)}", batch.image.shape[1] == 3


def _pixels(
    data: Any, manifest: dict[str, dict[str, str]], root: Path, archive: Path | None
) -> Iterator[tuple[str, bool]]:
    """Every abnormal sample's mask, and its frame, pixel by pixel."""
    masks, pictures, stored, abnormal = 0, 0, 0, 0
    for item in data:
        row = manifest[str(Path(item.image_path).resolve())]
        seen = np.rint(np.asarray(item.image[0]) * 255)
        pictures += np.array_equal(seen, _read(root / row["image_path"]))
        if int(row["label_index"]):
            abnormal += 1
            mask = np.zeros(0) if item.gt_mask is None else np.asarray(item.gt_mask).squeeze() > 0
            masks += np.array_equal(mask, _read(root / row["mask_path"]) > 0)
            if archive:
                stored += np.array_equal(mask, _read(archive / f"truth/{row['job']}/{int(row['layer']):05d}.png") > 0)
    yield f"{pictures} of {len(data)} test images have the tree's pixels", pictures == len(data)
    yield f"{masks} of {abnormal} masks have the tree's pixels", masks == abnormal > 0
    if archive:
        yield f"{stored} of {abnormal} masks have the archive's pixels", stored == abnormal > 0


def _read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


if __name__ == "__main__":
    sys.exit(main())
