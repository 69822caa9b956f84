"""A trained generator and critic -> an encoder that inverts the generator (izi_f), and both tuned together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from layerwatch.detectors.networks.compute import Compute
from layerwatch.detectors.networks.losses import izi_f_loss
from layerwatch.detectors.networks.on_gpu import compiled
from layerwatch.detectors.networks.tasks.descent import adam, descend
from layerwatch.detectors.networks.training import Task
from layerwatch.detectors.networks.wide import wide

_SHOWN = 4  # held-out images


class EncoderTask(Task):
    """izi_f with generator and critic frozen; with ``tune`` the generator learns along (joint tuning).

    Generator and critic judge as they will be used, without dropout and with settled batch normalisation.
    """

    aim: ClassVar[str] = "loss"

    def __init__(
        self,
        E: nn.Module,
        G: nn.Module,
        D: nn.Module,
        rate: float,
        weights: tuple[float, float],
        compute: Compute,
        *,
        tune: bool,
    ) -> None:
        self.E, self.G, self.D, self.weights, self.compute = E.train(), G.eval(), D.eval(), weights, compute
        self.modules = {"E": E, "G": G} if tune else {"E": E}
        learners = [*E.parameters(), *(G.parameters() if tune else ())]
        self.optimisers = {"E": adam(learners, rate, compute)}
        self._fast_loss = compiled(self._loss, (E, G, D), compute)
        self._shown: Tensor | None = None
        compute.place((G, D))

    def step(self, X: Float[Tensor, "n 1 s s"]) -> Mapping[str, Tensor]:
        """See Task; only the optimiser's own parameters change."""
        loss = self._fast_loss(2 * X - 1)[0]
        descend(self.optimisers["E"], loss)
        return {"loss": loss.detach()}

    @torch.no_grad()
    def look(self, held: Float[Tensor, "n 1 s s"]) -> dict[str, float]:
        """The loss on held-out images, A_R and A_D."""
        self.E.eval()
        X = 2 * held - 1
        loss, GEX, D_f_X, D_f_GEX = self._loss(X)
        few = torch.linspace(0, len(X) - 1, min(_SHOWN, len(X))).long()
        self._shown = (torch.stack([X[few], wide(GEX[few])], 1).flatten(0, 1) + 1) / 2
        self.E.train()
        A_R, A_D = ((GEX - X) / 2).square().mean(), (D_f_X - D_f_GEX).square().mean()
        return {"loss": float(loss), "A_R": float(A_R), "A_D": float(A_D)}

    def sample(self) -> Float[Tensor, "k 1 s s"] | None:
        """A few held-out images, each beside its reconstruction."""
        return self._shown

    def _loss(self, X: Float[Tensor, "n 1 s s"]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        with self.compute.autocast():
            with torch.no_grad():
                D_f_X = wide(self.D(X)[1])
            GEX = self.G(self.E(X))
            D_f_GEX = wide(self.D(GEX)[1])
        GEX = wide(GEX)
        return izi_f_loss(X, GEX, D_f_X, D_f_GEX, self.weights), GEX, D_f_X, D_f_GEX
