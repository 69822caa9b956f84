"""What makes AnoGAN AnoGAN: a search for each image, in frozen networks, that never loses what it found."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from layerwatch.detectors.networks.compute import Compute
from layerwatch.detectors.networks.latent_search import Search, best_z
from layerwatch.detectors.networks.layers import initialise
from layerwatch.detectors.networks.wgan import Critic, Generator

CPU = Compute.of("cpu")


@pytest.fixture
def networks() -> tuple[Generator, Critic]:
    G, D = Generator(32, 0.125, 8).eval(), Critic(32, 0.125).eval()
    for module in (G, D):
        initialise(module, torch.Generator().manual_seed(0))
    return G, D


def wanted(G: Generator, count: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    z = torch.randn(count, 8, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        return z, G(z)


def test_two_images_get_two_z_and_each_explains_its_own(networks: tuple[Generator, Critic]) -> None:
    G, D = networks
    _, X = wanted(G)
    z, A = best_z(X, G, D, 8, Search(300, 0.05, lam=0.1), CPU)
    assert not torch.allclose(z[0], z[1], atol=0.1)
    with torch.no_grad():
        found = G(z)
    distance = torch.cdist(found.flatten(1), X.flatten(1))
    assert distance.argmin(1).tolist() == [0, 1, 2]
    begun = best_z(X, G, D, 8, Search(0, 0.05), CPU)[1]
    assert (0.2 * begun > A).all()


def test_networks_are_bit_equal_before_and_after(networks: tuple[Generator, Critic]) -> None:
    before = [{k: v.clone() for k, v in m.state_dict().items()} for m in networks]
    best_z(wanted(networks[0])[1], *networks, 8, Search(20, 0.05), CPU)
    for module, state in zip(networks, before, strict=True):
        assert all(torch.equal(v, state[k]) for k, v in module.state_dict().items())
        assert all(p.requires_grad and p.grad is None for p in module.parameters())


def test_more_steps_and_more_restarts_never_raise_the_score(networks: tuple[Generator, Critic]) -> None:
    X = wanted(networks[0])[1]
    found = [best_z(X, *networks, 8, Search(steps, 0.1), CPU)[1] for steps in (0, 5, 40, 80)]
    for fewer, more in pairwise(found):
        assert (more <= fewer + 1e-9).all()
    assert (best_z(X, *networks, 8, Search(40, 0.1, restarts=3), CPU)[1] <= found[2] + 1e-7).all()


def test_a_search_that_gets_nowhere_ends_and_leaves_the_others_alone(networks: tuple[Generator, Critic]) -> None:
    G, D = networks
    X = wanted(G, 4)[1]
    X[0] = torch.rand(1, 32, 32) * 2 - 1  # nothing explains it
    whole = best_z(X, G, D, 8, Search(400, 0.05), CPU)[1]
    early = best_z(X, G, D, 8, Search(400, 0.05, tolerance=0.05), CPU)[1]
    assert (early <= 1.3 * whole + 1e-4).all()


@pytest.mark.parametrize(("lam", "part"), [(0.0, 0), (1.0, 1)])
def test_lam_0_and_1_search_for_one_error_alone(networks: tuple[Generator, Critic], lam: float, part: int) -> None:
    G, D = networks
    _, X = wanted(G)
    z, A = best_z(X, G, D, 8, Search(10, 0.05, lam=lam), CPU)
    with torch.no_grad():
        GX = G(z)
        errors = ((X - GX) / 2).square().mean((1, 2, 3)), (D(X)[1] - D(GX)[1]).square().mean(1)
    torch.testing.assert_close(A, errors[part], rtol=1e-4, atol=1e-7)
