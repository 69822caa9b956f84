"""A critic and points x -> the gradient penalty as a forward computation, without double backward.

A critic of convolutions, LeakyReLU and dropout is linear in x between its kinks. With the slopes of its activations
held as masks, its input gradient is a chain of transposed convolutions, ``g <- W_l^T (slope_l g)``, from the last layer
to the first. That chain is an ordinary network of the weights, so one ordinary backward pass through it gives the
penalty's exact gradient: the slopes have no derivative of their own, and no bias takes part.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from layerwatch.detectors.networks.losses import gradient_penalty, unit_slope_loss
from layerwatch.detectors.networks.parallel import Dropout
from layerwatch.records import DataError

_KNOWN = (nn.Conv2d, nn.Linear, nn.LeakyReLU, nn.ReLU, Dropout, nn.Flatten)
_AGREES = {torch.float64: 1e-10, torch.float32: 1e-4}  # relative error allowed against double backward
_TRIED = 3  # images of the batch on which both ways are compared

Back = Callable[[Tensor], Tensor]  # the gradient behind a layer -> the gradient before it


def is_known(layers: Sequence[nn.Module]) -> bool:
    """Whether every layer is piecewise linear and known here; for other critics autograd does it."""
    return all(
        isinstance(layer, _KNOWN) and getattr(layer, "groups", 1) == 1 and not isinstance(_padding(layer), str)
        for layer in layers
    )


def input_gradient(layers: Sequence[nn.Module], x: Float[Tensor, "n 1 s s"]) -> Float[Tensor, "n 1 s s"]:
    """``grad_x sum D(x)``, differentiable once more with respect to the weights.

    Args:
        layers: of the critic, in order; dropout draws one mask a layer, as in a forward pass.
        x: points between real and generated images.
    """
    with torch.no_grad():
        backs: list[Back] = []
        h = x
        for layer in layers:
            h, back = _through(layer, h)
            backs.append(back)
    g = torch.ones_like(h)
    for back in reversed(backs):
        g = back(g)
    return g


def forward_penalty(
    layers: Sequence[nn.Module],
    real: Float[Tensor, "n 1 s s"],
    fake: Float[Tensor, "n 1 s s"],
    alpha: Float[Tensor, "n 1 1 1"],
) -> Float[Tensor, ""]:
    """``E[(|grad D(x)| - 1)^2]`` at ``x = alpha real + (1 - alpha) fake``, the same number as ``gradient_penalty``."""
    return unit_slope_loss(input_gradient(layers, alpha * real + (1 - alpha) * fake))


def penalty_of(layers: Sequence[nn.Module]) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """The forward penalty where the critic allows it, double backward elsewhere: (real, fake, alpha) -> penalty."""
    if is_known(layers):
        return lambda real, fake, alpha: forward_penalty(layers, real, fake, alpha)
    critic = nn.Sequential(*layers)
    return lambda real, fake, alpha: gradient_penalty(lambda x: critic(x).flatten(), real, fake, alpha)


def check_penalty(layers: Sequence[nn.Module], size: int) -> dict[torch.dtype, float]:
    """Compare value and gradients with autograd's double backward on a tiny batch, in 64 and 32 bit.

    Args:
        layers: of a critic that ``is_known``; copies are tried, these stay as they are.
        size: px of its images.

    Returns:
        Relative errors, by precision.

    Raises:
        DataError: they differ by more than 1e-10 in 64 bit or 1e-4 in 32; this build of torch must not be trusted.
    """
    found = {dtype: _difference(layers, size, dtype) for dtype in _AGREES}
    for dtype, error in found.items():
        if not error <= _AGREES[dtype]:
            raise DataError(
                f"the gradient penalty is off by {error:.1e} of autograd's in {dtype} ({_AGREES[dtype]:g} allowed); "
                "this build of torch computes transposed convolutions wrongly: install another one"
            )
    return found


def _difference(layers: Sequence[nn.Module], size: int, dtype: torch.dtype) -> float:
    """Relative difference of both ways, over the penalty and all its gradients."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        real, fake = torch.rand(2, _TRIED, 1, size, size, dtype=dtype) * 2 - 1
        alpha = torch.rand(_TRIED, 1, 1, 1, dtype=dtype)
        tried = [copy.deepcopy(layer).cpu().to(dtype) for layer in layers]
        critic = nn.Sequential(*tried)
        ours = _value_and_slopes(critic, lambda: forward_penalty(tried, real, fake, alpha))
        theirs = _value_and_slopes(critic, lambda: gradient_penalty(lambda x: critic(x).flatten(), real, fake, alpha))
    return float((ours - theirs).norm() / theirs.norm())


def _value_and_slopes(critic: nn.Module, penalty: Callable[[], Tensor]) -> Float[Tensor, " k"]:
    """The penalty and its gradients of all weights but the biases, in one vector."""
    torch.manual_seed(1)  # the same dropout masks for both ways
    weights = [p for name, p in critic.named_parameters() if not name.endswith("bias")]
    value = penalty()
    return torch.cat([value.detach().reshape(1), *(g.flatten() for g in torch.autograd.grad(value, weights))])


def _padding(layer: nn.Module) -> object:
    return getattr(layer, "padding", 0)


def _through(layer: nn.Module, h: Tensor) -> tuple[Tensor, Back]:
    """One layer forward, and the way back through it."""
    match layer:
        case nn.Conv2d():
            return layer(h), _transposed(layer, h.shape)
        case nn.Linear():
            return layer(h), lambda g: functional.linear(g, layer.weight.T)
        case nn.Flatten():
            return layer(h), lambda g: g.reshape(h.shape)
        case Dropout():
            kept = layer.mask(h)
            return h * kept, lambda g: g * kept
        case nn.LeakyReLU():
            slope = layer.negative_slope
            return layer(h), lambda g: torch.ops.aten.leaky_relu_backward(g, h, slope, self_is_result=False)
        case _:  # ReLU
            passed = (h > 0).to(h.dtype)
            return h * passed, lambda g: g * passed


def _transposed(layer: nn.Conv2d, shape: torch.Size) -> Back:
    """The way back through a convolution of images of that shape."""
    k, s, d = layer.kernel_size, layer.stride, layer.dilation
    p = [int(side) for side in layer.padding]
    cut = [(shape[2 + i] + 2 * p[i] - d[i] * (k[i] - 1) - 1) % s[i] for i in (0, 1)]  # rows that no kernel reached
    return lambda g: functional.conv_transpose2d(g, layer.weight, None, s, p, cut, 1, d)
