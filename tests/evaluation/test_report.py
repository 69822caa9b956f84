from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
from PIL import Image

from layerwatch.evaluation import figures as draw
from layerwatch.evaluation import score_figures
from layerwatch.evaluation.metrics import Estimate
from layerwatch.evaluation.report import Card, Picture, Section, Table, html
from layerwatch.evaluation.style import png, sheet


def drawn() -> bytes:
    figure, _ = sheet(1, 1, 2.0, 1.0)
    return png(figure)


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [value or "" for key, value in attrs if key in {"src", "href"}]
        if tag not in {"meta", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_report_is_well_formed_and_needs_no_network() -> None:
    table = Table(("name", "value"), (("a", "0.75"), ("b", "")), shaded=("value",))
    page = html("Title", "lead", [Card("1", "one")], [Section("A", "text", (Picture(drawn(), "what"), table))])
    reader = Reader()
    reader.feed(page.decode())
    assert not reader.open
    assert all(source.startswith(("data:image/png;base64,", "#")) for source in reader.sources)


def test_words_from_outside_stay_words() -> None:
    nasty = '<script>alert("x")</script>'
    table = Table((nasty,), ((nasty,),), nasty)
    page = html(nasty, nasty, [Card(nasty, nasty)], [Section(nasty, nasty, (Picture(drawn(), nasty), table))])
    assert b"<script" not in page


def test_the_same_figure_gives_the_same_bytes() -> None:
    rows = {"a": {"shift": Estimate(0.8, 0.7, 0.9), "all": Estimate(0.8, 0.7, 0.9)}}
    assert draw.auroc_bars(rows) == draw.auroc_bars(rows)


def test_figures_show_something() -> None:
    rng = np.random.default_rng(0)
    kinds = ["healthy"] * 40 + ["shift"] * 20
    scores = {"A": rng.lognormal(size=60)}
    pictures = [
        score_figures.histograms(
            dict.fromkeys(("VAE", "A_R", "A", "A_D", "pca", "plan"), scores["A"]), kinds
        ),  # six as in Figure 7
        draw.roc({"A": scores["A"][:40]}, {"A": scores["A"][40:]}),
        draw.timeline(list(range(60)), scores, {"A": 2.0}, [("shift", 40, 59)]),
    ]
    import io

    for picture in pictures:
        pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("L"))
        assert pixels.shape[1] > 1000
        assert 0.001 < (pixels < 128).mean() < 0.5
