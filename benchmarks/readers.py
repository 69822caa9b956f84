"""Every file of a folder of thermal images -> read or refused, held against exiftool, the plain formula and flyr.

Usage: python benchmarks/readers.py SAMPLES [--oracle OTHER/bin/python] [--out benchmarks/results/readers.json]
       python benchmarks/readers.py --large      only the frames of 5472 x 3648, put into the report that stands

exiftool (Debian: libimage-exiftool-perl) gives the raw counts and the parameters of FLIR's files. ``plain`` turns them
into temperatures as the published formulas stand, apart from the package. flyr is an independent reader under another
licence; it is asked in an environment of its own: ``python3 -m venv OTHER && OTHER/bin/pip install flyr==5.1.0``.
flyr lays half of the path through the air behind the window, where FLIR's documents put the window before the lens; so
it is compared with the reader's setting split = 0.5.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import tifffile
from machine import processor
from PIL import Image

from layerwatch.images.decoding.fff import parse_block
from layerwatch.images.decoding.jpeg_segments import Segments
from layerwatch.images.folder import claimants
from layerwatch.images.outside import ReadingChild
from layerwatch.images.readers.flir_jpeg import FlirJpeg
from layerwatch.records import DataError

_FLYR = (
    "import sys, numpy as np, flyr\n"
    "c = flyr.unpack(sys.argv[1]).celsius\n"
    "np.save(sys.argv[2], np.asarray(c, np.float64))\n"
)
Parameters = dict[str, float]


def main() -> None:
    """Print a table and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", type=Path, nargs="?")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--oracle", type=Path, help="Python of an environment with flyr")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "readers.json")
    wanted = parser.parse_args()
    if wanted.large:
        put_large(wanted.out)
        return
    if wanted.samples is None:
        parser.error("SAMPLES or --large is needed")
    paths = sorted(p for p in wanted.samples.rglob("*") if p.suffix.lower() in claimants())
    with ReadingChild(seconds=60) as child:
        rows = [row(path, wanted.samples, child, wanted.oracle) for path in paths]
        speed, large = speed_of(child), large_of(child)
    for one in rows:
        print(line(one))
    print(f"640 x 480 in 16 bit through the child: {speed}")
    report = {
        "machine": processor(),
        "date": datetime.now(UTC).date().isoformat(),
        "exiftool": version(["exiftool", "-ver"]) if shutil.which("exiftool") else "not installed",
        "flyr": version([str(wanted.oracle), "-c", "import importlib.metadata as m; print(m.version('flyr'))"])
        if wanted.oracle
        else "not asked",
        "speed": speed,
        "large": large,
        "files": rows,
    }
    wanted.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def row(path: Path, root: Path, child: ReadingChild, oracle: Path | None) -> dict[str, Any]:
    """What is read of one file, and how far others are from it."""
    told: dict[str, Any] = {"file": str(path.relative_to(root))}
    begin = time.perf_counter()
    try:
        picture = child.read(path, path.name)[0]
    except DataError as error:
        return told | {"read": False, "reason": str(error), "ms": ms(begin), "exiftool_raw": raw_of(path) is not None}
    pixels = picture.pixels
    told |= {"read": True, "unit": picture.unit, "shape": list(pixels.shape), "dtype": pixels.dtype.name}
    told |= {"min": float(pixels.min()), "max": float(pixels.max()), "mean": float(pixels.mean(dtype=np.float64))}
    told |= {"ms": ms(begin), "payload": picture.tags.get("Payload", "")}
    if picture.unit == "degC" and shutil.which("exiftool"):
        told |= held_against_exiftool(path, pixels)
    if picture.unit == "degC" and oracle is not None:
        told |= held_against_flyr(path, oracle)
    return told


def held_against_exiftool(path: Path, celsius: np.ndarray) -> dict[str, Any]:
    """Counts that differ, and the largest distance from the plain formula, K."""
    raw, ours = raw_of(path), parse_block(Segments(path.read_bytes()).flir_block(path.name), path.name)
    if raw is None:
        return {"exiftool_raw": False}
    if ours.payload == "swapped PNG":
        raw = raw.byteswap()
    plain = plain_celsius(raw.astype(np.float64), parameters_of(path))
    return {
        "exiftool_raw": True,
        "counts_that_differ": int(np.count_nonzero(raw != ours.counts)),
        "from_plain_formula_K": float(np.abs(plain - celsius).max()),
    }


def held_against_flyr(path: Path, oracle: Path) -> dict[str, Any]:
    """The largest distance from flyr, K, under its view of the window and under ours."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "c.npy"
        done = subprocess.run([oracle, "-c", _FLYR, path, out], capture_output=True, text=True, check=False)
        if done.returncode:
            return {"flyr": f"fails: {done.stderr.strip().splitlines()[-1][:80]}"}
        theirs = np.load(out)
    data = path.read_bytes()
    half, none = FlirJpeg(split=0.5).read(data, path.name), FlirJpeg().read(data, path.name)
    return {
        "flyr": "reads",
        "from_flyr_split_half_K": float(np.abs(theirs - half).max()),
        "from_flyr_K": float(np.abs(theirs - none).max()),
    }


def raw_of(path: Path) -> np.ndarray | None:
    """The counts that exiftool finds, as they lie there; None where it finds none."""
    if not shutil.which("exiftool"):
        return None
    data = subprocess.run(["exiftool", "-b", "-RawThermalImage", path], capture_output=True, check=False).stdout
    return np.asarray(Image.open(io.BytesIO(data))).astype(np.uint16) if data else None


def parameters_of(path: Path) -> Parameters:
    """All figures of FLIR's block by exiftool's names."""
    done = subprocess.run(["exiftool", "-n", "-j", "-FLIR:all", path], capture_output=True, check=True)
    found: Parameters = {}
    for key, value in json.loads(done.stdout)[0].items():
        try:
            found[key] = float(value)
        except (TypeError, ValueError):
            continue
    return found


def plain_celsius(S: np.ndarray, p: Parameters) -> np.ndarray:
    """Temperatures as the published formulas stand; temperatures of exiftool are in degC already."""
    air = p["AtmosphericTemperature"]
    water = p["RelativeHumidity"] * math.exp(1.5587 + 0.06939 * air - 0.00027816 * air**2 + 0.00000068455 * air**3)
    h, d = math.sqrt(water), math.sqrt(p["ObjectDistance"])
    first = math.exp(-d * (p["AtmosphericTransAlpha1"] + p["AtmosphericTransBeta1"] * h))
    second = math.exp(-d * (p["AtmosphericTransAlpha2"] + p["AtmosphericTransBeta2"] * h))
    X, e, w = p["AtmosphericTransX"], p["Emissivity"], p["IRWindowTransmission"]
    tau = X * first + (1 - X) * second
    R1, R2, B, F, O = (p[f"Planck{name}"] for name in ("R1", "R2", "B", "F", "O"))  # noqa: E741 # FLIR's name

    def signal(celsius: float) -> float:
        return R1 / (R2 * (math.exp(B / (celsius + 273.15)) - F)) - O

    own = S / (e * tau * w)
    own = own - (1 - e) / e * signal(p["ReflectedApparentTemperature"]) - (1 - tau) / (e * tau) * signal(air)
    own = own - (1 - w) / (e * tau * w) * signal(p["IRWindowTemperature"])
    return np.asarray(B / np.log(R1 / (R2 * (own + O)) + F) - 273.15)


def speed_of(child: ReadingChild, count: int = 600) -> dict[str, float]:
    """16-bit TIFF of 640 x 480 with noise, one after another through the child: by the clock, and processor time."""
    rng = np.random.default_rng(0)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "frame.tiff"
        tifffile.imwrite(path, rng.integers(0, 65536, (480, 640), np.uint16), photometric="minisblack")
        child.read(path)
        begin, used = time.perf_counter(), processor_seconds(child)
        for _ in range(count):
            child.read(path)
        took, used = time.perf_counter() - begin, processor_seconds(child) - used
    return {
        "frames_per_second": round(count / took, 1),
        "processor_ms_a_frame": round(1e3 * used / count, 2),
        "load_of_the_machine": round(os.getloadavg()[0], 1),
        "cores": os.cpu_count() or 0,
    }


def put_large(out: Path) -> None:
    """Measure large frames and put them into the report."""
    with ReadingChild(seconds=60) as child:
        large = large_of(child)
    for name, figures in large["files"].items():
        print(f"{name:20s} {figures}")
    report = json.loads(out.read_text(encoding="utf-8"))
    out.write_text(json.dumps({**report, "large": large}, indent=1) + "\n", encoding="utf-8")


def large_of(child: ReadingChild, rounds: int = 9) -> dict[str, Any]:
    """Frames of 5472 x 3648, waves with noise, through the child: the usual and the longest time."""
    files: dict[str, dict[str, float]] = {}
    with TemporaryDirectory() as folder:
        for name, data in large_files():
            path = Path(folder) / name
            path.write_bytes(data)
            took = []
            for _ in range(rounds):
                begin = time.perf_counter()
                child.read(path)
                took.append(ms(begin))
            files[name] = {"MiB": round(len(data) / 2**20, 1), "median_ms": sorted(took)[rounds // 2]}
            files[name] |= {"longest_ms": max(took), "child_MiB": round(child.grown / 2**20)}
            path.unlink()
    return {"machine": processor(), "date": datetime.now(UTC).date().isoformat(), "rounds": rounds} | {
        "load_of_the_machine": round(os.getloadavg()[0], 1),
        "files": files,
    }


def large_files() -> Iterator[tuple[str, bytes]]:
    """Name and bytes of one file of each kind."""
    y, x = np.mgrid[:3648, :5472]
    noise = np.random.default_rng(0).normal(0, 60, x.shape)
    sixteen = (30000 + 8000 * np.sin(x / 300) * np.cos(y / 200) + noise).astype(np.uint16)
    for bits, pixels in ((8, (sixteen >> 8).astype(np.uint8)), (16, sixteen)):
        for compression in (None, "zlib"):
            file = io.BytesIO()
            tifffile.imwrite(file, pixels, photometric="minisblack", compression=compression)
            yield f"{compression or 'plain'}-{bits}.tiff", file.getvalue()
        for kind, how in (("tiff", {"compression": "tiff_lzw"}), ("png", {"compress_level": 3}), ("jpeg", {})):
            if bits == 8 or kind != "jpeg":
                file = io.BytesIO()
                Image.fromarray(pixels).save(file, kind.upper(), **how)
                yield f"{'lzw-' if kind == 'tiff' else ''}{bits}.{kind}", file.getvalue()


def processor_seconds(child: ReadingChild) -> float:
    """Of this process and the child together."""
    fields = Path(f"/proc/{child.number}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def version(command: list[str]) -> str:
    """What a program prints of itself."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def ms(begin: float) -> float:
    """Since then, rounded."""
    return round(1e3 * (time.perf_counter() - begin), 1)


def line(one: dict[str, Any]) -> str:
    """Of the table."""
    name = f"{one['file']:68s}"
    if not one["read"]:
        return f"{name} refused: {one['reason'].partition(': ')[2][:60]}"
    figures = f"{one['min']:9.3f} {one['max']:9.3f} {one['mean']:9.3f}"
    others = "".join(
        f"  {label} {one[key]:.4f}"
        for label, key in (("plain", "from_plain_formula_K"), ("flyr/2", "from_flyr_split_half_K"))
        if key in one
    )
    size = "{1}x{0}".format(*one["shape"])
    return f"{name} {one['unit']:6s} {size:>8s} {figures}{others}  {one.get('payload', '')}"


if __name__ == "__main__":
    main()
