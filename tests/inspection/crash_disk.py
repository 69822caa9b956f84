"""What a process asks of the disk -> every state in which a power loss may leave that disk, worst cases first.

The model is the strictest that POSIX allows: a file's content is sure only after fsync of the file, a name only after
fsync of the folder that holds it, and each may or may not have reached the disk before.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = 0  # number of the data folder itself


@dataclass(frozen=True)
class Step:
    """One thing asked of the disk."""

    what: str  # make, create, write, fsync, rename, remove, acknowledge
    path: str
    to: str = ""  # new name
    data: bytes = b""


@dataclass(frozen=True)
class World:
    """What reaches the disk although nobody made sure of it."""

    names: bool  # names that were not synced
    share: float  # of a content that was not synced


WORLDS = tuple(World(names, share) for names in (False, True) for share in (0.0, 0.5, 1.0))


@dataclass
class Node:
    """A file or a folder, as it is in memory and as it is sure to be on the disk."""

    is_folder: bool
    data: bytes = b""
    sure: bytes = b""
    names: dict[str, int] = field(default_factory=dict)
    sure_names: dict[str, int] = field(default_factory=dict)

    def content(self, world: World) -> bytes:
        """What is read after the power is back."""
        if self.data == self.sure:
            return self.sure
        return self.data[: int(len(self.data) * world.share)]


def after_power_loss(steps: Sequence[Step], root: Path, world: World) -> dict[str, bytes]:
    """Files below the root, by path, when the power went after these steps."""
    nodes = {ROOT: Node(is_folder=True)}
    for step in steps:
        if Path(step.path).is_relative_to(root) and step.path != str(root.parent):
            _apply(nodes, step, root)
    return dict(_files(nodes, ROOT, world, root))


def _apply(nodes: dict[int, Node], step: Step, root: Path) -> None:
    path = Path(step.path)
    if step.what == "fsync":
        node = nodes[_find(nodes, path, root)]
        node.sure, node.sure_names = node.data, dict(node.names)
    elif step.what == "write":
        nodes[_find(nodes, path, root)].data += step.data
    elif step.what in ("make", "create"):
        names, number = nodes[_find(nodes, path.parent, root)].names, len(nodes)
        if path.name in names:  # opened to be written anew
            nodes[names[path.name]].data = b""
        else:
            nodes[number], names[path.name] = Node(is_folder=step.what == "make"), number
    elif step.what in ("rename", "remove"):
        number = nodes[_find(nodes, path.parent, root)].names.pop(path.name)
        if step.what == "rename":
            nodes[_find(nodes, Path(step.to).parent, root)].names[Path(step.to).name] = number


def _find(nodes: dict[int, Node], path: Path, root: Path) -> int:
    number = ROOT
    for part in path.relative_to(root).parts:
        number = nodes[number].names[part]
    return number


def _files(nodes: dict[int, Node], number: int, world: World, place: Path) -> Iterator[tuple[str, bytes]]:
    names = nodes[number].names if world.names else nodes[number].sure_names
    for name, inner in names.items():
        if nodes[inner].is_folder:
            yield from _files(nodes, inner, world, place / name)
        else:
            yield str(place / name), nodes[inner].content(world)


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch, root: Path) -> Iterator[list[Step]]:
    """Everything below the root that this process asks of the disk within the block; it is done as well."""
    steps: list[Step] = []
    with monkeypatch.context() as patch:
        patch.setattr(os, "mkdir", _told(os.mkdir, steps, "make", root))
        patch.setattr(os, "unlink", _told(os.unlink, steps, "remove", root))
        patch.setattr(os, "replace", _told(os.replace, steps, "rename", root))
        patch.setattr(os, "fsync", _told(os.fsync, steps, "fsync", root))
        patch.setattr(Path, "open", _opened(Path.open, steps, root))
        yield steps


def _told(call: Callable[..., Any], steps: list[Step], what: str, root: Path) -> Callable[..., Any]:
    def done(place: Any, *rest: Any, **named: Any) -> Any:
        path = str(Path(f"/proc/self/fd/{place}").readlink() if isinstance(place, int) else place)
        result = call(place, *rest, **named)  # what fails has not happened
        if Path(path).is_relative_to(root):
            steps.append(Step(what, path, to=str(rest[0]) if what == "rename" else ""))
        return result

    return done


def _opened(call: Callable[..., Any], steps: list[Step], root: Path) -> Callable[..., Any]:
    def done(path: Path, mode: str = "r", *rest: Any, **named: Any) -> Any:
        file = call(path, mode, *rest, **named)
        if not path.is_relative_to(root) or mode != "wb":
            return file
        steps.append(Step("create", str(path)))
        write = file.raw.write

        class Told:
            """A file that tells what is written."""

            def write(self, data: bytes) -> int:
                steps.append(Step("write", str(path), data=bytes(data)))
                return int(write(data))

            def __enter__(self) -> Told:
                return self

            def __exit__(self, *_: object) -> None:
                file.close()

            def __getattr__(self, name: str) -> Any:
                return getattr(file, name)

        return Told()

    return done
