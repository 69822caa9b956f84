"""The penalty as a forward computation is autograd's, for critics of any depth."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from layerwatch.detectors.networks.losses import gradient_penalty
from layerwatch.detectors.networks.parallel import Dropout
from layerwatch.detectors.networks.penalty import check_penalty, forward_penalty, input_gradient, is_known, penalty_of
from layerwatch.detectors.networks.wgan import Critic
from layerwatch.records import DataError


@st.composite
def critics(draw: st.DrawFn) -> tuple[list[nn.Module], int]:
    """Layers of a critic of one to four convolutions, and the size of its images."""
    size = draw(st.integers(9, 20))
    layers: list[nn.Module] = []
    channels, side = 1, size
    for _ in range(draw(st.integers(1, 4))):
        kernel, stride, pad = draw(st.sampled_from([(5, 2, 2), (3, 1, 1), (4, 2, 1), (3, 2, 0), (1, 1, 0)]))
        if side + 2 * pad < kernel:
            break
        outer = draw(st.integers(1, 4))
        layers.append(nn.Conv2d(channels, outer, kernel, stride, pad, bias=draw(st.booleans())))
        layers.append(draw(st.sampled_from([nn.LeakyReLU(0.2), nn.LeakyReLU(0.3), nn.ReLU()])))
        if draw(st.booleans()):
            layers.append(Dropout(0.3))
        channels, side = outer, (side + 2 * pad - kernel) // stride + 1
    return [*layers, nn.Flatten(), nn.Linear(channels * side * side, 1)], size


@settings(max_examples=30, deadline=None)
@given(critics())
def test_any_critic(critic: tuple[list[nn.Module], int]) -> None:
    """Value and every gradient, in 64 bit, with the same dropout masks."""
    layers, size = critic
    assert is_known(layers)
    network = nn.Sequential(*layers).double()
    real, fake = torch.rand(2, 3, 1, size, size, dtype=torch.float64)
    alpha = torch.rand(3, 1, 1, 1, dtype=torch.float64)
    weights = [p for name, p in network.named_parameters() if not name.endswith("bias")]
    torch.manual_seed(3)
    ours = forward_penalty(layers, real, fake, alpha)
    torch.manual_seed(3)
    theirs = gradient_penalty(lambda x: network(x).flatten(), real, fake, alpha)
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)
    slopes = (torch.autograd.grad(value, weights) for value in (ours, theirs))
    for a, b in zip(*slopes, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("before", [False, True])
def test_the_papers_critic_in_64_and_32_bit(before: bool) -> None:
    found = check_penalty(Critic(32, 0.125, before=before).layers(), 32)
    assert found[torch.float64] < 1e-10
    assert found[torch.float32] < 1e-4


def test_bf16_is_near() -> None:
    layers = Critic(32, 0.25).eval().layers()
    x = torch.rand(4, 1, 32, 32).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        exact = input_gradient(layers, x)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        coarse = input_gradient(layers, x)
    norms = (slope.float().flatten(1).norm(dim=1) for slope in (coarse, exact))  # what the penalty is made of
    torch.testing.assert_close(*norms, rtol=0.03, atol=0.0)


def test_a_critic_with_other_layers_goes_through_autograd() -> None:
    critic = Critic(32, 0.125, layer_norm=True).eval()
    assert not critic.is_plain
    real, fake, alpha = torch.rand(2, 1, 32, 32), torch.rand(2, 1, 32, 32), torch.rand(2, 1, 1, 1)
    value = penalty_of(critic.layers())(real, fake, alpha)
    plain = gradient_penalty(lambda x: critic(x)[0], real, fake, alpha)
    torch.testing.assert_close(value, plain)
    weights = [p for p in critic.parameters() if p.ndim == 4]
    for a, b in zip(*(torch.autograd.grad(v, weights) for v in (value, plain)), strict=True):
        torch.testing.assert_close(a, b)


def test_a_build_of_torch_that_computes_wrongly_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    right = functional.conv_transpose2d
    monkeypatch.setattr(functional, "conv_transpose2d", lambda *a: right(*a) * 1.01)
    with pytest.raises(DataError, match="computes transposed convolutions wrongly"):
        check_penalty(Critic(32, 0.125).layers(), 32)


@pytest.mark.parametrize("p", [0.2, 0.3])
def test_dropout_keeps_its_share_and_the_mean(p: float) -> None:
    torch.manual_seed(0)
    layer = Dropout(p)
    for shape in ((64, 8, 32, 32), (64, 8192)):
        mask = layer.mask(torch.zeros(shape))
        assert mask.shape == shape
        dropped = float((mask == 0).float().mean())
        assert dropped == pytest.approx(p, abs=5 * (p * (1 - p) / mask.numel()) ** 0.5 + 2**-17)
        assert torch.all((mask == 0) | (mask == mask.max()))
        assert float(mask.max()) == pytest.approx(1 / (1 - p))
    rows = layer.mask(torch.zeros(2, 4, 16, 16)).flatten(1)
    assert not torch.equal(rows[0], rows[1])
    assert torch.equal(layer.eval().mask(torch.zeros(3, 5)), torch.ones(3, 5))
