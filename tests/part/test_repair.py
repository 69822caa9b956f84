"""A sound mesh is left alone; each kind of damage is mended and said, and cavities stay cavities."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwatch.part.mesh import Mesh
from layerwatch.part.numbering import grouped
from layerwatch.part.repair import repair
from layerwatch.part.winding import volumes
from layerwatch.records import DataError

SPHERE = np.array(trimesh.creation.icosphere(subdivisions=4, radius=10).triangles)
BOX = np.array(trimesh.creation.box((2, 2, 2)).triangles)


def volume(mesh: Mesh) -> float:
    return float(volumes(mesh).sum())


TRUE = volume(Mesh(SPHERE))


@pytest.mark.parametrize("triangles", [SPHERE, BOX], ids=["sphere", "box"])
def test_a_sound_mesh_comes_back_the_same(triangles: np.ndarray) -> None:
    mesh, said = repair(Mesh(triangles, "mm"))
    assert said == ()
    assert mesh.triangles.tobytes() == triangles.tobytes()


@given(st.integers(0, 2**32), st.floats(0, 0.03), st.floats(0, 0.3), st.booleans())
@settings(max_examples=25, deadline=None)
def test_what_is_deleted_flipped_and_turned_is_mended(
    seed: int, deleted: float, flipped: float, inside_out: bool
) -> None:
    rng = np.random.default_rng(seed)
    triangles = SPHERE[:, ::-1].copy() if inside_out else SPHERE.copy()
    turn = rng.random(len(triangles)) < flipped
    triangles[turn] = triangles[turn, ::-1]
    mesh, _ = repair(Mesh(rng.permutation(triangles[rng.random(len(triangles)) >= deleted])))
    assert mesh.rule == "nonzero"
    assert not mesh.topology.open_edges
    assert not mesh.topology.opposed_edges
    assert volume(mesh) == pytest.approx(TRUE, rel=2e-3 if deleted else 1e-9)


def test_each_action_is_said() -> None:
    gap = SPHERE[1:]
    assert repair(Mesh(gap))[1] == ("closed 1 holes of up to 3 edges",)
    flipped = SPHERE.copy()
    flipped[:7] = flipped[:7, ::-1]
    assert repair(Mesh(flipped))[1] == ("turned 7 triangles whose winding disagreed with their neighbours'",)
    assert repair(Mesh(SPHERE[:, ::-1]))[1] == ("turned the whole mesh, which was inside out",)
    assert repair(Mesh(np.concatenate([SPHERE, SPHERE])))[1] == (f"dropped {len(SPHERE)} triangles that stand twice",)
    near, said = repair(Mesh(SPHERE + np.random.default_rng(0).normal(0, 1e-8, SPHERE.shape)))
    assert len(said) == 1
    assert "corners that lay within" in said[0]
    assert volume(near) == pytest.approx(TRUE, rel=1e-6)


def test_a_cavity_stays_one_and_a_lonely_inverted_body_is_turned() -> None:
    cavity = np.concatenate([SPHERE, 0.5 * SPHERE[:, ::-1]])
    assert repair(Mesh(cavity))[1] == ("2 bodies",)
    turned, said = repair(Mesh(cavity[:, ::-1]))
    assert said == ("turned the whole mesh, which was inside out", "2 bodies")
    assert volume(turned) == pytest.approx(TRUE * (1 - 1 / 8))
    damaged = cavity.copy()
    damaged[len(SPHERE) : len(SPHERE) + 9] = damaged[len(SPHERE) : len(SPHERE) + 9, ::-1]
    assert volume(repair(Mesh(damaged))[0]) == pytest.approx(TRUE * (1 - 1 / 8))
    apart, said = repair(Mesh(np.concatenate([SPHERE, 0.5 * SPHERE[:, ::-1] + 30])))
    assert said[0] == "turned 1 bodies that were inside out"
    assert volume(apart) == pytest.approx(TRUE * (1 + 1 / 8))


def test_faces_that_flush_bodies_share_are_no_doubles() -> None:
    tall = BOX * [1, 1, 2] + [0, 0, 1]
    mesh, _ = repair(Mesh(np.concatenate([BOX, tall])))
    assert len(mesh.triangles) == 24
    facets, said = repair(Mesh(np.concatenate([BOX, BOX[:2]])))
    assert (len(facets.triangles), said) == (12, ("dropped 2 triangles that stand twice",))


def test_flat_holes_of_any_length_are_closed_and_sheets_are_left() -> None:
    tube = trimesh.creation.cylinder(5, 4, sections=300)
    wall = np.array(tube.triangles)[np.abs(tube.face_normals[:, 2]) < 0.5]
    mesh, said = repair(Mesh(wall))
    assert said == ("closed 2 holes of up to 300 edges",)
    assert volume(mesh) == pytest.approx(tube.volume)
    sheet = np.array([[[0, 0, 0], [1, 0, 0], [1, 1, 0]], [[0, 0, 0], [1, 1, 0], [0, 1, 0.0]]])
    assert repair(Mesh(sheet))[1] == ("4 edges stay open: layers there may leak",)


def moebius(steps: int = 40) -> np.ndarray:
    angle = np.arange(steps) * 2 * np.pi / steps
    rails = [
        np.stack(
            [
                np.cos(angle) * (5 + w * np.cos(angle / 2)),
                np.sin(angle) * (5 + w * np.cos(angle / 2)),
                w * np.sin(angle / 2),
            ],
            1,
        )
        for w in (-1, 1)
    ]
    strip = []
    for i in range(steps):
        a, b = rails[0][i], rails[1][i]
        c, d = (rails[0][i + 1], rails[1][i + 1]) if i + 1 < steps else (rails[1][0], rails[0][0])
        strip += [[a, b, c], [b, d, c]]
    return np.array(strip)


def test_what_has_one_side_is_read_by_even_odd() -> None:
    mesh, said = repair(Mesh(moebius()))
    assert mesh.rule == "even-odd"
    assert "cannot be made consistent" in said[0]


def test_nothing_left_is_refused() -> None:
    with pytest.raises(DataError, match="no triangle with an area is left"):
        repair(Mesh(np.zeros((4, 3, 3))))


@given(st.integers(0, 2**32), st.integers(1, 3), st.sampled_from([64, 10, 3]))
@settings(max_examples=40, deadline=None)
def test_equal_rows_get_equal_numbers_even_where_hashes_meet(seed: int, columns: int, bits: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.integers(-5, 5, (columns, int(rng.integers(1, 300))))
    groups = grouped(list(rows), bits)
    distinct, inverse = np.unique(rows, axis=1, return_inverse=True)
    assert groups.count == distinct.shape[1]
    assert len(set(zip(groups.numbers.tolist(), inverse.ravel().tolist(), strict=True))) == groups.count
    firsts = groups.order[groups.begins]
    assert all((rows[:, :f] != rows[:, f : f + 1]).any(0).all() for f in firsts.tolist())
