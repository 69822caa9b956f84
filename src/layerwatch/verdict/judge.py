"""One reading and the healthy side of the scale -> OK, or NOK with places."""

from __future__ import annotations

from dataclasses import dataclass

from layerwatch.records import Fault, LayerImage, Reading, Region, Verdict
from layerwatch.verdict.localise import HeatSpread, localise
from layerwatch.verdict.threshold import Threshold


@dataclass(frozen=True, eq=False)
class Judge:
    """What is known of healthy layers after a detector was calibrated on them."""

    threshold: Threshold
    spread: HeatSpread

    def verdict(self, reading: Reading, image: LayerImage) -> Verdict:
        """NOK if the score is above the threshold, with the places where the heat map stands out."""
        nok = reading.score > self.threshold.value
        regions: tuple[Region, ...] = ()
        if nok and reading.heat is not None:
            regions = localise(reading.heat, image.plan, image.mm_per_px, self.spread)
        return Verdict(
            job=reading.job,
            layer=reading.layer,
            word="NOK" if nok else "OK",
            score=reading.score,
            threshold=self.threshold.value,
            p_value=self.threshold.p_value(reading.score),
            regions=regions,
            reason=reading.finding.text if nok and reading.finding is not None else "",
            name=image.name,
        )


def not_judged(fault: Fault, name: str = "") -> Verdict:
    """The verdict on a frame that cannot be judged; ``name`` says where it came from."""
    reason = f"{fault.kind}: {fault.evidence}; {fault.advice}"
    return Verdict(fault.job, fault.layer, "FAULT", reason=reason, name=name or fault.name)
