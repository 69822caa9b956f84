"""Ray: the processors of one machine or of a cluster, each given the work once and the items one by one."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from threadpoolctl import threadpool_limits

from layerwatch.crew.base import Crew, Work
from layerwatch.records import DataError, UsageError

_TRIES_AGAIN = 4  # of an item whose worker died
_AHEAD = 3  # items handed out beyond one a processor, so that none waits
_STORE = 80 * 2**20  # bytes; the least that Ray takes: items and results are small
_QUIET = {"include_dashboard": False, "log_to_driver": False, "configure_logging": False}
_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is sent anywhere
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # workers see the processors that this process sees
}


@dataclass(frozen=True)
class Ray(Crew):
    """The cluster that is there (``RAY_ADDRESS``, or ``ray start`` on this machine), else a small one of its own.

    Only what it started is shut down. On several machines every one needs layerwatch and the same folders.
    """

    summary: ClassVar[str] = "Ray, on this machine or on a cluster (needs layerwatch[ray])"
    source: ClassVar[str] = "Moritz et al. 2018, Ray: a distributed framework (OSDI)"

    workers: int = 0  # at the same time; 0: one a processor
    address: str = "auto"  # or HOST:PORT of a cluster

    def each(self, work: Work, items: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """See Crew.

        Raises:
            UsageError: Ray is not installed, or no cluster answers at the address.
            DataError: a worker dies at the same item again and again.
        """
        if not items:
            return
        ray = _ray()
        with _cluster(ray, self.workers, self.address):
            there = max(int(ray.cluster_resources().get("CPU", 1)), 1)
            at_once = self.workers if 0 < self.workers < there else there + _AHEAD
            yield from _results(ray, work, items, at_once)


def _results(ray: Any, work: Work, items: Sequence[str], at_once: int) -> Iterator[tuple[str, Any]]:
    do, work = ray.remote(num_cpus=1, max_retries=_TRIES_AGAIN)(_do), ray.put(work)
    waiting, running = list(reversed(items)), dict[Any, str]()
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                item = waiting.pop()
                running[do.remote(work, item)] = item
            for done in ray.wait(list(running))[0]:
                item = running.pop(done)
                yield item, _result(ray, done, item)
    finally:
        if running:  # they may end, as with processes: cancelling a task that is just done kills this process in Ray 2
            ray.wait(list(running), num_returns=len(running))


def _result(ray: Any, done: Any, item: str) -> Any:
    """What the work gave; its own error, not Ray's wrapping of it."""
    try:
        return ray.get(done)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError):
        raise DataError(
            f"{item}: its worker died {_TRIES_AGAIN + 1} times; give fewer --workers, so that each has more memory"
        ) from None


def _do(work: Work, item: str) -> Any:
    with threadpool_limits(1):  # the workers are the parallelism
        return work(item)


def _ray() -> Any:
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ModuleNotFoundError as error:
        raise UsageError(
            f"--crew ray needs the package {error.name}; install it with `pip install 'layerwatch[ray]'`"
        ) from None
    logging.getLogger("ray").setLevel(logging.ERROR)
    return ray


@contextmanager
def _cluster(ray: Any, workers: int, address: str) -> Iterator[None]:
    """Join what is there, else start a cluster; leave no process and no file of our own behind."""
    if ray.is_initialized():
        yield
        return
    folder = tempfile.mkdtemp(prefix="lw-")  # short, since Ray puts sockets in it
    try:
        _join(ray, workers, address, folder)
        yield
    finally:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def _join(ray: Any, workers: int, address: str, folder: str) -> None:
    try:
        if address != "auto":
            ray.init(address, **_QUIET)
            return
        try:  # Ray looks for a cluster itself, and takes no sizes for one that it finds
            ray.init(num_cpus=workers or os.cpu_count(), object_store_memory=_STORE, _temp_dir=folder, **_QUIET)
        except ValueError:
            ray.init("auto", **_QUIET)
    except (ConnectionError, ValueError) as error:
        raise UsageError(
            f"no Ray cluster answers ({error}); start one with `ray start --head`, set RAY_AUTH_MODE=token if it wants "
            "a token, or unset RAY_ADDRESS"
        ) from None
