"""The losses beside their equations."""

from __future__ import annotations

import pytest
import torch

from layerwatch.detectors.base import anomaly_score
from layerwatch.detectors.networks.losses import (
    Elbo,
    critic_loss,
    discriminator_loss,
    elbo_loss,
    gradient_penalty,
    izi_f_loss,
    non_saturating_loss,
)


def test_lam_0_and_1_are_exactly_the_two_errors() -> None:
    assert anomaly_score(0.1, 0.7, 0.0) == 0.1
    assert anomaly_score(0.1, 0.7, 1.0) == 0.7
    assert anomaly_score(0.1, 0.7, 0.1) == pytest.approx(0.9 * 0.1 + 0.1 * 0.7)


def test_the_gradient_penalty_of_a_linear_critic_is_known() -> None:
    weight = torch.full((1, 1, 4, 4), 0.5)  # |w| = 2
    real, fake = torch.rand(3, 1, 4, 4), torch.rand(3, 1, 4, 4)
    penalty = gradient_penalty(lambda x: (x * weight).sum((1, 2, 3)), real, fake, torch.rand(3, 1, 1, 1))
    assert float(penalty) == pytest.approx(1.0, abs=1e-5)


def test_losses_agree_with_their_equations() -> None:
    X, R = torch.rand(2, 1, 3, 3), torch.rand(2, 1, 3, 3).clamp(0.1, 0.9)
    m, s = torch.randn(2, 4), torch.randn(2, 4)
    bce = -(X * R.log() + (1 - X) * (1 - R).log()).sum()
    kld = -0.5 * (1 + s - m**2 - s.exp()).sum()
    assert float(elbo_loss(X, R.logit(), m, s)) == pytest.approx(float((bce + kld) / 2), rel=1e-5)
    mse = ((X - R) ** 2).sum()
    squared, plain = Elbo("mse"), Elbo("mse", is_variational=False)
    assert float(elbo_loss(X, R.logit(), m, s, squared)) == pytest.approx(float((mse + kld) / 2), rel=1e-5)
    assert float(elbo_loss(X, R.logit(), m, s, plain)) == pytest.approx(float(mse / 2), rel=1e-5)
    assert float(critic_loss(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 1.0]))) == -1.5
    f, g = torch.randn(2, 5), torch.randn(2, 5)
    assert float(izi_f_loss(X, R, f, g, (1.0, 0.0))) == pytest.approx(float(((X - R) ** 2).mean()))
    assert float(izi_f_loss(X, R, f, g, (0.0, 1.0))) == pytest.approx(float(((f - g) ** 2).mean()), rel=1e-5)


def test_the_discriminators_loss_is_the_cross_entropy_and_the_generators_does_not_saturate() -> None:
    real, fake = torch.randn(5), torch.randn(5)
    entropy = -(real.sigmoid().log().mean() + (1 - fake.sigmoid()).log().mean())
    assert float(discriminator_loss(real, fake)) == pytest.approx(float(entropy), rel=1e-5)
    sure = torch.full((3,), -20.0, requires_grad=True)  # D is sure that all are generated
    (slope,) = torch.autograd.grad(non_saturating_loss(sure), sure)
    assert float(slope.sum()) == pytest.approx(-1.0, rel=1e-4)
