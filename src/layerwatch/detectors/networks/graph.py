"""E, G and D -> one network from X in [0, 1] to A_R, A_D, X - G(E(X)) and D_f, and its ONNX bytes."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from importlib.util import find_spec

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.jit._trace import TracerWarning

from layerwatch.detectors.runtimes.base import OUTPUTS
from layerwatch.records import UsageError

_OPSET = 17


class FanoganGraph(nn.Module):
    """All that f-AnoGAN computes of a batch, in one pass."""

    def __init__(self, modules: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.E, self.G, self.D = (modules[name] for name in "EGD")

    def forward(
        self, X: Float[Tensor, "n 1 s s"]
    ) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"], Float[Tensor, "n 1 s s"], Float[Tensor, "n 2 d"]]:
        """A_R, A_D, the rest in [-1, 1], and D_f of X and of G(E(X))."""
        X = 2 * X - 1
        GEX = self.G(self.E(X))
        D_f_X, D_f_GEX = self.D(torch.cat([X, GEX]))[1].float().chunk(2)  # at once: D's weights are fetched once
        rest = (X - GEX.float()) / 2
        A_R, A_D = rest.square().mean((1, 2, 3)), (D_f_X - D_f_GEX).square().mean(1)
        return A_R, A_D, rest, torch.stack([D_f_X, D_f_GEX], 1)


def onnx_of(graph: FanoganGraph, size: int) -> bytes:
    """The graph as ONNX, for batches of any size.

    Raises:
        UsageError: the package onnx is missing.
    """
    if find_spec("onnx") is None:
        raise UsageError("exporting needs the package onnx: `pip install layerwatch[onnx]`")
    file = io.BytesIO()
    batch = {key: {0: "n"} for key in ("X", *OUTPUTS)}
    X = torch.zeros(2, 1, size, size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TracerWarning)  # shapes are fixed here but for the batch
        warnings.simplefilter("ignore", DeprecationWarning)  # the new exporter needs onnxscript, and gains nothing here
        torch.onnx.export(
            graph.eval().cpu().to(memory_format=torch.contiguous_format),  # type: ignore[call-overload] # not in the stubs
            (X,),
            file,  # type: ignore[arg-type] # a file object is taken too
            dynamo=False,
            opset_version=_OPSET,
            input_names=["X"],
            output_names=list(OUTPUTS),
            dynamic_axes=batch,
        )
    return file.getvalue()
