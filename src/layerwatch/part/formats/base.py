"""The bytes of a part file -> mesh or layers, and back."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from typing import ClassVar

from layerwatch.part.mesh import Mesh
from layerwatch.records import Layer, UsageError


class Format(ABC):
    """One file format of parts or layers. A format overrides what it can do; the rest says that it cannot."""

    summary: ClassVar[str]
    source: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]  # lower case, with the dot

    def read_mesh(self, data: bytes, name: str) -> Mesh:
        """Triangles in the file's own unit.

        Raises:
            DataError: the bytes are no such file, truncated, empty or not finite; ``name`` is in the message.
        """
        raise UsageError(f"{name}: {type(self).__name__} files hold no mesh")

    def has_layers(self, data: bytes, name: str) -> bool:
        """Whether the file is to be read as layers rather than as a mesh.

        Raises:
            DataError: the bytes are no such file.
        """
        return type(self).read_layers is not Format.read_layers

    def write_layers(self, layers: Sequence[Layer], *, name: str, provenance: dict[str, str]) -> bytes:
        """The file's bytes, from layers in mm."""
        raise UsageError(f"{name}: {type(self).__name__} files cannot be written from layers")

    def read_layers(self, data: bytes, name: str) -> tuple[Layer, ...]:
        """Layers in mm; what ``write_layers`` wrote comes back the same.

        Raises:
            DataError: the bytes are no such file.
        """
        raise UsageError(f"{name}: {type(self).__name__} files hold no layers")
