"""3MF: a ZIP with meshes or slice stacks, the components and build items that place them, and their unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree import ElementTree

import numpy as np
from jaxtyping import Float64

from layerwatch.part.formats.base import Format
from layerwatch.part.formats.containers.stacks import SLICE, Matrix, Stack, layers_of, matrix_of, read_stack
from layerwatch.part.formats.containers.zipped import Zipped
from layerwatch.part.mesh import MM, Mesh
from layerwatch.records import DataError, Layer, plainly

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
_MOST_TRIANGLES, _MOST_PLACED = 6_000_000, 100_000  # since items and components may multiply them
_MOST_STACKS, _MOST_CORNERS = 2_000, 20_000_000  # of slices, likewise
_BROKEN = (ValueError, KeyError, IndexError, TypeError, OverflowError)

Triangles = Float64[np.ndarray, "n 3 3"]
Place = tuple[str, str]  # model file and number of an object


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
            raise DataError(f"{name}: broken 3MF model ({plainly(error)}); export the part again") from None
        if len(triangles) == 0:
            raise DataError(f"{name}: the build of this 3MF file places no mesh; export the part again")
        if not np.isfinite(triangles).all():
            raise DataError(f"{name}: corners that are NaN or infinite; export the part again")
        return Mesh(triangles, package.unit)

    def has_layers(self, data: bytes, name: str) -> bool:
        """See Format; where there are slices they are the part, and a mesh beside them may be a mere box."""
        package = _Package(Zipped(data, name, "3MF file"))
        try:
            return package.is_sliced()
        except _BROKEN:
            return False  # said when its mesh is read

    def read_layers(self, data: bytes, name: str) -> tuple[Layer, ...]:
        """See Format; slices of stacks that lie side by side must end at the same heights."""
        package = _Package(Zipped(data, name, "3MF file"))
        try:
            stacks = package.stacks()
            if not stacks:
                raise ValueError("the build places no slice stack")
            return layers_of(stacks, MM[package.unit])
        except _BROKEN as error:
            raise DataError(
                f"{name}: broken slices in the 3MF model ({plainly(error)}); export the part again"
            ) from None


@dataclass
class _Package:
    """The models of a 3MF file, read as they are asked for, each object once."""

    zipped: Zipped
    _models: dict[str, _Model] = field(default_factory=dict)
    _counts: dict[Place, tuple[int, int]] = field(default_factory=dict)  # triangles and placements
    _built: dict[Place, Triangles] = field(default_factory=dict)
    _stacks: dict[Place, Stack] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.start = self._start()
        self.root = self.model(self.start).root
        told = self.root.get("unit", "millimeter")
        if told not in _UNITS:
            raise DataError(f"{self.zipped.name}: unit {told!r}; 3MF knows {', '.join(_UNITS)}")
        self.unit = _UNITS[told]

    def model(self, path: str) -> _Model:
        """One model file."""
        file = path.lstrip("/")
        if file not in self._models:
            self._models[file] = _Model.of(self.zipped.xml(file))
        return self._models[file]

    def triangles(self) -> Triangles:
        """All build items, in the model's unit; counted before any is built."""
        items = [(self._place(item, self.start), item.get("transform")) for item in self.items]
        counts = [self._count(place, ()) for place, _ in items]
        triangles, placed = sum(c[0] for c in counts), sum(c[1] for c in counts)
        if triangles > _MOST_TRIANGLES or placed > _MOST_PLACED:
            most = f"at most {_MOST_TRIANGLES:,} and {_MOST_PLACED:,} are read"
            raise ValueError(f"{triangles:,} triangles in {placed:,} placed objects; {most}")
        pieces = [_moved(self._mesh(place), transform) for place, transform in items]
        return np.concatenate(pieces) if pieces else np.empty((0, 3, 3))

    @property
    def items(self) -> list[ElementTree.Element]:
        """What the build places."""
        return self.root.findall(f"{_CORE}build/{_CORE}item")

    def _place(self, reference: ElementTree.Element, path: str) -> Place:
        return reference.get(f"{_PRODUCTION}path", path), str(reference.get("objectid"))

    def _parts(self, place: Place) -> list[tuple[Place, str | None]]:
        found = self._object(place).findall(f"{_CORE}components/{_CORE}component")
        return [(self._place(component, place[0]), component.get("transform")) for component in found]

    def _count(self, place: Place, trail: tuple[Place, ...]) -> tuple[int, int]:
        """Triangles and placed objects of an object, its components included."""
        if place in trail or len(trail) > _MAX_DEPTH:
            raise ValueError(f"object {place[1]} contains itself" if place in trail else "components too deep")
        if place not in self._counts:
            mesh = self._object(place).find(f"{_CORE}mesh")
            inner = [self._count(part, (*trail, place)) for part, _ in self._parts(place)] if mesh is None else []
            own = 0 if mesh is None else len(mesh.findall(f"{_CORE}triangles/{_CORE}triangle"))
            self._counts[place] = own + sum(c[0] for c in inner), 1 + sum(c[1] for c in inner)
        return self._counts[place]

    def _mesh(self, place: Place) -> Triangles:
        """An object's mesh, or its components', which were counted before."""
        if place not in self._built:
            mesh = self._object(place).find(f"{_CORE}mesh")
            inner = [_moved(self._mesh(part), move) for part, move in self._parts(place)] if mesh is None else []
            empty: Triangles = np.empty((0, 3, 3))
            self._built[place] = _triangles(mesh) if mesh is not None else np.concatenate([empty, *inner])
        return self._built[place]

    def is_sliced(self) -> bool:
        """Whether the build places slices, itself or through components."""
        asked = {self._place(item, self.start) for item in self.items}
        seen: set[Place] = set()
        while asked:
            if any(self._object(place).get(f"{SLICE}slicestackid") is not None for place in asked):
                return True
            seen |= asked
            asked = {part for place in asked for part, _ in self._parts(place)} - seen
        return False

    def stacks(self) -> list[Stack]:
        """The slice stacks of all build items and their components, placed; supports are never filled, so they go."""
        found: list[Stack] = []
        corners = 0
        for item in self.items:
            self._count(self._place(item, self.start), ())
            for place, matrix in self._placed(self._place(item, self.start), matrix_of(item.get("transform"))):
                found.append(self._stack_of(place).moved(matrix))
                corners += found[-1].corners
                if len(found) > _MOST_STACKS or corners > _MOST_CORNERS:
                    most = f"{_MOST_STACKS:,} slice stacks or {_MOST_CORNERS:,} corners in them"
                    raise ValueError(f"the build places more than {most}")
        return found

    def _placed(self, place: Place, matrix: Matrix) -> Iterator[tuple[Place, Matrix]]:
        """Objects with slices, and where they are."""
        thing = self._object(place)
        if thing.get("type") == "support":
            return
        if thing.get(f"{SLICE}slicestackid") is not None:
            yield place, matrix
        elif thing.find(f"{_CORE}mesh") is not None:
            raise ValueError(f"object {place[1]} has a mesh but no slices, and others have slices; slice all of them")
        else:
            for part, move in self._parts(place):
                yield from self._placed(part, _then(matrix_of(move), matrix))

    def _stack_of(self, place: Place) -> Stack:
        """The slices of an object, read once."""
        if place not in self._stacks:
            thing = self._object(place)
            path = thing.get(f"{SLICE}slicepath") or thing.get("slicepath") or place[0]
            self._stacks[place] = read_stack(self._stack(path, thing.attrib[f"{SLICE}slicestackid"]), self._stack)
        return self._stacks[place]

    def _object(self, place: Place) -> ElementTree.Element:
        path, number = place
        if number not in self.model(path).objects:
            raise ValueError(f"object {number} is missing")
        return self.model(path).objects[number]

    def _stack(self, path: str, number: str) -> ElementTree.Element:
        if number not in self.model(path).stacks:
            raise ValueError(f"slice stack {number} is missing in {path}")
        return self.model(path).stacks[number]

    def _start(self) -> str:
        """The model that the package's relations name."""
        if "_rels/.rels" in self.zipped.files:
            for relation in self.zipped.xml("_rels/.rels").iter(_RELATION):
                if relation.get("Type") == _MODEL:
                    return str(relation.get("Target")).lstrip("/")
        return "3D/3dmodel.model"


@dataclass(frozen=True, eq=False)
class _Model:
    """One model file, its objects and slice stacks by their numbers."""

    root: ElementTree.Element
    objects: dict[str, ElementTree.Element]
    stacks: dict[str, ElementTree.Element]

    @classmethod
    def of(cls, root: ElementTree.Element) -> _Model:
        objects = {str(thing.get("id")): thing for thing in root.iter(f"{_CORE}object")}
        return cls(root, objects, {str(stack.get("id")): stack for stack in root.iter(f"{SLICE}slicestack")})


def _triangles(mesh: ElementTree.Element) -> Triangles:
    corners = np.array(
        [[float(v.attrib[axis]) for axis in "xyz"] for v in mesh.iterfind(f"{_CORE}vertices/{_CORE}vertex")]
    ).reshape(-1, 3)
    faces = np.array(
        [[int(t.attrib[v]) for v in ("v1", "v2", "v3")] for t in mesh.iterfind(f"{_CORE}triangles/{_CORE}triangle")],
        np.int64,
    ).reshape(-1, 3)
    wrong = faces[(faces < 0) | (faces >= len(corners))]
    if wrong.size:
        raise ValueError(f"a triangle names corner {wrong[0]} of {len(corners)}")
    return np.asarray(corners[faces])


def _moved(triangles: Triangles, transform: str | None) -> Triangles:
    """Row vectors times the 4 x 3 matrix; a mirroring turns triangles around, so that their outside stays outside."""
    if transform is None:
        return triangles
    matrix = matrix_of(transform)
    moved = np.asarray(triangles @ matrix[:3] + matrix[3])
    return np.asarray(moved[:, ::-1]) if np.linalg.det(matrix[:3]) < 0 else moved


def _then(first: Matrix, second: Matrix) -> Matrix:
    """One matrix for two moves."""
    return np.vstack([first[:3] @ second[:3], first[3] @ second[:3] + second[3]])
