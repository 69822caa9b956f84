"""Table 1's counts, the losses beside their equations, and a training that resumes exactly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from layerwatch.detectors.base import anomaly_score
from layerwatch.detectors.networks.inputs import Window, to_heat, to_tensor
from layerwatch.detectors.networks.layers import parameter_count
from layerwatch.detectors.networks.losses import critic_loss, elbo_loss, gradient_penalty, izi_f_loss
from layerwatch.detectors.networks.tasks import EncoderTask, WganTask
from layerwatch.detectors.networks.training import Run, train
from layerwatch.detectors.networks.vae import VaeNetwork
from layerwatch.detectors.networks.wgan import Critic, Encoder, Generator
from layerwatch.records import DataError, silent
from layerwatch.testing.images import healthy_images


def test_parameters_are_those_of_table_1() -> None:
    assert parameter_count(VaeNetwork()) == 1_430_209
    assert parameter_count(Generator()) + parameter_count(Critic()) == 5_697_347
    assert parameter_count(Generator()) == 976_066
    assert parameter_count(Encoder()) == 4_810_752


def test_layer_by_layer() -> None:
    counts = [parameter_count(m) for m in VaeNetwork().modules() if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d))]
    assert counts == [1_664, 102_464, 204_928, 409_728, 204_864, 102_464, 1_601]


@pytest.mark.parametrize("size", [32, 64, 128])
def test_critic_features_are_4_by_4_at_every_size(size: int) -> None:
    G, D, E = Generator(size, 0.125, 8).eval(), Critic(size, 0.125).eval(), Encoder(size, 0.125, 8).eval()
    X = G(torch.randn(2, 8))
    assert X.shape == (2, 1, size, size)
    assert float(X.detach().abs().max()) <= 1
    assert D(X)[1].shape == (2, 64 * 16)
    assert E(X).shape == (2, 8)
    with pytest.raises(ValueError, match="there are 32, 64 and 128"):
        Critic(96)


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
    assert float(elbo_loss(X, R, m, s)) == pytest.approx(float((bce + kld) / 2), rel=1e-5)
    assert float(critic_loss(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 1.0]))) == -1.5
    f, g = torch.randn(2, 5), torch.randn(2, 5)
    assert float(izi_f_loss(X, R, f, g, (1.0, 0.0))) == pytest.approx(float(((X - R) ** 2).mean()))
    assert float(izi_f_loss(X, R, f, g, (0.0, 1.0))) == pytest.approx(float(((f - g) ** 2).mean()), rel=1e-5)


def test_the_critic_steps_three_times_for_one_step_of_the_generator() -> None:
    G, D = Generator(32, 0.125, 8), Critic(32, 0.125)
    task = WganTask(G, D, 8, (1e-4, 1e-4), 3, 10.0)
    task.step(torch.rand(4, 1, 32, 32))
    steps = {name: {int(s["step"]) for s in o.state_dict()["state"].values()} for name, o in task.optimisers.items()}
    assert steps == {"G": {1}, "D": {3}}


def test_encoder_training_leaves_generator_and_critic_as_they_were() -> None:
    E, G, D = Encoder(32, 0.125, 8), Generator(32, 0.125, 8), Critic(32, 0.125)
    before = {k: v.clone() for m in (G, D) for k, v in m.state_dict().items()}
    learnt = {k: v.clone() for k, v in E.state_dict().items()}
    EncoderTask(E, G, D, 1e-3, (0.9, 0.1), tune=False).step(torch.rand(4, 1, 32, 32))
    for k, v in ((k, v) for m in (G, D) for k, v in m.state_dict().items()):
        assert torch.equal(v, before[k]), k
    assert any(not torch.equal(v, learnt[k]) for k, v in E.state_dict().items())


class Memory:
    """A checkpoint that stops the training after some saves, as a power cut would."""

    def __init__(self, saves: int = 10**9) -> None:
        self.kept: dict[str, bytes] = {}
        self.left = saves

    def load(self, name: str) -> bytes | None:
        return self.kept.get(name)

    def save(self, name: str, data: bytes) -> None:
        self.kept[name] = data
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def fresh_task() -> WganTask:
    torch.manual_seed(0)
    return WganTask(Generator(32, 0.125, 8), Critic(32, 0.125), 8, (1e-3, 1e-3), 2, 10.0)


def test_an_interrupted_training_ends_in_the_very_same_weights() -> None:
    X = torch.rand(16, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    run = Run("WGAN-GP", 6, 4, seed=5, save_every=0.0)
    whole = fresh_task()
    train(whole, X, run, silent, None)

    memory, cut = Memory(3), fresh_task()
    with pytest.raises(KeyboardInterrupt):
        train(cut, X, run, silent, memory)
    resumed = fresh_task()
    train(resumed, X, run, silent, memory)
    for name, module in whole.modules.items():
        for key, value in module.state_dict().items():
            assert torch.equal(value, resumed.modules[name].state_dict()[key]), key


def test_a_diverging_training_says_so_at_once() -> None:
    task = fresh_task()
    for group in task.optimisers["D"].param_groups:
        group["lr"] = 1e30
    with pytest.raises(DataError, match=r"WGAN-GP diverged at step .* smaller learning rate"):
        train(task, torch.rand(8, 1, 32, 32), Run("WGAN-GP", 20, 4, seed=0), silent, None)


def test_images_of_any_size_come_in_one_range_and_heat_goes_back_to_their_size() -> None:
    images = healthy_images(8, 48)
    window = Window.of(images)
    X = to_tensor(images, 32, window)
    assert X.shape == (8, 1, 32, 32)
    assert 0 <= float(X.min()) < float(X.max()) <= 1
    heat = to_heat(torch.ones(8, 1, 32, 32), (48, 48), window)
    assert heat.shape == (8, 48, 48)
    np.testing.assert_allclose(heat, window.high - window.low, rtol=1e-5)
