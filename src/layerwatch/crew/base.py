"""A piece of work and many items -> every result, whoever does it: the same results whatever the crew."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

Work = Callable[[str], Any]  # must not depend on other items; picklable where workers are processes


class Crew(ABC):
    """Who does the work. Settings are dataclass fields."""

    summary: ClassVar[str]
    source: ClassVar[str]

    @abstractmethod
    def each(self, work: Work, items: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """Every item once with its result, in whatever order they are done.

        An error of the work itself is raised at once; a worker that dies costs the items that it held, which are done
        again.
        """
