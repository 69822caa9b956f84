"""Short trainings with one thing changed -> whether the data or the model moves accuracy more."""

from __future__ import annotations

from typing import Any

from layerwatch.journeys.reproduction.short_runs import Merit, merit, short_network
from layerwatch.journeys.reproduction.shown import Shown
from layerwatch.journeys.reproduction.variants import VARIANTS
from layerwatch.journeys.reproduction.workshop import Workshop
from layerwatch.journeys.reproduction.writing import markdown, write_csv

Row = dict[str, Any]
_UNCLEANED = "0.1-uncleaned"  # a tenth of the frames have a fault


def causes(shop: Workshop, shown: Shown) -> None:
    """causes.csv: fixed network and changed data, fixed data and changed network."""
    base = merit(shop, short_network(shop, "fanogan"))
    rows = [row_of("as it is", "", base, base)]
    for variant in VARIANTS:
        found = merit(shop, short_network(shop, "fanogan", learn=f"learn@{variant}"), f"@{variant}")
        rows.append(row_of("data", variant, found, base))
    found = merit(shop, short_network(shop, "fanogan", learn=f"learn+{_UNCLEANED}"))
    rows.append(row_of("data", "no-cleaning", found, base))
    for change in _model_changes(shop):
        found = merit(shop, short_network(shop, "fanogan", change))
        rows.append(row_of("model", change, found, base))
    write_csv(shown.folder / "causes.csv", rows)
    moved = {kind: max(abs(row["A_D moves"]) for row in rows if row["changed"] == kind) for kind in ("data", "model")}
    shown.say("Is it the data or the model?", _CAUSES, markdown(rows))
    shown.tell("moved_by", moved)


def contaminated(shop: Workshop, shown: Shown) -> None:
    """contaminated.csv: 1, 5 and 10 % of the layers that are learnt from are defective."""
    base = merit(shop, short_network(shop, "fanogan"))
    rows = [row_of("share", "0", base, base)]
    for share in ("0.01", "0.05", "0.1"):
        found = merit(shop, short_network(shop, "fanogan", learn=f"learn+{share}"))
        rows.append(row_of("share", share, found, base))
    write_csv(shown.folder / "contaminated.csv", rows)
    shown.say("Defective layers among the healthy ones", _CONTAMINATED, markdown(rows))


def _model_changes(shop: Workshop) -> tuple[str, ...]:
    """Twice the width, a quarter of z, an encoder trained as long again."""
    settings = shop.protocol.recipe.settings["fanogan"]
    width, z_dim = settings.get("width", 0.25), settings.get("z_dim", 64)
    steps = max(int(settings["encoder_steps"]) // 5, 1)
    return (f"width={2 * width:g}", f"z_dim={max(z_dim // 4, 1)}", f"encoder_steps={3 * steps}", "tanh=true")


def row_of(kind: str, what: str, found: Merit, base: Merit) -> Row:
    """What a training with one thing changed reaches, and how far that is from the one without."""
    areas = {f"AUROC {name}": area.value for name, area in found.auroc.items()}
    moved = {"A_D moves": found.auroc["A_D"].value - base.auroc["A_D"].value}
    return {"changed": kind, "to": what, **areas, "forest on subtracted": found.forest, **moved}


_CAUSES = (
    "A fifth of the recipe's steps, first seed, main severity; each row has one thing taken away or changed, in "
    "training and test alike (no-cleaning: a tenth of the frames learnt have a fault of Type 1). "
    "Severity is a matched filter's, so data that vary less hold fainter defects."
)
_CONTAMINATED = "Such a share of the layers that the networks learn from is defective, of all five kinds."
