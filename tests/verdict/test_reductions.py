from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA, KernelPCA

from layerwatch.verdict.reductions.pca import Pca
from layerwatch.verdict.reductions.poly_kpca import PolyKpca
from layerwatch.verdict.reductions.rbf_kpca import RbfKpca

RNG = np.random.default_rng(0)
X, Y = (RNG.normal(size=(n, 200)) * np.geomspace(5, 0.1, 200) + 3.0 for n in (60, 20))


def up_to_sign(ours: np.ndarray, theirs: np.ndarray) -> None:
    signs = np.sign((ours * theirs).sum(0))
    np.testing.assert_allclose(ours, theirs * signs, atol=1e-6 * float(np.abs(theirs).max()))


def test_pca_is_that_of_scikit_learn_without_a_large_covariance() -> None:
    model = PCA(7, svd_solver="full").fit(X)
    found = Pca().fit(X, 7)
    up_to_sign(found.apply(X), model.transform(X))
    up_to_sign(found.apply(Y), model.transform(Y))
    np.testing.assert_allclose(found.components_.variances / found.components_.total, model.explained_variance_ratio_)


@pytest.mark.parametrize(("kind", "kernel"), [(PolyKpca, "poly"), (RbfKpca, "rbf")])
def test_kernel_pca_is_that_of_scikit_learn(kind: type[PolyKpca | RbfKpca], kernel: str) -> None:
    model = KernelPCA(4, kernel=kernel).fit(X)
    found = kind().fit(X, 4)
    up_to_sign(found.apply(X), model.transform(X))
    up_to_sign(found.apply(Y), model.transform(Y))


def test_the_number_of_components_follows_the_share_of_the_variance() -> None:
    ratio = np.cumsum(PCA().fit(X).explained_variance_ratio_)
    count = Pca().fit(X).explaining(0.9)
    assert ratio[count - 1] >= 0.9 > ratio[count - 2]
    assert Pca().fit(X, 5).explaining(1.0) == 5
