"""What a reproduction has to show, as it comes: sections of its page, figures, and what scripts read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from layerwatch.images.writing import write_file


@dataclass(frozen=True)
class Shown:
    """Collects in the order of the stages."""

    folder: Path
    sections: list[str] = field(default_factory=list)  # Markdown
    summary: dict[str, Any] = field(default_factory=dict)

    def say(self, title: str, words: str, table: str = "") -> None:
        """A section of the page."""
        self.sections.append(f"## {title}\n\n{words}\n" + (f"\n{table}" if table else ""))

    def draw(self, title: str, name: str, figure: Mapping[str, bytes], words: str = "") -> None:
        """A picture, in every form that it comes in; the page shows the PNG."""
        for ending, data in figure.items():
            write_file(self.folder / "figures" / f"{name}.{ending}", data)
        self.say(title, f"{words}\n\n![{title}](figures/{name}.png)".strip())

    def tell(self, key: str, value: Any) -> None:
        """Something for summary.json."""
        self.summary[key] = value
