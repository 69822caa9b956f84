"""Claim: VAE and f-AnoGAN need fractions of a second an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.judged import yes_or_no
from layerwatch.journeys.reproduction.timing import seconds_an_image
from layerwatch.journeys.reproduction.workshop import Workshop


@dataclass
class ReadsInFractionsOfASecond(Claim):
    """Less than half a second, one image after the other."""

    summary: ClassVar[str] = "VAE and f-AnoGAN require fragments of a second an image"
    source: ClassVar[str] = "section 5.2"

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        found = {name: seconds_an_image(shop, name) for name in ("vae", "fanogan")}
        said = ", ".join(f"{name}: {1000 * value:.1f} ms" for name, value in found.items())
        return Finding(f"one image at a time: {said}", yes_or_no(max(found.values()) < 0.5))
