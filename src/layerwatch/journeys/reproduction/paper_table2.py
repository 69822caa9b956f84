"""Table 2 of Zeiser et al. 2023 as it was printed: accuracy of each cluster method on each input."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cells:
    """One line; None where the paper has a dash."""

    dimension: int
    isolation_forest: float
    k_means: float
    otsu: float | None
    gmm: float | None


PAPER: dict[str, Cells] = {  # by our name of the input
    "VAE A_R": Cells(1, 0.725, 0.688, 0.695, 0.523),
    "A": Cells(1, 0.880, 0.953, 0.953, 0.995),
    "D_f": Cells(8192, 0.525, 0.520, None, 0.515),
    "PCA on D_f": Cells(188, 0.793, 0.508, None, 0.578),
    "poly kPCA on D_f": Cells(18, 0.803, 0.510, None, 0.503),
    "rbf kPCA on D_f": Cells(29, 0.863, 0.520, None, 0.543),
    "[D_f, D_f(G(E(X)))]": Cells(16384, 0.630, 0.513, None, None),
    "PCA on [D_f, D_f(G(E(X)))]": Cells(17, 0.853, 0.513, None, 0.528),
    "poly kPCA on [D_f, D_f(G(E(X)))]": Cells(29, 0.870, 0.510, None, 0.513),
    "rbf kPCA on [D_f, D_f(G(E(X)))]": Cells(27, 0.855, 0.530, None, 0.503),
    "D_f - D_f(G(E(X)))": Cells(8192, 1.000, 0.688, None, 0.500),
    "PCA on D_f - D_f(G(E(X)))": Cells(4, 1.000, 0.675, None, 0.995),
    "poly kPCA on D_f - D_f(G(E(X)))": Cells(7, 1.000, 0.508, None, 0.998),
    "rbf kPCA on D_f - D_f(G(E(X)))": Cells(25, 0.778, 0.993, None, 1.000),
}
METHODS = ("isolation_forest", "k_means", "otsu", "gmm")
VAE_OTSU = 0.695  # the cell from which a severity is chosen
