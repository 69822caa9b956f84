"""The facts of a job and its pictures -> the sections of its report, the same for HTML and PDF."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from layerwatch.evaluation.report import Card, Picture, Section, Table
from layerwatch.journeys.reporting.facts import HASH, Facts
from layerwatch.journeys.reporting.pictures import MOST
from layerwatch.records import counted

_DIGITS = 12  # of a SHA-256 in a cramped place


@dataclass(frozen=True)
class Pictures:
    """All pictures of a report."""

    bar: tuple[Picture, ...] = ()
    score: tuple[Picture, ...] = ()
    places: tuple[Picture, ...] = ()
    defects: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class Document:
    """What is written as HTML or PDF."""

    title: str
    lead: str
    cards: tuple[Card, ...]
    sections: tuple[Section, ...]
    foot: str


def document_of(facts: Facts, files: Sequence[str], pictures: Pictures) -> Document:
    """The report.

    Args:
        facts: of the job.
        files: for each frame what has become of its file.
        pictures: drawn from the same.
    """
    job = shown(facts["job"]) or "without a name"
    lead = f"Printer {shown(facts['printer'])}; {_times(facts)}. SHA-256 of the facts: {facts[HASH]}"
    sections = (
        Section("Layers", "Each layer is OK, minor, critical, or cannot be judged.", pictures.bar),
        Section("Score", "Above the line a layer is NOK.", pictures.score),
        _defects(facts, pictures),
        _faults(facts),
        _alarms(facts),
        _cores(facts),
        _models(facts),
        _audit(facts),
        _evidence(facts, files),
    )
    foot = f"job {job[:40]}, facts {facts[HASH][:_DIGITS]}"
    return Document(f"Build report of job {job}", lead, _cards(facts), sections, foot)


def shown(text: Any) -> str:
    """Text from outside as it can be shown: control characters and halves of characters are spelled out."""
    whole = str(text).encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in whole)


def _times(facts: Facts) -> str:
    end = f"ended {_time(facts['ended'])}" if facts["ended"] else f"not ended, last frame {_time(facts['last_frame'])}"
    return f"began {_time(facts['began'])}, {end}"


def _time(text: str | None) -> str:
    return "" if text is None else f"{text[:10]} {text[11:19]} UTC"


def _cards(facts: Facts) -> tuple[Card, ...]:
    count = facts["counts"]
    words = f"{count['layers OK']} OK, {count['layers NOK']} NOK, {count['layers FAULT']} FAULT"
    cores = f"{count['cores OK']} OK, {count['cores NOK']} NOK, {count['cores not judged']} not judged"
    end = _time(facts["ended"]) or "running"
    return (
        Card(shown(facts["printer"]), "printer"),
        Card(_time(facts["began"])[:16], "began, UTC"),
        Card(end[:16], "ended, UTC"),
        Card(str(count["layers"]), f"layers: {words}"),
        Card(str(count["defects"]), "defects (places)"),
        Card(str(count["alarms"]), f"alarms, {count['alarms open']} still open"),
        Card(str(len(facts["cores"])), f"cores: {cores}"),
        Card(str(count["cannot be judged"]), "layers that cannot be judged"),
    )


def _defects(facts: Facts, pictures: Pictures) -> Section:
    unit = facts["unit"] or "detector's unit"
    first = ("defect", "level", "core", "x mm", "y mm", "layers", "height mm", "across mm", "area mm2", "volume mm3")
    head = (*first, f"peak {unit}", "to edge mm", "worst layer")
    rows = tuple(
        (
            one["name"],
            one["level"],
            "bed" if one["part"] == 0 else str(one["part"]),
            *(_fixed(one[key], 1) for key in ("x", "y")),
            _span(one["first_layer"], one["last_layer"]),
            _fixed(one["height"], 2),
            *(_fixed(one[key], 1) for key in ("extent", "area", "volume")),
            _signed(one["amplitude"]),
            _fixed(one["edge"], 1),
            str(one.get("worst_layer", "")),
        )
        for one in facts["defects"]
    )
    if not rows:
        return Section("Defects", "No alarm of a defect was raised.")
    told = (
        "Every place of every defect alarm; x and y from the corner of the camera's view, height through all layers. "
    )
    told += "Peak: the strongest deviation. The level is that of its alarm, which may hold several places."
    if len(rows) > MOST:
        told += f" The {MOST} largest are shown as pictures."
    if len(pictures.defects) < min(len(rows), MOST):
        told += " Where there is no picture, frame and heat map are not kept any more."
    return Section("Defects", told, (Table(head, rows), *pictures.places, *pictures.defects))


def _faults(facts: Facts) -> Section:
    rows = tuple(
        (_span(one["first_layer"], one["last_layer"]), str(one["frames"]), one["fault"], shown(one["text"]))
        for one in facts["faults"]
    )
    told = "Layers that could not be judged, with the reason of the first." if rows else "Every frame could be judged."
    return Section("Faults", told, _table(("layers", "frames", "fault", "reason"), rows))


def _alarms(facts: Facts) -> Section:
    rows = tuple(
        (
            shown(one["name"]),
            one["level"],
            _state(one),
            str(one["raised_layer"] if one["raised_layer"] is not None else ""),
            _fixed(one["score"], 2),
            shown(one["text"]),
        )
        for one in facts["alarms"]
    )
    told = "As they stand in the journal." if rows else "None."
    return Section("Alarms", told, _table(("alarm", "level", "state", "raised on", "highest score", "what"), rows))


def _state(one: Facts) -> str:
    state, by = one["state"], shown(one["state"].get("by", ""))
    return f"{state['state']}" + (f" by {by}" if by else "")


def _cores(facts: Facts) -> Section:
    rows = tuple(
        (
            str(one["part"]),
            one["word"],
            str(one["layers"]),
            str(one["unjudged"]),
            one["worst"],
            _span(one["first_layer"], one["last_layer"]) if one["first_layer"] >= 0 else "",
            _fixed(one["x"], 1),
            _fixed(one["y"], 1),
        )
        for one in facts["cores"]
    )
    head = ("core", "verdict", "layers", "not judged", "worst defect", "on layers", "x mm", "y mm")
    told = "Each part instance of the plans." if rows else "No plan is known, so cores cannot be told apart."
    return Section("Cores", told, _table(head, rows))


def _models(facts: Facts) -> Section:
    rows = tuple(
        (
            one["model"],
            _fixed(one["threshold"], 4),
            _span(one["first_layer"], one["last_layer"]),
            str(one["frames"]),
            one["weights_sha256"] or f"{one['told'].rpartition('@')[2]}... (the model is not here any more)",
        )
        for one in facts["models"]
    )
    smallest = sorted({one["smallest"] for one in facts["models"] if one["smallest"]})
    if smallest:
        told = f"By its commissioning it {'; it '.join(map(shown, smallest))}."
    else:
        told = "The smallest defect that is found is not known; `layerwatch commission` tells it."
    told = f"What judged, and the line above which a layer is NOK. {told}" if rows else "No layer was judged."
    return Section("Model and threshold", told, _table(("model", "line", "layers", "frames", "SHA-256"), rows))


def _audit(facts: Facts) -> Section:
    rows = tuple(
        (_time(one["time"]), shown(one.get("who") or one.get("by") or ""), shown(one.get("text") or one.get("event")))
        for one in facts["audit"]
    )
    told = "Changes to alarms of the job, and to the printer's model before its end." if rows else "None."
    return Section("What people did", told, _table(("time", "who", "what"), rows))


def _evidence(facts: Facts, files: Sequence[str]) -> Section:
    rows = tuple(
        (_layer(one), one["word"] or "waits", _fixed(one["score"], 3), one["frame_sha256"], state, shown(one["frame"]))
        for one, state in zip(facts["layers"], files, strict=True)
    )
    states = ", ".join(f"{list(files).count(word)} {word}" for word in dict.fromkeys(files))
    told = (
        f"{counted(len(rows), 'frame')}: {states}. Intact: the file's SHA-256 is that at its receipt. The SHA-256 of "
        f"all facts in this report is {facts[HASH]}; docs/report.md tells how to recompute it from the form .json."
    )
    return Section("Evidence", told, _table(("layer", "verdict", "score", "SHA-256", "file", "name"), rows))


def _layer(one: Facts) -> str:
    told = str(one["layer"]) if one["layer"] >= 0 else "unknown"
    return " ".join(filter(None, (told, shown(one["phase"]), shown(one["shot"]))))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> tuple[Table, ...]:
    found = tuple(rows)
    return (Table(head, found),) if found else ()


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first} to {last}"


def _fixed(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+.1f}"
