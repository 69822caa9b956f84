"""STL, binary and ASCII."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float64

from layerwatch.part.formats.base import Format
from layerwatch.part.mesh import Mesh
from layerwatch.records import DataError

_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_VERTEX = re.compile(rb"^\s*vertex\s+(\S+)\s+(\S+)\s+(\S+)\s*$", re.MULTILINE | re.IGNORECASE)
_CLAIM = re.compile(rb"\bvertex\b", re.IGNORECASE)
_BLOCK = 4 * 2**20  # bytes of text parsed at once


@dataclass
class Stl(Format):
    """Standard Tessellation Language: triangles without a unit."""

    summary: ClassVar[str] = "STL, binary and ASCII (meshes)"
    source: ClassVar[str] = "3D Systems, Stereolithography Interface Specification, 1988"
    suffixes: ClassVar[tuple[str, ...]] = (".stl",)

    def read_mesh(self, data: bytes, name: str) -> Mesh:
        """See Format; binary and ASCII are told apart by their length, since binary files may begin with ``solid``."""
        if not data:
            raise DataError(f"{name}: the file is empty; export the part again")
        is_text = data.lstrip()[:5].lower() == b"solid" and b"\0" not in data[:512]
        triangles = _ascii(data, name) if is_text and not _is_whole_binary(data) else _binary(data, name)
        if len(triangles) == 0:
            raise DataError(f"{name}: an STL file without triangles; export the part again")
        if not np.isfinite(triangles).all():
            bad = ~np.isfinite(triangles).all((1, 2))
            raise DataError(f"{name}: {bad.sum()} triangles with NaN or infinite corners; export the part again")
        return Mesh(triangles)

    def write_mesh(self, mesh: Mesh) -> bytes:
        """Binary STL, corners as 32-bit floats in the mesh's unit."""
        records = np.zeros(len(mesh.triangles), _RECORD)
        records["corners"] = mesh.triangles
        a, b, c = mesh.triangles.transpose(1, 0, 2)
        normal = np.cross(b - a, c - a)
        records["normal"] = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-30)
        return b"layerwatch".ljust(80) + np.uint32(len(records)).tobytes() + records.tobytes()


def _is_whole_binary(data: bytes) -> bool:
    return len(data) >= 84 and len(data) == 84 + 50 * int.from_bytes(data[80:84], "little")


def _binary(data: bytes, name: str) -> Float64[np.ndarray, "n 3 3"]:
    if len(data) < 84:
        raise DataError(f"{name}: not an STL file ({len(data)} bytes, a header alone has 84); give an STL of the part")
    promised, present = int.from_bytes(data[80:84], "little"), (len(data) - 84) // 50
    if present < promised:
        if promised > 50 * (present + 1):  # no cut file promises that much more than it holds
            raise DataError(
                f"{name}: not an STL file (its bytes would promise {promised:,} triangles); give an STL file"
            )
        raise DataError(f"{name}: truncated STL, {promised:,} triangles promised, {present:,} present; copy it again")
    if present > promised:
        raise DataError(
            f"{name}: lying STL header, {promised:,} triangles promised, {present:,} present; export the part again"
        )
    return np.frombuffer(data, _RECORD, promised, 84)["corners"].astype(np.float64)


def _ascii(data: bytes, name: str) -> Float64[np.ndarray, "n 3 3"]:
    corners = []
    for part in _blocks(data):
        rows = _VERTEX.findall(part)
        claimed = len(_CLAIM.findall(part))
        if len(rows) != claimed:
            raise DataError(
                f"{name}: broken ASCII STL, {claimed} vertex lines of which {len(rows)} can be read; export it again"
            )
        try:
            corners.append(np.array(rows).astype(np.float64).reshape(-1, 3))
        except ValueError:
            raise DataError(f"{name}: broken ASCII STL, a vertex is no number; export the part again") from None
    count = sum(map(len, corners))
    if count % 3:
        raise DataError(f"{name}: broken ASCII STL, {count} vertex lines, which are no threes; export the part again")
    if count and b"endsolid" not in data[-4096:].lower():
        raise DataError(f"{name}: truncated ASCII STL, it ends without 'endsolid'; copy it again")
    return np.concatenate(corners).reshape(-1, 3, 3)


def _blocks(data: bytes) -> Iterator[bytes]:
    """The text in blocks of whole lines, so that what it is parsed to stays small."""
    start = 0
    while start < len(data):
        stop = data.find(b"\n", start + _BLOCK) + 1 or len(data)
        yield data[start:stop]
        start = stop
