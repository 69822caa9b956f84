"""Numbers of layers -> spans of neighbouring ones, short to store, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


def united(spans: Sequence[Sequence[int]], layers: Iterable[int]) -> list[list[int]]:
    """The spans, each first and last, with further layers in them."""
    found: list[list[int]] = []
    for first, last in sorted([*((one[0], one[1]) for one in spans), *((layer, layer) for layer in layers)]):
        if found and first <= found[-1][1] + 1:
            found[-1][1] = max(found[-1][1], last)
        else:
            found.append([first, last])
    return found


def layers_of(spans: Iterable[Sequence[int]]) -> Iterator[int]:
    """Every layer, rising."""
    for first, last in spans:
        yield from range(first, last + 1)
