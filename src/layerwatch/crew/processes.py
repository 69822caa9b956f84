"""Processes: some workers on this machine, each given the work once and the items one by one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from threading import Thread
from typing import Any, ClassVar

from threadpoolctl import threadpool_limits

from layerwatch.crew.base import Crew, Work
from layerwatch.records import DataError

_TRIES = 5  # pools, when workers die
_AHEAD = 3  # items handed out beyond one a worker, so that none waits

_work: Work | None = None  # of this worker


@dataclass(frozen=True)
class Processes(Crew):
    """As many processes as workers; they start afresh, so they share nothing with this one but the work."""

    summary: ClassVar[str] = "processes on this machine"
    source: ClassVar[str] = "Python, concurrent.futures"

    workers: int = 0  # 0: one a processor

    def each(self, work: Work, items: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """See Crew.

        Raises:
            DataError: workers die again and again.
        """
        left = dict.fromkeys(items)
        for tries_left in reversed(range(_TRIES)):
            try:
                for item, result in self._some(work, list(left)):
                    del left[item]
                    yield item, result
                return
            except BrokenProcessPool:
                if not tries_left:
                    raise DataError(
                        f"workers died in each of {_TRIES} tries, {len(left)} items are left, for example "
                        f"{next(iter(left))}; give fewer --workers, so that each has more memory"
                    ) from None

    def _some(self, work: Work, items: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """Results as long as no worker dies."""
        count = min(self.workers or os.cpu_count() or 1, max(len(items), 1))
        pool = ProcessPoolExecutor(count, get_context("spawn"), _begin, (work,))
        waiting, running = list(reversed(items)), dict[Future[Any], str]()
        try:
            while waiting or running:
                while waiting and len(running) < count + _AHEAD:
                    item = waiting.pop()
                    running[pool.submit(_do, item)] = item
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield running.pop(future), future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _begin(work: Work) -> None:
    """In each worker: keep the work, leave Ctrl-C to the parent, which lets whole items end, and end with it."""
    global _work  # a worker's only state
    _work = work
    threadpool_limits(1)  # the workers are the parallelism; threads below them would fight for the processors
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that was killed cannot stop its workers, so they watch the pipe that breaks with it."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _do(item: str) -> Any:
    if _work is None:
        raise RuntimeError("a worker without work")
    return _work(item)
