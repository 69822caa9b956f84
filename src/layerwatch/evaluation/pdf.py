"""Titles, sentences, tables and figures -> the pages of a PDF; the same in, the same bytes out; nothing is markup."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import matplotlib
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import registerFont, stringWidth
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import CondPageBreak, Flowable, Image, KeepTogether, Paragraph, SimpleDocTemplate, Spacer
from reportlab.platypus import Table as Grid

from layerwatch.evaluation.report import Card, Picture, Section, Table

_MARGIN = 42.0  # points, as all lengths here
_WIDE = A4[0] - 2 * _MARGIN - 12  # what a page's frame leaves
_HIGH = A4[1] - 2 * _MARGIN - 120  # of a picture at most, so that its caption stays with it
_PAD = 3.0
_NARROW = 30.0  # a column at least
_PER_ROW = 4  # cards
_BEGUN = 90.0  # room that the head of a table needs with its first rows
_INK, _SOFT, _LINE, _TINT = (HexColor(shade) for shade in ("#1c1c1c", "#595959", "#dcdcdc", "#f5f6f8"))


def pdf(title: str, lead: str, cards: Sequence[Card], sections: Sequence[Section], foot: str = "") -> bytes:
    """The whole report; characters that the font (DejaVu Sans) lacks are shown as empty boxes.

    Args:
        title: of the document, on the first page and in its properties.
        lead: a sentence below.
        cards: figures to be seen first.
        sections: with their tables and pictures.
        foot: on every page, beside its number.
    """
    _fonts()
    file = io.BytesIO()
    margins = {f"{side}Margin": _MARGIN for side in ("left", "right", "top", "bottom")}
    document = SimpleDocTemplate(file, pagesize=A4, invariant=1, title=title, author="layerwatch", **margins)
    story: list[Flowable] = [_text(title, 17, bold=True, after=3), _text(lead, 9, soft=True, after=8)]
    story += [_cards(cards), Spacer(0, 4)] if cards else []
    for section in sections:
        story += _section(section)

    def page(canvas: Any, _: Any) -> None:
        canvas.setFont("DejaVu", 7)
        canvas.setFillColor(_SOFT)
        canvas.drawString(_MARGIN, 24, foot)
        canvas.drawRightString(A4[0] - _MARGIN, 24, f"page {canvas.getPageNumber()}")

    document.build(story, onFirstPage=page, onLaterPages=page)
    return file.getvalue()


@cache
def _fonts() -> None:
    """The family that comes with matplotlib: it knows Latin, Greek and Cyrillic."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name, file in (("DejaVu", "DejaVuSans.ttf"), ("DejaVu-Bold", "DejaVuSans-Bold.ttf")):
        registerFont(TTFont(name, str(folder / file)))


def _section(section: Section) -> list[Flowable]:
    head: list[Flowable] = [Spacer(0, 8), _text(section.title, 12, bold=True, after=3)]
    head += [_text(section.text, 8.5, after=5)] if section.text else []
    parts = [_picture(part) if isinstance(part, Picture) else _table(part) for part in section.parts]
    if section.parts and isinstance(section.parts[0], Picture):
        together: list[Flowable] = [KeepTogether([*head, *parts.pop(0)])]
    else:
        together = [CondPageBreak(_BEGUN), *head]
    for part, shown in zip(section.parts[len(section.parts) - len(parts) :], parts, strict=True):
        together += [KeepTogether(shown)] if isinstance(part, Picture) else shown
    return together


def _picture(picture: Picture) -> list[Flowable]:
    width, height = ImageReader(io.BytesIO(picture.png)).getSize()
    scale = min(_WIDE / width, _HIGH / height)
    shown = Image(io.BytesIO(picture.png), width * scale, height * scale)
    return [shown, _text(picture.caption, 8, soft=True, after=8)]


def _table(table: Table) -> list[Flowable]:
    widths = _widths(table)
    size = 7.0 if sum(_natural(table, 7.0)) <= 1.4 * _WIDE else 6.2
    head = [_text(name, size, bold=True) for name in table.head]
    rows = [[_cell(text, size, width) for text, width in zip(row, widths, strict=True)] for row in table.rows]
    style = [
        ("BACKGROUND", (0, 0), (-1, 0), _TINT),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("FONT", (0, 0), (-1, -1), "DejaVu", size, size + 2),
        ("TEXTCOLOR", (0, 0), (-1, -1), _INK),
        *((f"{side}PADDING", (0, 0), (-1, -1), _PAD) for side in ("LEFT", "RIGHT")),
        *((f"{side}PADDING", (0, 0), (-1, -1), 2) for side in ("TOP", "BOTTOM")),
    ]
    grid = Grid([head, *rows], colWidths=widths, repeatRows=1, style=style, hAlign="LEFT")
    caption = [_text(table.caption, 8, soft=True, after=6)] if table.caption else []
    return [grid, Spacer(0, 4), *caption]


def _natural(table: Table, size: float) -> list[float]:
    """How wide each column would like to be."""
    columns = list(zip(table.head, *table.rows, strict=True))
    own = [max(stringWidth(text, "DejaVu", size) for text in texts) for texts in columns]
    heads = [stringWidth(name, "DejaVu-Bold", size) for name in table.head]
    return [max(pair) + 2 * _PAD + 1 for pair in zip(own, heads, strict=True)]


def _widths(table: Table) -> list[float]:
    """As wide as it likes where all fit; else wide columns share what narrow ones leave."""
    wanted = _natural(table, 7.0)
    fixed: dict[int, float] = {}
    while True:
        free = [i for i in range(len(wanted)) if i not in fixed]
        share = (_WIDE - sum(fixed.values())) / max(len(free), 1)
        small = {i: wanted[i] for i in free if wanted[i] <= share}
        if not small:
            return [fixed.get(i, max(share, _NARROW)) for i in range(len(wanted))]
        fixed |= small


def _cell(text: str, size: float, width: float) -> Any:
    """Short text as it is; what does not fit is broken into lines."""
    return text if stringWidth(text, "DejaVu", size) <= width - 2 * _PAD else _text(text, size)


def _cards(cards: Sequence[Card]) -> Flowable:
    cells = [[_text(card.value, 11, bold=True, after=1), _text(card.said, 7.5, soft=True)] for card in cards]
    rows = [cells[start : start + _PER_ROW] for start in range(0, len(cells), _PER_ROW)]
    rows[-1] += [[] for _ in range(_PER_ROW - len(rows[-1]))]
    style = [
        ("BOX", (0, 0), (-1, -1), 0.6, _LINE),
        ("INNERGRID", (0, 0), (-1, -1), 0.6, _LINE),
        ("BACKGROUND", (0, 0), (-1, -1), _TINT),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
    return Grid(rows, colWidths=[_WIDE / _PER_ROW] * _PER_ROW, style=style)


def _text(text: str, size: float, *, bold: bool = False, soft: bool = False, after: float = 0.0) -> Paragraph:
    """A paragraph in which nothing is markup."""
    style = ParagraphStyle(
        "text",
        fontName="DejaVu-Bold" if bold else "DejaVu",
        fontSize=size,
        leading=size * 1.3,
        textColor=_SOFT if soft else _INK,
        spaceAfter=after,
        splitLongWords=1,
    )
    return Paragraph(escape(text, quote=False), style)
