"""A model whose bytes changed is refused and the old one stays; every change is told with who did it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from layerwatch.detectors.plan_residual import PlanResidual
from layerwatch.detectors.storage.model_files import pack
from layerwatch.inspection.registry import Registry
from layerwatch.inspection.seals import sealed, unsealed
from layerwatch.records import DataError, UsageError
from layerwatch.testing.images import healthy_images

PACKED = pack(PlanResidual().fit(healthy_images(8)), "plan_residual", {}, {"seed": 1})


def model(folder: Path, note: str = "") -> Path:
    """A stored model with a gate and a note beside it."""
    (folder / "gate").mkdir(parents=True)
    for name, data in {**PACKED, "gate/gate.json": b"{}", "note.txt": note.encode()}.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Two versions of one model, the first in force for the printer p."""
    made = Registry(tmp_path / "data")
    made.add("cores", model(tmp_path / "a"))
    made.add("cores", model(tmp_path / "b", "better"))
    made.activate("p", "cores", "0001", "ann")
    return made


def test_versions_are_counted_and_the_same_model_keeps_its_number(registry: Registry, tmp_path: Path) -> None:
    assert registry.names() == ("cores",)
    assert registry.versions("cores") == ("0001", "0002")
    assert registry.add("cores", tmp_path / "a") == "0001"
    assert registry.versions("cores") == ("0001", "0002")
    for name, data in PACKED.items():
        assert (registry.path("cores", "0002") / name).read_bytes() == data
    assert registry.verify("cores", "0001").sha256 != registry.verify("cores", "0002").sha256
    assert registry.add("other", registry.path("cores", "0002")) == "0001"


def test_a_broken_model_is_not_taken(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "a" / "weights.safetensors").write_bytes(PACKED["weights.safetensors"][:-1] + b"\x7f")
    with pytest.raises(DataError, match="weights"):
        registry.add("cores", tmp_path / "a")
    with pytest.raises(UsageError, match="no such folder"):
        registry.add("cores", tmp_path / "nowhere")
    with pytest.raises(UsageError, match="cannot name"):
        registry.add("../cores", tmp_path / "b")
    assert registry.versions("cores") == ("0001", "0002")


def test_s9_one_flipped_byte_in_any_file_is_refused_and_the_old_one_stays(registry: Registry) -> None:
    before = registry.in_force("p")
    folder = registry.path("cores", "0002")
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    assert {path.name for path in files} == {*PACKED, "gate.json", "note.txt", "manifest.json"}
    for file in files:
        good = file.read_bytes()
        step = 1 if file.name == "manifest.json" else max(1, len(good) // 7)
        for place in range(0, len(good), step):
            for bit in (1, 32, 255):
                file.write_bytes(good[:place] + bytes([good[place] ^ bit]) + good[place + 1 :])
                with pytest.raises(DataError) as caught:
                    registry.activate("p", "cores", "0002", "ann")
                assert str(file) in str(caught.value)
        file.write_bytes(good)
    assert registry.in_force("p") == before
    assert len(registry.history("p")) == 1
    registry.activate("p", "cores", "0002", "ann")


def test_a_file_too_few_or_too_many_is_named(registry: Registry) -> None:
    folder = registry.path("cores", "0002")
    (folder / "more").write_bytes(b"")
    with pytest.raises(DataError, match="more does not belong"):
        registry.verify("cores", "0002")
    (folder / "more").unlink()
    (folder / "note.txt").unlink()
    with pytest.raises(DataError, match=r"note\.txt is missing"):
        registry.activate("p", "cores", "0002", "ann")
    (folder / "manifest.json").unlink()
    with pytest.raises(DataError, match=r"manifest\.json cannot be read"):
        registry.activate("p", "cores", "0002", "ann")
    with pytest.raises(UsageError, match="there are: 0001, 0002"):
        registry.activate("p", "cores", "0003", "ann")
    with pytest.raises(UsageError, match="models are: cores"):
        registry.activate("p", "kores", "0001", "ann")


def test_rolling_back_gives_the_one_before_with_its_threshold(registry: Registry) -> None:
    registry.set_threshold("p", 0.5, "bob", "too many alarms")
    registry.activate("p", "cores", "0002", "ann")
    assert registry.in_force("p").threshold is None
    audit = registry.roll_back("p", "ann")
    assert (audit["before"]["version"], audit["after"]["version"]) == ("0002", "0001")
    now = registry.in_force("p")
    assert (now.version, now.threshold, now.path) == ("0001", 0.5, registry.path("cores", "0001"))
    assert now.sha256 == registry.verify("cores", "0001").sha256
    with pytest.raises(UsageError, match="no model was in force before"):
        registry.roll_back("p", "ann")
    registry.activate("p", "cores", "0002", "ann")
    (registry.path("cores", "0001") / "note.txt").write_bytes(b"!")
    with pytest.raises(DataError, match="note"):
        registry.roll_back("p", "ann")
    assert registry.in_force("p").version == "0002"


def test_a_shadow_judges_along_until_it_is_taken_away(registry: Registry) -> None:
    registry.shadow("p", "cores", "0002", "ann")
    assert registry.in_force("p").shadow == registry.verify("cores", "0002")
    registry.shadow("p", None, None, "ann")
    assert registry.in_force("p").shadow is None
    with pytest.raises(UsageError, match="no version"):
        registry.shadow("p", "cores", None, "ann")


def test_every_change_is_told_and_kept(registry: Registry) -> None:
    audit = registry.set_threshold("p", 0.25, "bob", "trial")
    assert {key: audit[key] for key in ("event", "who", "what", "reason")} == {
        "event": "threshold changed",
        "who": "bob",
        "what": "p",
        "reason": "trial",
    }
    assert (audit["before"]["threshold"], audit["after"]["threshold"]) == (None, 0.25)
    assert audit["at"] > 1.7e9
    assert json.loads(json.dumps(audit)) == audit
    assert registry.history("p")[-1] == audit
    assert registry.history("p")[0]["before"]["version"] is None
    for value, who, reason, text in ((float("nan"), "b", "r", "finite"), (1.0, "", "r", "who"), (1.0, "b", " ", "why")):
        with pytest.raises(UsageError, match=text):
            registry.set_threshold("p", value, who, reason)
    assert registry.history("p")[-1] == audit


def test_each_printer_has_its_own_and_none_is_said_so(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="q: no model is in force"):
        registry.in_force("q")
    with pytest.raises(UsageError, match="no model is in force"):
        registry.set_threshold("q", 1.0, "b", "r")
    registry.activate("hall 3, left", "cores", "0002", "ann")
    again = Registry(tmp_path / "data")
    assert (again.in_force("hall 3, left").version, again.in_force("p").version) == ("0002", "0001")
    assert again.history("q") == ()


def test_a_changed_active_file_is_refused_and_what_is_sealed_comes_back(registry: Registry, tmp_path: Path) -> None:
    file = tmp_path / "data/printers/p/active.json"
    file.write_bytes(file.read_bytes().replace(b"0001", b"0002"))
    with pytest.raises(DataError, match=r"active\.json was changed"):
        registry.in_force("p")
    file.write_bytes(sealed({"a": [1, "x"]}))
    assert unsealed(file, file) == {"a": [1, "x"]}
    with pytest.raises(DataError, match=r"active\.json"):
        registry.in_force("p")
