"""Learnt intervals and measured properties -> one HTML page that shows real images beside synthetic ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from layerwatch.evaluation.agreement import Agreement
from layerwatch.evaluation.domain import Domain, Gap
from layerwatch.evaluation.domain_figures import distributions, lag_curves, rank_scatter, spectra
from layerwatch.evaluation.report import Card, Picture, Section, Table, html
from layerwatch.job.ranges import Interval
from layerwatch.journeys.range_intervals import Learnt

_SPECTRUM = (
    "Radial spectrum of the bed's texture: median and 10 to 90 % of the layers, without the lowest point, which "
    "detrending takes away."
)


def report(
    lead: str,
    said: Sequence[str],
    learnt: Learnt,
    preset: Mapping[str, Interval],
    domains: Sequence[Domain],
    gaps: Sequence[Gap],
    agreement: Agreement | None,
    *,
    in_mm: bool,
) -> bytes:
    """The page.

    Args:
        lead: what was measured, in a sentence.
        said: what was taken for granted.
        learnt: the intervals, and what was left out.
        preset: the preset's intervals of the same names.
        domains: the real images, then the synthetic ones if any.
        gaps: the comparison of both.
        agreement: of the order of detectors, if that was tried.
        in_mm: lengths are in mm, not px.
    """
    sections = [_intervals(learnt, preset, said), _looks(domains, in_mm=in_mm)]
    if gaps:
        sections.append(_comparison(gaps, labels(in_mm=in_mm)))
    if agreement is not None:
        sections.append(_order(agreement))
    cards = [Card(str(len(learnt.intervals)), "intervals learnt"), Card(f"{learnt.noise:.3g} K", "noise of the camera")]
    if gaps:
        covered = sum(gap.is_covered for gap in gaps)
        cards.append(Card(f"{covered} of {len(gaps)}", "properties whose real values the synthetic ones cover"))
    if agreement is not None:
        cards.append(Card(f"{agreement.tau.value:.2f}", "Kendall's tau of the detectors' orders"))
    return html("What real layers look like", lead, cards, sections)


def labels(*, in_mm: bool) -> dict[str, str]:
    """What the axis of each property says."""
    unit = "mm" if in_mm else "px"
    return {
        "bed": "level of the bed, degC",
        "part": "level of the part, degC",
        "contrast": "bed minus part at outlines, K",
        "bed_texture": "texture of the bed, K",
        "part_texture": "texture of the part, K",
        "length_x": f"correlation length along x, {unit}",
        "length_y": f"correlation length along y, {unit}",
        "lag_1": "correlation with the layer before",
        "edge_width": "edge width 10 - 90 %, px",
        "blur": "blur (sigma), px",
        "noise": "noise from pixel to pixel, K",
        "uneven": "lamp's unevenness, share of level",
    }


def _intervals(learnt: Learnt, preset: Mapping[str, Interval], said: Sequence[str]) -> Section:
    rows = tuple(
        (key, f"{own.low:.4g}", f"{own.high:.4g}", f"{own.layer:.2g}", _ends(preset[key]), learnt.comments[key])
        for key, own in learnt.intervals.items()
    )
    head = ("quantity", "low", "high", "layer's share", "preset", "how")
    parts = [Table(head, rows)]
    if learnt.hot_part is not None:
        parts.append(Table(("quantity", "value", "how"), (("hot_part", f"{learnt.hot_part:.3g}", _hot(learnt)),)))
    if learnt.omitted:
        parts.append(
            Table(("left out", "why"), tuple(learnt.omitted.items()), "The preset's intervals stay for these.")
        )
    text = "Jobs are drawn from low to high, layers within the layer's share around their job. "
    return Section("Intervals", text + " ".join(f"{line}." for line in said), tuple(parts))


def _hot(learnt: Learnt) -> str:
    return learnt.comments.get("hot_part", "")


def _ends(own: Interval) -> str:
    return f"{own.low:g} to {own.high:g}"


def _looks(domains: Sequence[Domain], *, in_mm: bool) -> Section:
    return Section(
        "Property by property",
        "All as they are seen, optics and heat included; the intervals above are what lies before these.",
        (
            Picture(distributions(domains, labels(in_mm=in_mm)), "Share of layers below each value (ECDF)."),
            Picture(
                spectra(domains),
                _SPECTRUM,
            ),
            Picture(lag_curves(domains), "Correlation of a texture with itself layers later: median and 10 to 90 %."),
        ),
    )


def _comparison(gaps: Sequence[Gap], names: Mapping[str, str]) -> Section:
    rows = tuple(
        (
            names.get(gap.name, gap.name),
            *(" / ".join(f"{value:.3g}" for value in own) for own in (gap.real, gap.synthetic)),
            f"{gap.ks:.2f}",
            f"{gap.wasserstein:.3g}",
            f"{100 * gap.covered:.0f}",
            gap.advice,
        )
        for gap in gaps
    )
    head = ("property", "real 5 / 50 / 95 %", "synthetic", "KS", "Wasserstein", "covered %", "what to change")
    text = (
        "KS is the two-sample Kolmogorov-Smirnov distance (0 alike, 1 apart), the Wasserstein distance is in the "
        "property's unit, covered is the share of the real values between the lowest and the highest synthetic one."
    )
    return Section("Real against synthetic", text, (Table(head, rows),))


def _order(found: Agreement) -> Section:
    rows = tuple((name, str(real), str(found.synthetic[name])) for name, real in found.real.items())
    text = (
        f"Kendall's tau of both orders is {found.tau} (95 %, whole jobs drawn with replacement): 1 where a detector "
        "that is better on synthetic images is better on real ones too, -1 where all is the other way round."
    )
    caption = "Each detector, with 95 % intervals by job."
    parts = (Table(("detector", "AUROC real", "AUROC synthetic"), rows), Picture(rank_scatter(found), caption))
    return Section("Do detectors rank alike?", text, parts)
