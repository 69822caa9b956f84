"""A job in the journal of a service -> its build report as PDF, HTML, CSV, JSON or HDF5, by the ending of the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from layerwatch.evaluation.report import html
from layerwatch.images.optional import optional
from layerwatch.images.writing import check_result, write_file
from layerwatch.inspection.job_end import Bed
from layerwatch.inspection.journal.job_record import JobRecord, job_record
from layerwatch.journeys.reporting.document import Document, Pictures, document_of
from layerwatch.journeys.reporting.evidence import states_of_files
from layerwatch.journeys.reporting.facts import HASH, Facts, facts_of
from layerwatch.journeys.reporting.peregrine import write_peregrine
from layerwatch.journeys.reporting.pictures import course_pictures, defect_pictures, place_pictures
from layerwatch.journeys.reporting.surroundings import Surroundings, surroundings
from layerwatch.journeys.reporting.tables import as_csv, as_json
from layerwatch.journeys.serve import known_url, looked_into
from layerwatch.records import UsageError, counted

ENDINGS = (".pdf", ".html", ".csv", ".json", ".h5", ".hdf5")


@dataclass(frozen=True)
class Reported:
    """What was written."""

    path: Path
    sha256: str  # of the facts
    text: str  # for whoever called


@dataclass(frozen=True, eq=False)
class _Found:
    """All that a form is made from."""

    record: JobRecord
    facts: Facts
    bed: Bed | None
    files: tuple[str, ...]
    known: Surroundings

    def document(self) -> Document:
        """The report with its pictures."""
        bar, score = course_pictures(self.facts)
        defects = defect_pictures(self.facts, self.record, self.bed, self.known.folder)
        pictures = Pictures(bar, score, place_pictures(self.facts, self.bed), defects)
        return document_of(self.facts, self.files, pictures)


def build_report(
    job: str, out: Path, *, data: Path | None = None, site: Path | None = None, printer: str = ""
) -> Reported:
    """Write the report of a job; the same journal and files give the same bytes.

    Args:
        job: its name in the journal.
        out: file to write; its ending says the form.
        data: folder of the service; default: ``layerwatch-data``, or that of ``site``.
        site: file that names data folder and database, and for each printer span, plans and model.
        printer: that printed the job; needed where several have one of that name.

    Raises:
        UsageError: no such job (the message lists those there are), no service has run there, no such form, a package
            is missing, or ``out`` cannot be written.
        DataError: the journal cannot be read, or the form has nothing to carry.
    """
    ending = out.suffix.lower()
    if ending not in ENDINGS:
        raise UsageError(f"{out}: no form ends in {ending!r}; give a file that ends in {', '.join(ENDINGS)}")
    check_result(out, [])
    place = surroundings(data, site, printer)
    known_url(place.folder, place.database)
    if ending == ".pdf":
        optional("reportlab", "report", "a report as PDF")
    with looked_into(place.folder, place.database) as journal:
        record = job_record(journal, job, printer)
    known = surroundings(data, site, record.printer)
    facts, bed = facts_of(record, known)
    found = _Found(record, facts, bed, states_of_files(record, known.folder), known)
    note = _written(found, ending, out)
    bad = [word for word in found.files if word in {"changed", "gone"}]
    notes = [note, f"{counted(len(bad), 'frame')} changed or gone since receipt" if bad else ""]
    return Reported(out, facts[HASH], "; ".join([f"{out}: facts {facts[HASH]}", *filter(None, notes)]))


def _written(found: _Found, ending: str, out: Path) -> str:
    """Write one form; returns what a person should know of it."""
    if ending in {".h5", ".hdf5"}:
        done = write_peregrine(found.record, found.facts, found.known, out)
        left = f", {len(done.left_out)} left out ({done.left_out[0]})" if done.left_out else ""
        return f"{counted(done.layers, 'layer')}{left}"
    forms: dict[str, Callable[[], bytes]] = {
        ".pdf": lambda: _pdf(found.document()),
        ".html": lambda: _html(found.document()),
        ".csv": lambda: as_csv(found.facts, found.files),
        ".json": lambda: as_json(found.facts, found.files),
    }
    write_file(out, forms[ending]())
    return ""


def _pdf(document: Document) -> bytes:
    from layerwatch.evaluation.pdf import pdf  # needs a package that the other forms do not

    return pdf(document.title, document.lead, document.cards, document.sections, document.foot)


def _html(document: Document) -> bytes:
    return html(document.title, document.lead, document.cards, document.sections)
