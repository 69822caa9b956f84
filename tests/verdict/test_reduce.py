from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA, KernelPCA

from layerwatch.verdict.reduce import Kind, components_for, fit_reduction

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(60, 200)) * np.geomspace(5, 0.1, 200), RNG.normal(size=(20, 200)) * np.geomspace(5, 0.1, 200)


def up_to_sign(ours: np.ndarray, theirs: np.ndarray) -> None:
    signs = np.sign((ours * theirs).sum(0))
    np.testing.assert_allclose(ours, theirs * signs, atol=1e-6 * float(np.abs(theirs).max()))


def test_pca_is_that_of_scikit_learn_without_a_large_covariance() -> None:
    model = PCA(7, svd_solver="full").fit(X)
    found = fit_reduction("pca", X, 7)
    up_to_sign(found.apply(X), model.transform(X))
    up_to_sign(found.apply(Y), model.transform(Y))


@pytest.mark.parametrize(("kind", "kernel"), [("poly", "poly"), ("rbf", "rbf")])
def test_kernel_pca_is_that_of_scikit_learn(kind: Kind, kernel: str) -> None:
    centred = X - X.mean(0)
    model = KernelPCA(4, kernel=kernel).fit(centred)
    found = fit_reduction(kind, X, 4)
    up_to_sign(found.apply(Y), model.transform(Y - X.mean(0)))


def test_the_number_of_components_follows_the_share_of_the_variance() -> None:
    ratio = np.cumsum(PCA().fit(X).explained_variance_ratio_)
    count = components_for(0.9, X)
    assert ratio[count - 1] >= 0.9 > ratio[count - 2]
    assert components_for(1.0, X, most=5) == 5
