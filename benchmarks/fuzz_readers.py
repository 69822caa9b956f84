"""Mutated files, guided by the coverage of the code -> every reader must read or refuse them; what fails is listed.

Usage: python benchmarks/fuzz_readers.py [--seconds 600] [--at-once 1] [--reader tiff ...] [--keep FOLDER] [--out FILE]

Needs atheris (Apache-2.0, Python 3.11): ``python3.11 -m venv FUZZ && FUZZ/bin/pip install atheris '.[peregrine]'`` and
``FUZZ/bin/python benchmarks/fuzz_readers.py``. Each reader is fuzzed in a process of its own, which begins with small
files that the script makes; the corpus lies in a temporary folder and goes with it. A failure is an exception but
DataError, a crash, more than 10 s for one file, or more than 1 GiB in all; the file is then given to the reading child
and its answer noted. Checksums of PNG are mended after each mutation, since no mutation would get past them. A process
ends after 40 s and the next goes on with its corpus, since code that atheris instruments loses memory in every
comparison: 116 KiB for a changed file of flir_jpeg, and 0.1 KiB without it (``--replay 10000 --reader flir_jpeg``).
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import random
import re
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from machine import processor

from layerwatch.images.outside import ReadingChild
from layerwatch.records import DataError

SUFFIXES = {
    "png": ".png",
    "jpeg": ".jpg",
    "flir_jpeg": ".jpg",
    "tiff": ".tif",
    "npy": ".npy",
    "peregrine": ".h5",
    "bmp": ".bmp",
}
_LONGEST, _MEMORY, _SECONDS, _RUN = 20_000, 1024, 10, 40  # bytes, MiB, s for one file, s of a run
_INSTRUMENTED = ["layerwatch.images", "PIL.TiffImagePlugin", "PIL.PngImagePlugin", "PIL.JpegImagePlugin"]
_INSTRUMENTED += ["PIL.BmpImagePlugin"]


def main() -> None:
    """Fuzz in processes of their own and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=600, help="of processor time, of each reader")
    parser.add_argument("--reader", action="append", choices=sorted(SUFFIXES))
    parser.add_argument("--at-once", type=int, default=1, help="processes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for the files that made a reader fail")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "fuzz_readers.json")
    parser.add_argument("--replay", type=int, help="no fuzzing: so many mutated files with and without atheris's code")
    parser.add_argument("--inside", help=argparse.SUPPRESS)  # this process is the one that fuzzes
    wanted, rest = parser.parse_known_args()
    if wanted.inside:
        fuzz(wanted.inside, rest)
        return
    names = wanted.reader or list(SUFFIXES)
    if wanted.replay:
        for name in names:
            print(name, json.dumps(replayed(name, wanted.replay)), flush=True)
        return
    with ThreadPoolExecutor(wanted.at_once) as pool:
        for row in pool.map(lambda name: fuzzed(name, wanted.seconds, wanted.seed, wanted.keep), names):
            print(json.dumps(row), flush=True)
            keep_row(wanted.out, row)


def keep_row(out: Path, row: dict[str, Any]) -> None:
    """Put the figures of one reader into the report, in place of older ones."""
    rows = json.loads(out.read_text(encoding="utf-8"))["readers"] if out.exists() else []
    kept = {one["reader"]: one for one in rows} | {row["reader"]: row}
    report = {
        "machine": processor(),
        "limits": {"bytes": _LONGEST, "MiB": _MEMORY, "seconds": _SECONDS},
        "readers": [kept[name] for name in SUFFIXES if name in kept],
    }
    out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def fuzzed(name: str, seconds: int, seed: int, keep: Path | None) -> dict[str, Any]:
    """One reader until its processor time is used up; it goes on with the same corpus and another seed."""
    row: dict[str, Any] = {"reader": name, "date": datetime.now(UTC).date().isoformat(), "executions": 0}
    row |= {"coverage": 0, "peak_MiB": 0, "failures": []}
    begin, used, runs = time.monotonic(), 0.0, 0
    with TemporaryDirectory() as folder, ReadingChild(seconds=_SECONDS) as child:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number, data in enumerate(seeds(name)):
            (corpus / f"seed-{number}").write_bytes(data)
        while used < seconds:
            text, took = one_run(name, corpus, _RUN, seed + runs)
            used, runs = used + took, runs + 1
            row["executions"] += figure(text, r"stat::number_of_executed_units:\s*(\d+)")
            row["coverage"] = max([row["coverage"], *map(int, re.findall(r"cov: (\d+)", text))])
            row["peak_MiB"] = max(row["peak_MiB"], figure(text, r"stat::peak_rss_mb:\s*(\d+)"))
            found = sorted(Path(folder).glob("found-*"))
            row["failures"] += [failure(path, name, text, child, keep) for path in found]
            if not found and "stat::number_of_executed_units" not in text:
                raise SystemExit(f"{name}: the fuzzer did not run:\n{text[-2000:]}")
    row["failures"] = condensed(row["failures"])
    return row | {"processor_seconds": round(used), "seconds": round(time.monotonic() - begin)}


def condensed(failures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Failures of one kind and one answer of the child: the first of them, how many, and the worst figures."""
    kinds = dict[tuple[str, str], dict[str, Any]]()
    for one in failures:
        first = kinds.setdefault((one["kind"], one["child"].replace(one["file"], "")), one | {"count": 0})
        first["count"] += 1
        for worst in ("child_seconds", "child_MiB"):
            first[worst] = max(first[worst], one[worst])
    return list(kinds.values())


def one_run(name: str, corpus: Path, seconds: int, seed: int) -> tuple[str, float]:
    """What the fuzzer says until it ends, after so many seconds by the clock, and its processor time, s."""
    command = [sys.executable, __file__, "--inside", name, str(corpus), f"-max_total_time={seconds}"]
    command += [f"-max_len={_LONGEST}", f"-rss_limit_mb={_MEMORY}", f"-timeout={_SECONDS}", f"-seed={seed}"]
    command += ["-print_final_stats=1", f"-artifact_prefix={corpus.parent}/found-", "-reload=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        text = process.stdout.read().decode("utf-8", "replace") if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return text, usage.ru_utime + usage.ru_stime


def failure(path: Path, name: str, text: str, child: ReadingChild, keep: Path | None) -> dict[str, Any]:
    """What a file did to the bare reader, and what the reading child makes of it; the file is taken away."""
    data = path.read_bytes()
    path.unlink()
    told = path.with_name(f"{hashlib.sha256(data).hexdigest()[:12]}{SUFFIXES[name]}")
    told.write_bytes(data)
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        (keep / told.name).write_bytes(data)
    begin = time.monotonic()
    try:
        child.read(told, told.name)
        answer = "read"
    except DataError as error:
        answer = f"refused: {error}"
    kind = re.search(r"SUMMARY: libFuzzer: ([\w -]+)|Uncaught Python exception: ===\s*(.*)", text)
    took = round(time.monotonic() - begin, 1)
    return {"file": told.name, "bytes": len(data), "kind": kind[0][-200:] if kind else text[-300:]} | {
        "child": answer[:300],
        "child_seconds": took,
        "child_MiB": round(child.grown / 2**20),
    }


def figure(text: str, pattern: str) -> int:
    """The number in a line, 0 if it is not there."""
    match = re.search(pattern, text)
    return int(match[1]) if match else 0


def fuzz(name: str, options: list[str]) -> None:
    """Never returns: read mutated files until the time is over or one fails."""
    import atheris

    with atheris.instrument_imports(include=_INSTRUMENTED):
        from layerwatch import catalogue

        reader = catalogue.load("images.readers", name)()

    def read(data: bytes) -> None:
        try:
            if reader.knows(data):
                reader.pictures(data, "x")
        except DataError:
            return

    def mutated(data: bytes, most: int, seed: int) -> bytes:
        return mended(bytes(atheris.Mutate(data, most)))[:most]

    has_checksums = name in {"png", "flir_jpeg"}
    atheris.Setup([sys.argv[0], *options], read, **({"custom_mutator": mutated} if has_checksums else {}))
    atheris.Fuzz()


def replayed(name: str, count: int) -> dict[str, float]:
    """KiB that the process gains a file, from the second half of so many, without and with instrumented code."""
    code = "import fuzz_readers as f; print(f.gained({!r}, {}, {}))"
    return {
        told: float(
            subprocess.run(
                [sys.executable, "-c", code.format(name, count, instrumented)],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=Path(__file__).parent,
                check=True,
            ).stdout.split()[-1]
        )
        for told, instrumented in (("plain", False), ("instrumented", True))
    }


def gained(name: str, count: int, instrumented: bool) -> float:
    """KiB a file, in this process: seeds with a few bytes changed, one after another."""
    import atheris

    with atheris.instrument_imports(include=_INSTRUMENTED if instrumented else ["nothing"]):
        from layerwatch import catalogue

        reader = catalogue.load("images.readers", name)()
    rng, files, middle = random.Random(1), list(seeds(name)), 0.0
    for number in range(count):
        data = bytearray(rng.choice(files))
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        file = mended(bytes(data))
        with suppress(DataError):
            if reader.knows(file):
                reader.pictures(file, "x")
        if number == count // 2:
            middle = resident()
    return round((resident() - middle) / (count - count // 2), 3)


def resident() -> float:
    """Memory of this process, KiB."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


def mended(data: bytes) -> bytes:
    """The same bytes with right checksums in the PNG file that they hold, if they hold one."""
    place, fresh = data.find(b"\x89PNG\r\n\x1a\n"), bytearray(data)
    place += 8
    while place >= 8 and place + 12 <= len(fresh):
        length = int.from_bytes(fresh[place : place + 4], "big")
        end = place + 8 + length
        if end + 4 > len(fresh):
            break
        fresh[end : end + 4] = struct.pack(">I", zlib.crc32(fresh[place + 4 : end]))
        place = end + 4
    return bytes(fresh)


def seeds(name: str) -> Iterator[bytes]:
    """Small files of the kind, of many forms."""
    import numpy as np
    import tifffile
    from PIL import Image

    from layerwatch.testing.flir_files import FlirFile, png_16

    counts = (12000 + 40 * np.add.outer(np.arange(10), np.arange(12))).astype(np.uint16)
    eight = (counts // 100).astype(np.uint8)

    def by_pillow(pixels: np.ndarray, kind: str, **how: Any) -> bytes:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, kind, **how)
        return file.getvalue()

    def by_tifffile(pixels: np.ndarray, **how: Any) -> bytes:
        file = io.BytesIO()
        tifffile.imwrite(file, pixels, **({"photometric": "minisblack", "metadata": None} | how))
        return file.getvalue()

    if name == "png":
        yield png_16(counts)
        yield from (by_pillow(p, "PNG") for p in (eight, np.stack([eight] * 3, -1)))
    elif name == "jpeg":
        exif = Image.Exif()
        exif[0x10E] = "text"
        yield from (by_pillow(eight, "JPEG", progressive=p, exif=exif) for p in (False, True))
        yield by_pillow(np.stack([eight] * 3, -1), "JPEG")
    elif name == "flir_jpeg":
        picture = by_pillow(eight, "JPEG")
        for order in "<>":
            yield from (FlirFile(order, order, p).jpeg(counts, picture, 700) for p in ("raw", "PNG", "swapped PNG"))
    elif name == "tiff":
        for how in ({}, {"bigtiff": True, "tile": (16, 16)}, {"compression": "zlib", "rowsperstrip": 3}):
            yield by_tifffile(counts, **how)
            yield by_tifffile(np.stack([counts] * 3).astype(np.float32), **how, byteorder=">")
        packed = ("tiff_lzw", "packbits", "tiff_adobe_deflate", "jpeg")
        yield from (by_pillow(eight, "TIFF", compression=c) for c in packed)
        yield by_pillow(counts, "TIFF", compression="tiff_lzw", tiffinfo={317: 2})
    elif name == "bmp":
        yield from (by_pillow(p, "BMP") for p in (eight, eight > 126, np.stack([eight] * 3, -1)))
        yield bmp_of_runs(eight)
    elif name == "npy":
        for array in (counts, eight, np.stack([counts] * 2).astype(">f4"), np.asfortranarray(counts)):
            file = io.BytesIO()
            np.save(file, array)
            yield file.getvalue()
    else:
        yield from hdf5_seeds(counts)


def bmp_of_runs(pixels: Any) -> bytes:
    """BMP of 8 bit, run-length coded: a count and a level a pixel, and the ends of the lines."""
    rows = b"".join(bytes(b for level in row for b in (1, level)) + b"\0\0" for row in pixels[::-1].tolist()) + b"\0\1"
    palette = b"".join(bytes([k, k, k, 0]) for k in range(256))
    begin, (h, w) = 54 + len(palette), pixels.shape
    head = struct.pack("<2sIHHI", b"BM", begin + len(rows), 0, 0, begin)
    return head + struct.pack("<IiiHHIIiiII", 40, w, h, 1, 8, 1, len(rows), 2835, 2835, 256, 0) + palette + rows


def hdf5_seeds(counts: Any) -> Iterator[bytes]:
    """Builds of two layers in several storages."""
    import numpy as np

    h5py = import_module("h5py")  # it ships no types

    stack = np.stack([counts] * 2)
    for how in ({}, {"compression": "gzip", "shuffle": True, "chunks": (1, *counts.shape)}, {"chunks": (2, 4, 5)}):
        for version in ("earliest", "latest"):
            file = io.BytesIO()
            with h5py.File(file, "w", libver=version) as build:
                build.create_dataset("slices/camera_data/visible/0", data=stack, **how)
                build.attrs["core/build_name"] = "core"
                build.create_dataset("layerwatch/layers", data=np.arange(2))
            yield file.getvalue()


if __name__ == "__main__":
    main()
