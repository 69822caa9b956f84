"""Compiled functions are compared with plain ones; recorded steps are the plain steps. The last ones need a GPU."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from layerwatch.detectors.networks.compute import Compute
from layerwatch.detectors.networks.layers import initialise
from layerwatch.detectors.networks.on_gpu import Checked, Recorded, compiled
from layerwatch.detectors.networks.parallel import BatchNorm, Dropout
from layerwatch.detectors.networks.tasks.adversarial import Wasserstein, WganTask
from layerwatch.detectors.networks.wgan import Critic, Generator
from layerwatch.records import DataError, UsageError

gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), BatchNorm(4), Dropout(0.3)).train()


@pytest.mark.parametrize(
    ("spoil", "is_right"),
    [
        (lambda value: value, True),
        (lambda value: value * (1 + 1e-5), True),
        (lambda value: value * 1.02, False),
        (lambda value: value.detach() + (value - value.detach()) * 1.02, False),  # the gradients alone
        (lambda value: value * torch.nan, False),
    ],
)
def test_a_fast_function_must_give_the_values_and_gradients_of_the_plain_one(
    network: nn.Module, spoil: Callable[[Tensor], Tensor], is_right: bool
) -> None:
    def plain(x: Tensor) -> tuple[Tensor, Tensor]:
        return network(x).square().mean(), x

    checked = Checked(plain, lambda x: (spoil(plain(x)[0]), x), (network,), "fp32")
    x = torch.rand(3, 1, 8, 8)
    if is_right:
        checked(x)
        assert checked.error is not None
        assert checked.error < 1e-4
        return
    with pytest.raises(DataError, match="compile gives other values"):
        checked(x)


def test_the_comparison_leaves_no_trace(network: nn.Module) -> None:
    def plain(x: Tensor) -> Tensor:
        value: Tensor = network(x).square().mean()
        return value

    x, results = torch.rand(3, 1, 8, 8), []
    before = {key: value.clone() for key, value in network.state_dict().items()}
    for function in (plain, Checked(plain, plain, (network,), "fp32")):
        network.load_state_dict(before)
        torch.manual_seed(5)
        results.append((function(x), *network.buffers(), torch.rand(1)))
        results[-1] = tuple(value.detach().clone() for value in results[-1])
    for alone, compared in zip(*results, strict=True):
        torch.testing.assert_close(alone, compared, rtol=0, atol=0)


def test_without_a_gpu_nothing_is_compiled_or_recorded() -> None:
    assert compiled(torch.square, (), Compute.of("cpu")) is torch.square
    assert not Recorded(task_on("cpu")).is_used
    with pytest.raises(UsageError, match="compile=true is for GPUs"):
        Compute.of("cpu", compile=True)


@gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_recorded_steps_are_the_plain_steps(precision: str) -> None:
    plain, recorded = (losses_on_gpu(precision, is_recorded=is_recorded) for is_recorded in (False, True))
    torch.testing.assert_close(recorded, plain, rtol=2e-2 if precision == "bf16" else 2e-3, atol=1e-3)


@gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_compiled_steps_are_near_the_plain_steps(precision: str) -> None:
    plain = losses_on_gpu(precision, is_recorded=False, dropout=0.0)  # whose masks would come in another order
    fast = losses_on_gpu(precision, is_recorded=True, is_compiled=True, dropout=0.0)
    torch.testing.assert_close(fast, plain, rtol=5e-2, atol=1e-2)


def task_on(device: str, precision: str = "fp32", *, is_compiled: bool = False) -> WganTask:
    G, D = Generator(32, 0.25, 16), Critic(32, 0.25)
    for module in (G, D):
        initialise(module, torch.Generator().manual_seed(0))
    compute = Compute.of(device, precision, compile=is_compiled)
    compute.place((G, D))
    return WganTask(G, D, 16, Wasserstein((1e-4, 1e-4), 3, 10.0), compute)


def losses_on_gpu(
    precision: str, *, is_recorded: bool, is_compiled: bool = False, dropout: float | None = None
) -> Tensor:
    """Of the first eight steps: three taken as they are, then five replays."""
    task = task_on("cuda", precision, is_compiled=is_compiled)
    for layer in task.D.modules():
        if isinstance(layer, Dropout) and dropout is not None:
            layer.p = dropout
    take, found = Recorded(task), []
    take.is_used = is_recorded
    X = torch.rand(8, 1, 32, 32, generator=torch.Generator().manual_seed(1)).cuda()
    for step in range(8):
        torch.manual_seed(step)
        found.append(torch.stack([loss.detach().clone() for loss in take(X).values()]))
    return torch.stack(found)
