"""3MF: a ZIP with meshes or slice stacks, the components and build items that place them, and their unit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree

import numpy as np
from jaxtyping import Float64

from layerwatch.part.formats.base import Format
from layerwatch.part.formats.containers.stacks import SLICE, Stack, read_stack
from layerwatch.part.formats.containers.zipped import Zipped
from layerwatch.part.mesh import MM, Mesh
from layerwatch.part.nesting import islands_of
from layerwatch.records import DataError, Layer

_CORE = "{http://schemas.microsoft.com/3dmanufacturing/core/2015/02}"
_PRODUCTION = "{http://schemas.microsoft.com/3dmanufacturing/production/2015/06}"
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
_MAX_DEPTH = 32  # of components in components
_MOST_TRIANGLES = 50_000_000  # built, since components may multiply them
_BROKEN = (ValueError, KeyError, IndexError, TypeError, OverflowError)

Triangles = Float64[np.ndarray, "n 3 3"]


@dataclass
class ThreeMf(Format):
    """Meshes and slice stacks that the build places, also from further model files of the ZIP."""

    summary: ClassVar[str] = "3MF (meshes, slice stacks)"
    source: ClassVar[str] = "3MF Consortium, Core 1.3, Slice 1.0.2 and Production 1.1.2 specifications"
    suffixes: ClassVar[tuple[str, ...]] = (".3mf",)

    def read_mesh(self, data: bytes, name: str) -> Mesh:
        """See Format."""
        package = _Package(Zipped(data, name, "3MF file"))
        try:
            triangles = package.triangles()
        except _BROKEN as error:
            raise DataError(f"{name}: broken 3MF model ({error}); export the part again") from None
        if len(triangles) == 0:
            raise DataError(f"{name}: the build of this 3MF file places no mesh; export the part again")
        if not np.isfinite(triangles).all():
            raise DataError(f"{name}: corners that are NaN or infinite; export the part again")
        return Mesh(triangles, package.unit)

    def has_layers(self, data: bytes, name: str) -> bool:
        """See Format; where there are slices they are the part, and a mesh beside them may be a mere box."""
        package = _Package(Zipped(data, name, "3MF file"))
        return package.root.find(f".//{SLICE}slicestack") is not None

    def read_layers(self, data: bytes, name: str) -> tuple[Layer, ...]:
        """See Format; stacks that lie side by side must have the same heights."""
        package = _Package(Zipped(data, name, "3MF file"))
        try:
            stacks = package.stacks()
            if not stacks:
                raise ValueError("the build places no slice stack")
            return _layers(stacks, MM[package.unit])
        except _BROKEN as error:
            raise DataError(f"{name}: broken slices in the 3MF model ({error}); export the part again") from None


@dataclass
class _Package:
    """The models of a 3MF file, read as they are asked for."""

    zipped: Zipped
    _models: dict[str, ElementTree.Element] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.start = self._start()
        self.root = self.model(self.start)
        told = self.root.get("unit", "millimeter")
        if told not in _UNITS:
            raise DataError(f"{self.zipped.name}: unit {told!r}; 3MF knows {', '.join(_UNITS)}")
        self.unit = _UNITS[told]

    def model(self, path: str) -> ElementTree.Element:
        """The XML of one model file."""
        file = path.lstrip("/")
        if file not in self._models:
            self._models[file] = self.zipped.xml(file)
        return self._models[file]

    def triangles(self) -> Triangles:
        """All build items, in the model's unit."""
        pieces = []
        for item in self.root.findall(f"{_CORE}build/{_CORE}item"):
            found = self._mesh(item.get(f"{_PRODUCTION}path", self.start), str(item.get("objectid")), ())
            pieces.append(_moved(found, item.get("transform")))
            if sum(map(len, pieces)) > _MOST_TRIANGLES:
                raise ValueError(f"more than {_MOST_TRIANGLES:,} triangles are placed")
        return np.concatenate(pieces) if pieces else np.empty((0, 3, 3))

    def _mesh(self, path: str, number: str, trail: tuple[tuple[str, str], ...]) -> Triangles:
        """An object's mesh, or its components'."""
        place = (path, number)
        if place in trail or len(trail) > _MAX_DEPTH:
            raise ValueError(f"object {number} contains itself" if place in trail else "components too deep")
        thing = self._object(path, number)
        mesh = thing.find(f"{_CORE}mesh")
        if mesh is not None:
            return _triangles(mesh)
        inner = [
            _moved(
                self._mesh(c.get(f"{_PRODUCTION}path", path), str(c.get("objectid")), (*trail, place)),
                c.get("transform"),
            )
            for c in thing.findall(f"{_CORE}components/{_CORE}component")
        ]
        return np.concatenate(inner) if inner else np.empty((0, 3, 3))

    def stacks(self) -> list[Stack]:
        """The slice stacks of all build items, placed."""
        found = []
        for item in self.root.findall(f"{_CORE}build/{_CORE}item"):
            path = item.get(f"{_PRODUCTION}path", self.start)
            number = self._object(path, str(item.get("objectid"))).get(f"{SLICE}slicestackid")
            if number is not None:
                found.append(read_stack(self._stack(path, number), self._stack).moved(item.get("transform")))
        return found

    def _object(self, path: str, number: str) -> ElementTree.Element:
        for thing in self.model(path).iter(f"{_CORE}object"):
            if thing.get("id") == number:
                return thing
        raise ValueError(f"object {number} is missing")

    def _stack(self, path: str, number: str) -> ElementTree.Element:
        for stack in self.model(path).iter(f"{SLICE}slicestack"):
            if stack.get("id") == number:
                return stack
        raise ValueError(f"slice stack {number} is missing in {path}")

    def _start(self) -> str:
        """The model that the package's relations name."""
        if "_rels/.rels" in self.zipped.files:
            for relation in self.zipped.xml("_rels/.rels").iter(_RELATION):
                if relation.get("Type") == _MODEL:
                    return str(relation.get("Target")).lstrip("/")
        return "3D/3dmodel.model"


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


def _layers(stacks: list[Stack], mm: float) -> tuple[Layer, ...]:
    """One layer for each height, with the rings of all stacks."""
    first = stacks[0]
    if any(len(s.tops) != len(first.tops) or not np.allclose(s.tops, first.tops) for s in stacks):
        raise ValueError("slice stacks of different heights lie side by side; slice them to the same heights")
    bottoms = (first.bottom, *first.tops[:-1])
    layers = []
    for index, (low, top) in enumerate(zip(bottoms, first.tops, strict=True)):
        islands, area = islands_of([ring * mm for stack in stacks for ring in stack.rings[index]])
        low_mm, top_mm = (low - first.bottom) * mm, (top - first.bottom) * mm
        layers.append(Layer(index, round(top_mm, 9), (low_mm + top_mm) / 2, top_mm - low_mm, islands, area))
    return tuple(layers)
