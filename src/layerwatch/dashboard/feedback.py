"""What people say of verdicts -> labels, kept as lines of the audit in the journal, and back."""

from __future__ import annotations

from typing import Any

from layerwatch.dashboard.desk import Desk, NotThereError
from layerwatch.dashboard.shapes import Feedback
from layerwatch.inspection.journal.overview import audits_of, layer_of_job
from layerwatch.inspection.messages import Message, plain

EVENT = "label"
_KEPT = ("layer", "x", "y", "label", "class", "comment")


def keep(desk: Desk, said: Feedback, who: str) -> int:
    """Keep a label; returns the number of its message.

    Raises:
        NotThereError: no such layer.
        StorageError: the journal cannot be written.
    """
    if layer_of_job(desk.journal, said.printer, said.job, said.layer) is None:
        raise NotThereError(f"no layer {said.layer} of the job {said.job!r} of {said.printer!r}")
    body = said.model_dump(exclude={"printer", "job", "kind"}) | {"class": said.kind}
    what = f"{said.printer}/{said.job}/{said.layer}"
    audit = {"event": EVENT, "who": who, "what": what, "text": f"{who}: layer {said.layer} is {said.label}"}
    return desk.journal.say([Message("audit", {**body, **audit}, said.printer, said.job)])[0]


def labels(desk: Desk, printer: str, job: str) -> list[dict[str, Any]]:
    """The labels of a job, in order."""
    found = [one for one in audits_of(desk.journal, printer, job) if one.body.get("event") == EVENT]
    return [
        {
            **{("kind" if key == "class" else key): plain(one.body.get(key)) for key in _KEPT},
            "number": one.number,
            "time": one.time,
            "by": one.body.get("who", ""),
        }
        for one in found
    ]
