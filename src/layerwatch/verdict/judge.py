"""One reading and the healthy side of the scale -> OK, or NOK with places."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from layerwatch.records import Fault, Finding, LayerImage, Reading, Region, Verdict
from layerwatch.verdict.localise import HeatSpread, finding_first, localise
from layerwatch.verdict.threshold import Threshold

_GREY = re.compile(r"[+-][\d.e+-]+ grey")


@dataclass(frozen=True, eq=False)
class Judge:
    """What is known of healthy layers after a detector was calibrated on them."""

    threshold: Threshold
    spread: HeatSpread

    def verdict(self, reading: Reading, image: LayerImage) -> Verdict:
        """NOK if the score is above the threshold: first the place of what the detector names, then those of the heat.

        Pixels without a number are told beside the verdict.
        """
        nok = reading.score > self.threshold.value
        regions: tuple[Region, ...] = ()
        if nok and reading.heat is not None:
            regions = localise(reading.heat, image.plan, image.mm_per_px, self.spread)
        told = []
        if nok and reading.finding is not None:
            regions = finding_first(reading.finding, regions, image, reading.heat)
            told.append(_in_levels(reading.finding, image))
        if holes := int(np.count_nonzero(~np.isfinite(image.pixels))):
            told.append(f"{holes} pixels are NaN or infinite and say nothing")
        return Verdict(
            job=reading.job,
            layer=reading.layer,
            word="NOK" if nok else "OK",
            score=reading.score,
            threshold=self.threshold.value,
            p_value=self.threshold.p_value(reading.score),
            regions=regions,
            reason="; ".join(told),
            name=image.name,
        )


def _in_levels(finding: Finding, image: LayerImage) -> str:
    """The words with the amount in the frame's own levels, where it has whole ones and no span."""
    if image.bits is None or image.span is not None or finding.kind == "shift":
        return finding.text
    return _GREY.sub(f"{finding.amplitude * (2**image.bits - 1):+.3g} grey", finding.text)


def not_judged(fault: Fault, name: str = "") -> Verdict:
    """The verdict on a frame that cannot be judged; ``name`` says where it came from."""
    reason = f"{fault.kind}: {fault.evidence}; {fault.advice}"
    return Verdict(fault.job, fault.layer, "FAULT", reason=reason, name=name or fault.name)
