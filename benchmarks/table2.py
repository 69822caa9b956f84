"""Table 2 from features of the paper's size -> seconds, memory, and the plain scikit-learn way beside it; table, JSON.

Usage: python benchmarks/table2.py [--workers 0] [--out DIR]

Features are drawn with 30 strong directions and noise: 500 healthy layers and 100 of each of five defects, 8192 in D_f
and 16384 in the stack.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from machine import processor
from sklearn.decomposition import PCA, KernelPCA
from sklearn.ensemble import IsolationForest

from layerwatch.evaluation.cohorts import Cohort, halves
from layerwatch.evaluation.components import steps
from layerwatch.evaluation.tables import Origin, Wanted, table2
from layerwatch.journeys.synthesise import crew_of
from layerwatch.recipes import PAPER_DEFECTS
from layerwatch.verdict.reductions.base import Reduction
from layerwatch.verdict.reductions.pca import Pca
from layerwatch.verdict.reductions.poly_kpca import PolyKpca
from layerwatch.verdict.reductions.rbf_kpca import RbfKpca

_D = 8192
_PLAIN: dict[type[Reduction], Callable[[int], Any]] = {
    Pca: lambda count: PCA(count, svd_solver="full"),
    PolyKpca: lambda count: KernelPCA(count, kernel="poly"),
    RbfKpca: lambda count: KernelPCA(count, kernel="rbf"),
}
Rows = list[dict[str, Any]]


def cohort_of(seed: int = 0) -> Cohort:
    """Features with a few strong directions, defective ones a little off."""
    rng = np.random.default_rng(seed)
    kinds = ["healthy"] * 500 + [kind for kind in PAPER_DEFECTS for _ in range(100)]
    jobs = tuple(f"{kind}-{number // 10}" for number, kind in enumerate(kinds))
    z = rng.normal(size=(len(kinds), 30)) * np.geomspace(8, 1, 30)
    D_f = (z @ rng.normal(size=(30, _D)) / 10 + rng.normal(size=(len(kinds), _D))).astype(np.float32)
    D_f[500:] += rng.normal(size=(1, _D)).astype(np.float32) * 0.1
    GEX = (z @ rng.normal(size=(30, _D)) / 10).astype(np.float32)
    scores = {name: D_f[:, i : i + 1] for i, name in enumerate(("VAE A_R", "A_R", "A", "A_D"))}
    vectors = {"D_f": D_f, "[D_f, D_f(G(E(X)))]": np.hstack([D_f, GEX]), "D_f - D_f(G(E(X)))": D_f - GEX}
    return Cohort({**scores, **vectors}, jobs, tuple(kinds))


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    wanted = parser.parse_args()
    cohort = cohort_of()
    rows = [whole_table(cohort, wanted.workers)]
    fit, test = halves(cohort, Wanted.whole().mix)  # type: ignore[arg-type] # the paper's
    for name in ("D_f - D_f(G(E(X)))", "[D_f, D_f(G(E(X)))]"):
        rows += [reduced_once(kind, fit.inputs[name], test.inputs[name]) for kind in _PLAIN]
    rows.append(searched(fit.inputs["D_f - D_f(G(E(X)))"], test.inputs["D_f - D_f(G(E(X)))"]))
    for row in rows:
        print(
            "  ".join(
                f"{key}: {value:.3g}" if isinstance(value, float) else f"{key}: {value}" for key, value in row.items()
            )
        )
    told = {"machine": processor(), "date": datetime.now(UTC).date().isoformat(), "rows": rows}
    wanted.out.mkdir(parents=True, exist_ok=True)
    (wanted.out / "table2.json").write_text(json.dumps(told, indent=1) + "\n")


def whole_table(cohort: Cohort, workers: int) -> dict[str, Any]:
    """All rows and columns, both searches; the largest process and its children count for memory."""
    crew = crew_of("processes", workers)
    started = time.perf_counter()
    found = table2(cohort, Origin("drawn", 4.0, 0), Wanted.whole(), each=crew.each)
    took = time.perf_counter() - started
    peaks = [resource.getrusage(who).ru_maxrss / 2**20 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "what": f"whole table, {len(found)} rows",
        "ours": took,
        "target": 90.0,
        "peak GiB, parent and a worker": peaks,
    }


def reduced_once(kind: type[Reduction], X: np.ndarray, Y: np.ndarray) -> dict[str, Any]:
    """200 components of 600 vectors, applied to 400 others."""
    ours = fastest(lambda: kind().fit(X).apply(Y))
    peer = fastest(lambda: _PLAIN[kind](200).fit(X).transform(Y))
    return {"what": f"{kind.label}, 200 of {X.shape[1]}", "ours": ours, "peer": peer, "ratio": peer / ours}


def searched(X: np.ndarray, Y: np.ndarray) -> dict[str, Any]:
    """The step-by-step search by PCA: components once and their first k, or PCA anew at every step."""

    def forest(x: np.ndarray, y: np.ndarray) -> None:
        IsolationForest(contamination=0.5, random_state=0).fit(x).predict(y)

    def ours() -> None:
        model = Pca().fit(X)
        x, y = model.apply(X), model.apply(Y)
        for count in steps():
            forest(x[:, :count], y[:, :count])

    def peer() -> None:
        for count in steps():
            model = PCA(count, svd_solver="full").fit(X)
            forest(model.transform(X), model.transform(Y))

    times = [fastest(ours, 1), fastest(peer, 1)]
    return {
        "what": f"search over {len(list(steps()))} steps",
        "ours": times[0],
        "peer": times[1],
        "ratio": times[1] / times[0],
    }


def fastest(work: Callable[[], Any], tries: int = 3) -> float:
    """Seconds of the fastest of some tries."""
    took = []
    for _ in range(tries):
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return min(took)


if __name__ == "__main__":
    main()
