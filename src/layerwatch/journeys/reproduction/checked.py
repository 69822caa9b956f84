"""Every statement of sections 5.1 and 5.2 -> claims.csv: the paper's figures, ours, and whether it holds."""

from __future__ import annotations

from functools import partial
from typing import Any

from layerwatch import catalogue
from layerwatch.journeys.reproduction.claims.base import Claim
from layerwatch.journeys.reproduction.judged import OPEN
from layerwatch.journeys.reproduction.shown import Shown
from layerwatch.journeys.reproduction.workshop import Workshop
from layerwatch.journeys.reproduction.writing import markdown, write_csv

SHELF = "journeys.reproduction.claims"


def claims(shop: Workshop, shown: Shown, *, costly: bool) -> None:
    """claims.csv; statements that take trainings of their own are not run where ``costly`` is false."""
    names, rows = catalogue.names(SHELF), list[dict[str, Any]]()
    for number, name in enumerate(names):
        claim: Claim = catalogue.load(SHELF, name)()
        row: dict[str, Any] = {"claim": claim.summary, "paper": claim.paper, "ours": _NOT_RUN, "holds": OPEN}
        if costly or not claim.costly:
            code = type(claim).__module__
            row |= shop.remembered(f"claim-{name}", partial(_checked, claim, shop), written_in=code)
        rows.append({**row, "where": claim.source})
        shop.progress("claims", number + 1, len(names))
    write_csv(shown.folder / "claims.csv", rows)
    shown.say("Claims", _WORDS, markdown(rows))
    shown.tell("claims", {row["claim"]: row["holds"] for row in rows})


def _checked(claim: Claim, shop: Workshop) -> dict[str, str]:
    found = claim.check(shop)
    return {"ours": found.ours, "holds": found.holds}


_NOT_RUN = "not run: it takes trainings of its own (--costly)"
_WORDS = (
    "Statements of the paper, each checked on our own data with a rule that stands in its file. *No* says that it does "
    "not hold on these layers with these networks, not that it was wrong on the paper's. *Cannot be judged*: all that "
    "is compared is at chance, a difference is within its interval, or the check was not run."
)
