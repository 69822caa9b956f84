"""Table 1 to the digit, layer by layer, and what the networks give at other sizes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from layerwatch.detectors.networks.dcgan import DcganGenerator, Discriminator
from layerwatch.detectors.networks.layers import initialise, parameter_count
from layerwatch.detectors.networks.vae import VaeNetwork
from layerwatch.detectors.networks.wgan import Critic, Encoder, Generator
from layerwatch.records import UsageError

HOLDERS = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.BatchNorm2d)
LAYERS = {
    VaeNetwork: [1_664, 102_464, 204_928, 262_176, 528, 528, 139_264, 409_728, 204_864, 102_464, 1_601],
    DcganGenerator: [1_638_400, 32_768, 819_200, 256, 204_800, 128, 102_400, 128, 1_600],
    Discriminator: [1_664, 204_928, 32_769],
    Generator: [524_288, 8_192, 294_912, 256, 73_728, 128, 36_864, 128, 36_864, 128, 576, 2],
    Critic: [1_664, 204_928, 409_728, 819_456, 3_277_312, 8_193],
    Encoder: [1_664, 204_928, 409_728, 4_194_432],
}


@pytest.mark.parametrize("network", LAYERS)
def test_every_layer_has_the_weights_of_table_1(network: type[nn.Module]) -> None:
    assert [parameter_count(layer) for layer in network().modules() if isinstance(layer, HOLDERS)] == LAYERS[network]


def test_the_sums_are_those_of_table_1() -> None:
    assert parameter_count(VaeNetwork()) == 1_430_209
    assert parameter_count(DcganGenerator()) + parameter_count(Discriminator()) == 3_039_041
    assert parameter_count(Generator()) + parameter_count(Critic()) == 5_697_347
    assert (parameter_count(Generator()), parameter_count(Critic())) == (976_066, 4_721_281)


@pytest.mark.parametrize("size", [32, 64, 128, 256])
def test_critic_features_are_4_by_4_at_every_size(size: int) -> None:
    G, D, E = Generator(size, 0.125, 8).eval(), Critic(size, 0.125).eval(), Encoder(size, 0.125, 8).eval()
    X = G(torch.randn(2, 8))
    assert X.shape == (2, 1, size, size)
    assert float(X.detach().abs().max()) <= 1
    assert D(X)[1].shape == (2, 64 * 16)
    assert E(X).shape == (2, 8)
    with pytest.raises(ValueError, match="there are 32, 64, 128 and 256"):
        Critic(96)


@pytest.mark.parametrize("size", [32, 64, 128])
def test_dcgan_at_every_size(size: int) -> None:
    X = DcganGenerator(size, 0.125, 8).eval()(torch.randn(2, 8))
    assert X.shape == (2, 1, size, size)
    D, D_f = Discriminator(size, 0.125).eval()(X)
    assert D.shape == (2,)
    assert D_f.shape == (2, 16 * (size // 4) ** 2)


def test_features_before_the_activation_are_those_that_it_takes() -> None:
    after, before = Critic(32, 0.125).eval(), Critic(32, 0.125, before=True).eval()
    for critic in (after, before):
        initialise(critic, torch.Generator().manual_seed(0))
    X = torch.rand(2, 1, 32, 32)
    assert torch.equal(after(X)[0], before(X)[0])
    assert torch.equal(after(X)[1], torch.nn.functional.leaky_relu(before(X)[1], 0.2))


def test_weights_begin_as_keras_begins_them() -> None:
    layer = nn.Linear(300, 500)
    initialise(layer, torch.Generator().manual_seed(0))
    limit = (6 / 800) ** 0.5
    assert 0.99 * limit < float(layer.weight.detach().abs().max()) <= limit
    assert float(layer.weight.detach().std()) == pytest.approx(limit / 3**0.5, rel=0.01)
    assert not layer.bias.detach().any()


def test_features_of_an_earlier_convolution_leave_the_critics_number_alone() -> None:
    last, earlier = Critic(64, 0.125).eval(), Critic(64, 0.125, back=2).eval()
    for critic in (last, earlier):
        initialise(critic, torch.Generator().manual_seed(0))
    X = torch.randn(3, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    assert torch.equal(last(X)[0], earlier(X)[0])
    assert earlier(X)[1].shape == (3, 16 * 16 * 16)
    assert torch.equal(last.features[2 + 3 :](earlier(X)[1].view(3, 16, 16, 16)), last(X)[1])
    with pytest.raises(UsageError, match="4 convolutions before the last of 4; give one from 0 to 3"):
        Critic(64, 0.125, back=4)
