"""3MF: a ZIP with meshes, the components and build items that place them, and their unit."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import ClassVar
from xml.etree import ElementTree

import numpy as np
from jaxtyping import Float64

from layerwatch.part.formats.base import Format
from layerwatch.part.mesh import Mesh
from layerwatch.records import DataError

_CORE = "{http://schemas.microsoft.com/3dmanufacturing/core/2015/02}"
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_MODEL = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"
_UNITS = {
    "micron": "micron",
    "millimeter": "mm",
    "centimeter": "cm",
    "inch": "inch",
    "foot": "foot",
    "meter": "m",
}
_MAX_BYTES = 512 * 2**20  # of one unpacked file
_MAX_RATIO = 300  # of packing; more is a bomb
_MAX_DEPTH = 32  # of components in components

Triangles = Float64[np.ndarray, "n 3 3"]


@dataclass
class ThreeMf(Format):
    """Reads every mesh that the build places; models that lie in further files of the ZIP are not followed."""

    summary: ClassVar[str] = "3MF (meshes)"
    source: ClassVar[str] = "3MF Consortium, Core Specification 1.3"
    suffixes: ClassVar[tuple[str, ...]] = (".3mf",)

    def read_mesh(self, data: bytes, name: str) -> Mesh:
        """See Format."""
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                root = _xml(_unpacked(archive, _start(archive, name), name), name)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise DataError(f"{name}: not a 3MF file, or broken ({error}); export the part again") from None
        try:
            triangles = _Model(root).built()
        except (ValueError, KeyError, IndexError, TypeError, OverflowError) as error:
            raise DataError(f"{name}: broken 3MF model ({error}); export the part again") from None
        unit = _UNITS.get(root.get("unit", "millimeter"))
        if unit is None:
            raise DataError(f"{name}: unit {root.get('unit')!r}; 3MF knows {', '.join(_UNITS)}")
        if len(triangles) == 0:
            raise DataError(f"{name}: the build places no mesh; slice stacks and further files are not read")
        if not np.isfinite(triangles).all():
            raise DataError(f"{name}: corners that are NaN or infinite; export the part again")
        return Mesh(triangles, unit)


@dataclass(frozen=True)
class _Model:
    """The XML of one model part."""

    root: ElementTree.Element

    def built(self) -> Triangles:
        """Triangles of all build items, in the model's unit."""
        objects = {str(o.get("id")): o for o in self.root.iter(f"{_CORE}object")}
        items = self.root.findall(f"{_CORE}build/{_CORE}item")
        pieces = [_moved(self._of(objects, str(i.get("objectid")), ()), i.get("transform")) for i in items]
        return np.concatenate(pieces) if pieces else np.empty((0, 3, 3))

    def _of(self, objects: dict[str, ElementTree.Element], number: str, trail: tuple[str, ...]) -> Triangles:
        if number in trail or len(trail) > _MAX_DEPTH:
            raise ValueError(f"object {number} contains itself" if number in trail else "components too deep")
        if number not in objects:
            raise ValueError(f"object {number} is missing")
        mesh = objects[number].find(f"{_CORE}mesh")
        if mesh is not None:
            return _triangles(mesh)
        parts = objects[number].findall(f"{_CORE}components/{_CORE}component")
        inner = [_moved(self._of(objects, str(c.get("objectid")), (*trail, number)), c.get("transform")) for c in parts]
        return np.concatenate(inner) if inner else np.empty((0, 3, 3))


def _triangles(mesh: ElementTree.Element) -> Triangles:
    corners = np.array(
        [[float(v.attrib[axis]) for axis in "xyz"] for v in mesh.iterfind(f"{_CORE}vertices/{_CORE}vertex")]
    ).reshape(-1, 3)
    faces = np.array(
        [[int(t.attrib[v]) for v in ("v1", "v2", "v3")] for t in mesh.iterfind(f"{_CORE}triangles/{_CORE}triangle")],
        np.int64,
    ).reshape(-1, 3)
    if faces.size and (faces.min() < 0 or faces.max() >= len(corners)):
        raise ValueError(f"a triangle names corner {faces.max()} of {len(corners)}")
    return np.asarray(corners[faces])


def _moved(triangles: Triangles, transform: str | None) -> Triangles:
    """Row vectors times the 4 x 3 matrix; a mirroring turns triangles around, so that their outside stays outside."""
    if transform is None:
        return triangles
    matrix = np.array(transform.split(), np.float64).reshape(4, 3)
    moved = np.asarray(triangles @ matrix[:3] + matrix[3])
    return np.asarray(moved[:, ::-1]) if np.linalg.det(matrix[:3]) < 0 else moved


def _start(archive: zipfile.ZipFile, name: str) -> str:
    """The model part that the package's relations name."""
    if "_rels/.rels" in archive.namelist():
        for relation in _xml(_unpacked(archive, "_rels/.rels", name), name).iter(_RELATION):
            if relation.get("Type") == _MODEL:
                return str(relation.get("Target")).lstrip("/")
    return "3D/3dmodel.model"


def _unpacked(archive: zipfile.ZipFile, file: str, name: str) -> bytes:
    if file not in archive.namelist():
        raise DataError(f"{name}: a ZIP without {file}, so it is no 3MF file; export the part again")
    info = archive.getinfo(file)
    if info.file_size > _MAX_BYTES or info.file_size > _MAX_RATIO * max(info.compress_size, 1024):
        raise DataError(f"{name}: {file} would unpack to {info.file_size:,} bytes; export the part coarser")
    with archive.open(info) as packed:
        data = packed.read(info.file_size + 1)
    if len(data) > info.file_size:
        raise DataError(f"{name}: {file} unpacks to more than it says; export the part again")
    return data


def _xml(data: bytes, name: str) -> ElementTree.Element:
    if re.search(rb"<!(DOCTYPE|ENTITY)", data, re.IGNORECASE):
        raise DataError(f"{name}: XML with a document type; 3MF has none, so export the part again")
    try:
        return ElementTree.fromstring(data)  # noqa: S314 # see above
    except ElementTree.ParseError as error:
        raise DataError(f"{name}: broken XML ({error}); export the part again") from None
