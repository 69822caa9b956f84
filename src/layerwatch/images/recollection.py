"""A frame and what was said of it -> what the gate remembers of the job, so that one mistake does not breed others.

Two mistakes are possible. A fault that is missed would become what the next frames are compared with; so a sound frame
that is unusual is no reference, unless several in a row are. A sound frame that is refused, because the reference is
a missed fault or the world has changed, would have the next ones refused as well; so a frame that is refused is held
against sound frames before the reference, and against the frame that was refused before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from layerwatch.images.gate.base import Past, Seen
from layerwatch.records import Fault

DOUBT = 4.0  # orders of magnitude of a sound frame's most unusual number, from which on it is no reference
MILD = 7.0  # the same, up to which a frame that agrees with it shows that the world has changed
AGREES = 2.5  # the same, below which a frame agrees with another one
CLOSER = 0.8  # of a frame's distance to the reference, below which it is closer to another frame
MORE_ALIKE = 0.1  # correlation of its shapes, by which it is more alike, which does as well
HINT = 2.0  # orders of magnitude of the last fault's numbers, from which on a frame that is like that one has it, too
CLEAR = 0.5  # orders of magnitude, by which they are less beside that frame
_DOUBTS = 4  # such frames in a row after which the next one is
_EARLIER = 6  # sound frames that are remembered besides the reference
_DIGESTS, _LAYERS = 8, 1000  # frames and layers of a job


def in_other_lights(seen: Seen) -> Iterator[Seen]:
    """The same frame against the one before it, if that was only somewhat unusual, and against earlier sound frames."""
    earlier = seen.past.earlier
    if (doubted := seen.past.doubted) is not None:
        yield seen.against(replace(seen.past, before=doubted))
    for number in sorted({len(earlier) - 1, 0} if earlier else (), reverse=True):
        yield seen.against(replace(seen.past, before=earlier[number], earlier=earlier[:number]))


def is_closer(other: Seen, seen: Seen) -> bool:
    """Whether a frame is closer to another frame than to the reference, which must be what is wrong then."""
    if other.change is None or seen.change is None:
        return False
    return other.change.apart < CLOSER * seen.change.apart or other.change.alike > seen.change.alike + MORE_ALIKE


def beside_refused(seen: Seen) -> Seen | None:
    """The same frame against the one refused before it."""
    last = seen.past.refused
    return None if last is None else seen.against(replace(seen.past, before=last, earlier=()))


def after(seen: Seen, fault: Fault | None, unusual: float, alike: int = 1) -> Past:
    """What is remembered once a frame has come.

    Args:
        seen: the frame, with the past in whose light it was judged.
        fault: of it.
        unusual: orders of magnitude of its most unusual number; 0 where the part's outlines moved, which is no doubt.
        alike: frames in a row, this one the last, with that fault and alike one another.
    """
    past, shot = seen.past, seen.shot
    came = {layer for layer in past.came if layer > shot.layer - _LAYERS} | {shot.layer}
    seen_now = replace(
        past,
        clock=past.clock.after(shot.layer, shot.time),
        came=frozenset(came),
        digests=(*past.digests, (seen.now.digest, shot.layer))[-_DIGESTS:],
    )
    if fault is not None:
        goes_on = fault.kind == past.fault
        first = past.first if goes_on else shot.layer
        return replace(seen_now, fault=fault.kind, first=first, refused=seen.now, alike=alike, doubted=None)
    told = replace(seen_now, fault="", first=None, refused=None, alike=0, doubted=None)
    if past.before is not None and unusual >= DOUBT and past.doubts < _DOUBTS:
        return replace(told, doubts=past.doubts + 1, doubted=seen.now if unusual <= MILD else None)
    earlier = (*past.earlier, *([past.before] if past.before else []))[-_EARLIER:]
    return replace(told, before=seen.now, earlier=earlier, doubts=0)
