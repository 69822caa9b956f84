"""Claim: the numbers of trainable parameters in Table 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.models import parameters_of_table_1
from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.judged import yes_or_no
from layerwatch.journeys.reproduction.workshop import Workshop

_TABLE_1 = {"VAE": 1_430_209, "DCGAN": 3_039_041, "WGAN": 5_697_347}


@dataclass
class ParameterCounts(Claim):
    """To the last digit."""

    summary: ClassVar[str] = "Table 1: numbers of trainable parameters of VAE, DCGAN and WGAN"
    source: ClassVar[str] = "Table 1"
    paper: ClassVar[str] = "1430209, 3039041, 5697347"

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        ours = parameters_of_table_1()
        same = all(ours[name] == count for name, count in _TABLE_1.items())
        return Finding(", ".join(str(ours[name]) for name in _TABLE_1), yes_or_no(same))
