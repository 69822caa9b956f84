"""A task's step and its functions -> the same on a GPU, compiled and recorded, so that Python no longer holds it up.

What is compiled is first compared with itself, uncompiled. A recorded step is one CUDA graph: some hundred kernels that
one call starts. Random numbers stay those of the step's seed, for a graph takes up the generator's seed at each replay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Generic, ParamSpec, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

from layerwatch.detectors.networks import parallel
from layerwatch.detectors.networks.compute import Compute
from layerwatch.detectors.networks.wide import wide
from layerwatch.records import DataError

_AGREES = {"fp32": 5e-3, "bf16": 0.1}  # relative; on a GPU convolutions of 32 bit are taken in TF32
_WARM = 3  # steps taken as they are before one is recorded: libraries choose their ways, optimisers make their state

P = ParamSpec("P")  # tensors
R = TypeVar("R", bound=Tensor | tuple[Tensor, ...])
Losses = Mapping[str, Tensor]


@runtime_checkable
class Step(Protocol):
    """What is recorded."""

    compute: Compute

    @property
    def is_recordable(self) -> bool:
        """Whether a step never asks a number back from the GPU."""

    def step(self, X: Tensor) -> Losses:
        """Update on one batch."""


class Recorded:
    """A task's step; on a GPU the first few are taken as they are, then it is recorded and replayed."""

    def __init__(self, task: Step) -> None:
        self.task, self.taken = task, 0
        self.is_used = task.compute.device.type == "cuda" and parallel.world() == 1 and task.is_recordable
        self.graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, X: Tensor) -> Losses:
        """The losses; those of a replay are overwritten by the next."""
        if not self.is_used:
            return self.task.step(X)
        if self.taken < _WARM:
            self.taken += 1
            return self._beside(X)
        if self.graph is None:
            self.graph, self.X = torch.cuda.CUDAGraph(), X.clone()  # strides stay, or compiled functions begin anew
            with torch.cuda.graph(self.graph):
                self.losses = self.task.step(self.X)
        self.X.copy_(X)
        self.graph.replay()
        return self.losses

    def _beside(self, X: Tensor) -> Losses:
        """On a stream of its own, as recording will be."""
        own, usual = torch.cuda.Stream(), torch.cuda.current_stream()  # type: ignore[no-untyped-call] # not in the stubs
        own.wait_stream(usual)
        with torch.cuda.stream(own):
            losses = self.task.step(X)
        usual.wait_stream(own)
        return losses


def compiled(function: Callable[P, R], modules: Sequence[nn.Module], compute: Compute) -> Callable[P, R]:
    """The function, compiled where ``compute`` wants it; on its first inputs it is compared with the plain one.

    Args:
        function: tensors -> a value, or several of which the first has a gradient.
        modules: all whose weights and buffers it uses.
        compute: device, precision, and whether to compile.
    """
    if not compute.compile:
        return function
    fast = torch.compile(function, options={"fallback_random": True})
    return Checked(function, fast, modules, compute.precision)


class Checked(Generic[P, R]):
    """A fast function, compared on its first inputs with the plain one that it stands for: value and gradients.

    Both are compared with dropout's share at 0, for on a GPU a compiled function draws its masks in another order.

    Raises:
        DataError: they differ by more than 0.005 in 32 bit or 0.1 in 16, relative; at the first call.
    """

    def __init__(
        self, plain: Callable[P, R], fast: Callable[P, R], modules: Sequence[nn.Module], precision: str
    ) -> None:
        self.plain, self.fast, self.modules, self.allowed = plain, fast, modules, _AGREES[precision]
        self.error: float | None = None  # as found

    def __call__(self, *given: P.args, **named: P.kwargs) -> R:
        """What the fast one gives."""
        if self.error is None:
            plain, fast = (self._values(partial(f, *given, **named)) for f in (self.plain, self.fast))
            self.error = float((fast - plain).norm() / plain.norm().clamp_min(1e-12))
            if not self.error <= self.allowed:
                raise DataError(
                    f"torch.compile gives other values than the plain way, by {self.error:.1e} of them "
                    f"({self.allowed:g} allowed); train without compile=true, or take another build of torch"
                )
        return self.fast(*given, **named)

    def _values(self, function: Callable[[], R]) -> Tensor:
        """Value and gradients in one vector; random numbers and the modules' buffers are afterwards as before."""
        buffers = [buffer for module in self.modules for buffer in module.buffers()]
        kept = [buffer.clone() for buffer in buffers]
        with torch.random.fork_rng(), _without_dropout(self.modules):
            torch.manual_seed(0)
            found = function()
        first = wide(found if isinstance(found, Tensor) else found[0])
        values = [first.detach().flatten()]
        if first.requires_grad:
            weights = [weight for module in self.modules for weight in module.parameters() if weight.requires_grad]
            slopes = torch.autograd.grad(first.sum(), weights, materialize_grads=True, allow_unused=True)
            values += [wide(slope).flatten() for slope in slopes]
        with torch.no_grad():
            for buffer, value in zip(buffers, kept, strict=True):
                buffer.copy_(value)
        return torch.cat(values)


@contextmanager
def _without_dropout(modules: Sequence[nn.Module]) -> Iterator[None]:
    """Dropout keeps everything inside the block."""
    layers = [layer for module in modules for layer in module.modules() if isinstance(layer, nn.Dropout)]
    shares = [layer.p for layer in layers]
    for layer in layers:
        layer.p = 0.0
    try:
        yield
    finally:
        for layer, share in zip(layers, shares, strict=True):
            layer.p = share
