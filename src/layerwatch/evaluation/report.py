"""Titles, sentences, tables and figures -> one HTML file that opens without a network; everything is escaped."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_STYLE = """
:root { --ink: #1c1c1c; --soft: #595959; --line: #dcdcdc; --paper: #ffffff; --tint: #f5f6f8; --mark: #0b5c8f; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececec; --soft: #b4b4b4; --line: #444; --paper: #17181a; --tint: #222427; --mark: #7cc4ee; }
  img { background: #fff; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, "DejaVu Sans", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 24px 64px; }
h1 { font-size: 28px; margin: 0 0 4px; } h2 { font-size: 20px; margin: 44px 0 6px; }
p { max-width: 86ch; margin: 6px 0 12px; } .lead { color: var(--soft); }
nav { display: flex; flex-wrap: wrap; gap: 6px 18px; padding: 10px 0; border-bottom: 1px solid var(--line); }
a { color: var(--mark); } img { max-width: 100%; height: auto; border-radius: 4px; display: block; }
figure { margin: 14px 0; } figcaption { color: var(--soft); font-size: 14px; margin-top: 6px; max-width: 96ch; }
.cards { display: flex; flex-wrap: wrap; gap: 12px; margin: 18px 0; }
.card { background: var(--tint); border: 1px solid var(--line); border-radius: 6px; padding: 12px 16px;
  flex: 1 1 200px; }
.card b { display: block; font-size: 24px; } .card span { color: var(--soft); font-size: 14px; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 14px; margin: 10px 0; }
th, td { padding: 5px 12px; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
th { background: var(--tint); } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
td.shade { color: #111; }
"""


@dataclass(frozen=True)
class Card:
    """One figure to be seen first."""

    value: str
    said: str


@dataclass(frozen=True)
class Picture:
    """A figure with its caption."""

    png: bytes
    caption: str


@dataclass(frozen=True)
class Table:
    """Rows of text; numbers in the columns named in ``shaded`` are backed by a colour from 0.5 (pale) to 1 (blue)."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    shaded: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A headed part of the report."""

    title: str
    text: str
    parts: tuple[Picture | Table, ...] = ()


def html(title: str, lead: str, cards: Sequence[Card], sections: Sequence[Section]) -> bytes:
    """The whole report as one file."""
    links = "".join(f'<a href="#s{i}">{escape(s.title)}</a>' for i, s in enumerate(sections))
    shown = "".join(f'<div class="card"><b>{escape(c.value)}</b><span>{escape(c.said)}</span></div>' for c in cards)
    body = "".join(_section(i, section) for i, section in enumerate(sections))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f'<body><main><h1>{escape(title)}</h1><p class="lead">{escape(lead)}</p><nav>{links}</nav>'
        f'<div class="cards">{shown}</div>{body}</main></body></html>\n'
    ).encode()


def _section(number: int, section: Section) -> str:
    parts = "".join(_picture(part) if isinstance(part, Picture) else _table(part) for part in section.parts)
    return f'<section id="s{number}"><h2>{escape(section.title)}</h2><p>{escape(section.text)}</p>{parts}</section>'


def _picture(picture: Picture) -> str:
    data, said = base64.b64encode(picture.png).decode(), escape(picture.caption)
    return f'<figure><img alt="{said}" src="data:image/png;base64,{data}"><figcaption>{said}</figcaption></figure>'


def _table(table: Table) -> str:
    numeric = [_is_numeric([row[i] for row in table.rows]) for i in range(len(table.head))]
    head = "".join(f"<th{_class(n)}>{escape(name)}</th>" for name, n in zip(table.head, numeric, strict=True))
    rows = "".join(f"<tr>{_cells(table, row, numeric)}</tr>" for row in table.rows)
    caption = f"<figcaption>{escape(table.caption)}</figcaption>" if table.caption else ""
    return (
        f'<figure><div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        f"{caption}</figure>"
    )


def _cells(table: Table, row: Sequence[str], numeric: Sequence[bool]) -> str:
    return "".join(
        f"<td{_class(n, _shade(text) if name in table.shaded else '')}>{escape(text)}</td>"
        for name, text, n in zip(table.head, row, numeric, strict=True)
    )


def _class(is_number: bool, shade: str = "") -> str:
    names = " ".join(name for name, wanted in (("n", is_number), ("shade", bool(shade))) if wanted)
    return (f' class="{names}"' if names else "") + (f' style="background:{shade}"' if shade else "")


def _shade(text: str) -> str:
    """Pale at one half, blue at one; nothing for what is no number."""
    try:
        share = min(max((float(text) - 0.5) * 2, 0.0), 1.0)
    except ValueError:
        return ""
    r, g, b = (round(247 + share * (end - 247)) for end in (107, 174, 214))
    return f"rgb({r},{g},{b})"


def _is_numeric(texts: Sequence[str]) -> bool:
    return all(not text or text[0].isdigit() or text[0] in "-." for text in texts)
