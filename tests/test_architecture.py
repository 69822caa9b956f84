"""The house rules: which room may know which, what a listing may import, and that no detector ever meets a label."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "layerwatch"
MODULES = sorted(PACKAGE.rglob("*.py"))

ANY = {
    "part",
    "images",
    "detectors",
    "verdict",
    "job",
    "evaluation",
    "inspection",
    "dashboard",
    "crew",
    "recipes",
    "testing",
}
ALLOWED = {
    "records": set(),
    "catalogue": set(),
    "sealed": set(),
    "part": set(),
    "images": set(),
    "detectors": set(),
    "verdict": set(),
    "crew": set(),
    "job": {"part"},
    "evaluation": {"verdict"},
    "inspection": {"part", "images", "detectors", "verdict"},
    "dashboard": {"inspection", "part"},
    "testing": ANY,  # narrowed below: the bases of shelves only
    "recipes": {"job", "detectors", "verdict"},
    "journeys": ANY,
    "cli": {"journeys"},
    "__main__": {"cli"},
}
EVERYBODY = {"records", "catalogue", "sealed", "__init__"}

# Heavy or outward-looking packages and the rooms that may use them.
THIRD_PARTY = {
    "torch": {"detectors"},
    "sklearn": {"detectors", "verdict", "evaluation"},
    "matplotlib": {"evaluation"},
    "reportlab": {"evaluation"},
    "tifffile": {"images"},
    "PIL": {"images"},
    "typer": {"cli"},
    "zarr": {"images"},
    "h5py": {"images"},
    "ray": {"crew"},
    "rich": {"cli", "journeys"},
    "sqlalchemy": {"inspection"},
    "alembic": {"inspection"},
    "argon2": {"dashboard"},
    "fastapi": {"inspection", "dashboard"},
    "uvicorn": {"inspection", "dashboard"},
    "httpx": {"inspection"},
    "paho": {"inspection"},
    "prometheus_client": {"inspection"},
    "starlette": {"dashboard"},
    "watchfiles": {"inspection"},
}
FORBIDDEN = {"pickle", "joblib", "shelve", "marshal"}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Every module that a file names in an import, wherever the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(path: Path) -> Iterator[str]:
    return (name.removeprefix("layerwatch.") for name in imports(path) if name.startswith("layerwatch."))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_room_knows_only_its_neighbours(path: Path) -> None:
    home = room(path)
    if home == "__init__":
        assert not list(own_imports(path))
        return
    known = {name.split(".")[0] for name in own_imports(path)} - {home} - EVERYBODY - {"__version__"}
    assert known <= ALLOWED[home], f"{home} must not import {sorted(known - ALLOWED[home])}"


@pytest.mark.parametrize("path", [p for p in MODULES if room(p) == "testing"], ids=str)
def test_testing_knows_only_the_bases_of_shelves(path: Path) -> None:
    outside = {name for name in own_imports(path) if name.split(".")[0] not in EVERYBODY | {"testing"}}
    assert all(".base" in name for name in outside), outside


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_packages_stay_in_their_rooms(path: Path) -> None:
    for name in {name.split(".")[0] for name in imports(path)}:
        assert name not in FORBIDDEN
        assert room(path) in THIRD_PARTY.get(name, {room(path)}), f"{name} does not belong in {room(path)}"


def test_no_circle_between_modules() -> None:
    names = {".".join(p.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): p for p in MODULES}
    arrows = {name: {n for n in own_imports(path) if n in names and n != name} for name, path in names.items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        if name not in done:
            for target in arrows[name]:
                visit(target, (*trail, name))
            done.add(name)

    for name in names:
        visit(name, ())


@pytest.mark.parametrize("home", ["detectors", "verdict", "inspection"])
def test_the_method_is_unsupervised(home: str) -> None:
    for path in (PACKAGE / home).rglob("*.py"):
        assert "Truth" not in path.read_text(encoding="utf-8"), f"{path} must not know Truth"


def test_listing_every_shelf_imports_neither_torch_nor_sklearn() -> None:
    code = (
        "import sys\nfrom layerwatch import catalogue\n"
        "found = {s: [catalogue.caption(s, n) for n in catalogue.names(s)] for s in catalogue.shelves()}\n"
        "assert found['detectors'] and all(all(captions) for captions in found.values()), found\n"
        "print([m for m in ('torch', 'sklearn', 'scipy', 'matplotlib') if m in sys.modules])\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_and_functions_stay_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 350, f"{path}: split it"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert (node.end_lineno or 0) - node.lineno <= 60, f"{path}: {node.name} is too long"


@pytest.mark.parametrize("path", [p for p in MODULES if p.name != "__init__.py"], ids=str)
def test_every_module_has_a_caption(path: Path) -> None:
    caption = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
    assert 10 < len(caption) <= 120, f"{path}: one line that says what comes in and what goes out"


@pytest.mark.parametrize("word", ["utils", "common", "core", "helpers", "manager", "handler"])
def test_no_room_without_a_subject(word: str) -> None:
    assert not [p for p in PACKAGE.rglob("*") if p.stem.lower() == word]
