"""What the service said of its printers, message by message -> what is wrong with each now."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

from layerwatch.inspection.journal.journal import Journal


@dataclass(eq=False)
class Troubles:
    """Follows the journal; what was read is not read again."""

    journal: Journal
    _after: int = 0
    _found: dict[str, dict[str, str]] = field(default_factory=dict)  # by printer and stage
    _lock: Lock = field(default_factory=Lock)

    def now(self) -> dict[str, dict[str, str]]:
        """Texts by printer and stage; the printer "" is the service itself."""
        with self._lock:
            while told := self.journal.told(self._after, kind="printer"):
                for message in told:
                    own, event = self._found.setdefault(message.printer, {}), message.body.get("event")
                    stage = str(message.body.get("stage", ""))
                    if event in {"online", "offline"}:
                        own.clear()
                    elif event == "trouble":
                        own[stage] = str(message.body.get("text", ""))
                    elif event == "trouble over":
                        own.pop(stage, None)
                self._after = told[-1].number
            return {printer: dict(own) for printer, own in self._found.items()}
