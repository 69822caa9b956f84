"""A video stream (MJPEG over HTTP) -> one frame of each layer, its bytes as the stream gave them.

The stream keeps nothing: what passed while it was away is gone, and so is a frame that was chosen but not yet in the
journal when the service crashed. Its layer is then a gap.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import ClassVar, Literal

import httpx
import numpy as np
from jaxtyping import Float32

from layerwatch.images.frame_choice import Choice, Choosing, FrameChooser
from layerwatch.images.grey import as_grey
from layerwatch.images.outside import ReadingChild
from layerwatch.inspection.cameras.base import Camera, Delivery
from layerwatch.inspection.deliveries import UNKNOWN, Identity
from layerwatch.inspection.first_bytes import UNKNOWN_SUFFIX, suffix_of
from layerwatch.inspection.multipart import Parts, boundary_of
from layerwatch.records import DataError, UsageError

_SOONEST, _LATEST = 0.5, 8.0  # s until a stream that is away is tried again
_AGAIN = 2.0  # s until a refused frame is given again
_MOST_WAITING = 64  # chosen frames that nobody could keep yet
_NAMELESS = "a stream names no layer; give the printer a trigger, or the camera a job to count in"

_Reads = Callable[[bytes], Float32[np.ndarray, "h w"]]


@dataclass(eq=False)
class Stream(Camera):
    """Looks at every frame and gives one a layer, numbered by counting or left for a trigger to name."""

    summary: ClassVar[str] = "A video stream of which the right frame of each layer is chosen"
    source: ClassVar[str] = "MJPEG: multipart/x-mixed-replace over HTTP"

    printer: str
    url: str = field(repr=False)  # may hold a password
    username: str = ""
    password: str = field(default="", repr=False)
    login: Literal["basic", "digest"] = "basic"  # how the password is told
    choose: Choosing = field(default_factory=Choosing)
    job: str = ""  # count layers in it, such as "sand-%Y%m%dT%H%M%S", filled with when it began; empty: a trigger names
    new_job_after: float = 3600.0  # s without a layer, after which counting begins anew in another job
    rate: float = 10.0  # frames a second that are looked at, at most
    timeout: float = 10.0  # s without a byte, after which the stream counts as away
    most_bytes: int = 2**24  # of one frame
    _away: str = field(default="", init=False, repr=False)
    _unread: str = field(default="", init=False, repr=False)
    _word: str = field(default="", init=False, repr=False)  # why the last layer has no frame
    _lost: str = field(default="", init=False, repr=False)
    _refused: list[tuple[float, Delivery]] = field(default_factory=list, init=False, repr=False)  # s, when due again

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            UsageError: no HTTP address, or a job that a second start would fill again.
        """
        if httpx.URL(self.url).scheme not in {"http", "https"} or not self._host:
            raise UsageError("url is no http:// or https:// address; give that of the camera's MJPEG stream")
        if self.job and time.strftime(self.job, time.gmtime(0)) == time.strftime(self.job, time.gmtime(90061)):
            hint = 'such as "sand-%Y%m%dT%H%M%S": a restart counts from 0 again'
            raise UsageError(f"job is {self.job!r}; it must hold the time at which it begins, {hint}")
        if self.choose.after == "trigger":
            raise UsageError('choose.after is "trigger", of which no camera hears; give "lamp" or "motion"')
        if self.rate <= 0 or self.timeout <= 0:
            raise UsageError("rate and timeout must be above 0")

    @property
    def trouble(self) -> str:
        """Why the stream is away, why its frames cannot be read, or why the last layer has no frame."""
        return "; ".join(filter(None, (self._away, self._unread, self._word, self._lost)))

    @property
    def _host(self) -> str:
        """Host and port, without what may be secret in the url."""
        return httpx.URL(self.url).netloc.decode("ascii", "replace")

    def deliveries(self, stop: Event) -> Iterator[Delivery]:
        """Chosen frames as their layers come; one that was refused comes again after a while."""
        over, chosen = Event(), Queue[Delivery](_MOST_WAITING)
        self._away = f"{self._host}: not connected yet"
        watcher = _Watcher(self, chosen, over)
        Thread(target=watcher.run, name=f"stream {self.printer}", daemon=True).start()
        try:
            while not stop.is_set():
                for delivery in self._due():
                    yield delivery
                    if stop.is_set():
                        return
                try:
                    delivery = chosen.get(timeout=0.1)
                except Empty:
                    continue
                yield delivery
        finally:
            over.set()

    def _due(self) -> list[Delivery]:
        now = time.monotonic()
        due = [delivery for moment, delivery in self._refused if moment <= now]
        self._refused = [(moment, delivery) for moment, delivery in self._refused if moment > now]
        return due

    def delivery(self, choice: Choice, job: str, layer: int, came: float) -> Delivery:
        """A chosen frame on its way in; ``came`` in s since 1970."""
        moment = datetime.fromtimestamp(came).astimezone().isoformat(timespec="milliseconds")
        delivery = Delivery(
            identity=Identity(self.printer, job, layer),
            data=choice.data,
            suffix=suffix_of(choice.data),
            name=f"{self._host} at {moment}" + (f" ({choice.note})" if choice.note else ""),
            unidentified="" if layer >= 0 else _NAMELESS,
            refuse=lambda reason: self._refuse(delivery),
        )
        return delivery

    def _refuse(self, delivery: Delivery) -> None:
        if len(self._refused) >= _MOST_WAITING:
            self._refused.pop(0)
            self._lost = "frames were lost, because they could not be kept for too long"
        self._refused.append((time.monotonic() + _AGAIN, delivery))


@dataclass(eq=False)
class _Watcher:
    """Reads the stream in a thread of its own, so that a slow journal or a silent camera holds up nobody."""

    camera: Stream
    chosen: Queue[Delivery]
    over: Event
    job: str = ""
    base: int = 0  # layer of the chooser at which the job began
    last: float = float("-inf")  # s, monotonic, of the last layer
    looked: float = float("-inf")  # s, monotonic, at the last frame

    def run(self) -> None:
        """Connect and look, again and again; an error that nobody expected is told and waited out too."""
        chooser, pause = FrameChooser(self.camera.choose), _SOONEST
        with tempfile.TemporaryDirectory(prefix="layerwatch-stream-") as folder, ReadingChild() as child:
            while not self.over.is_set():
                before = self.looked
                try:
                    self._watch(chooser, partial(_pixels, child, Path(folder)))
                    self._say_away("the stream has ended")
                except DataError as error:
                    self._say_away(str(error))
                except httpx.TimeoutException:
                    self._say_away(f"silent for {self.camera.timeout:g} s")
                except httpx.HTTPError as error:
                    self._say_away(f"away ({str(error) or type(error).__name__})")
                except Exception as error:  # anything: the stream is tried again
                    self._say_away(f"{type(error).__name__}: {error}")
                chooser.interrupted()
                pause = _SOONEST if self.looked > before else min(2 * pause, _LATEST)
                self.over.wait(pause)

    def _say_away(self, text: str) -> None:
        self.camera._away = f"{self.camera._host}: {text}"

    def _watch(self, chooser: FrameChooser, pixels: _Reads) -> None:
        """One connection, until it ends.

        Raises:
            DataError: what comes is no such stream.
        """
        camera = self.camera
        auth = httpx.DigestAuth if camera.login == "digest" else httpx.BasicAuth
        login = auth(camera.username, camera.password) if camera.username else None
        with (
            httpx.Client(timeout=camera.timeout, auth=login) as client,
            client.stream("GET", camera.url) as answer,
        ):
            if answer.status_code != 200:
                raise DataError(f"answered {answer.status_code}, not 200")
            parts = Parts(boundary_of(answer.headers.get("content-type", "")), camera.most_bytes)
            for piece in answer.iter_raw():
                for data in parts.feed(piece):
                    self._look(chooser, data, pixels)
                if self.over.is_set() or parts.ended:
                    return

    def _look(self, chooser: FrameChooser, data: bytes, pixels: _Reads) -> None:
        camera, now = self.camera, time.monotonic()
        camera._away = ""
        if now - self.looked < 0.9 / camera.rate:
            return
        self.looked = now
        try:
            grey = pixels(data)
        except DataError as error:
            camera._unread = f"{camera._host}: {error}"
            return
        camera._unread = ""
        choice = chooser.see(grey, now, data)
        if choice is not None:
            self._tell(choice, now)

    def _tell(self, choice: Choice, now: float) -> None:
        """Hand a layer's frame over, or say why it has none."""
        camera = self.camera
        if camera.job and (not self.job or now - self.last > camera.new_job_after):
            self.job, self.base = time.strftime(camera.job, time.gmtime()), choice.layer
        self.last = now
        layer = choice.layer - self.base if camera.job else UNKNOWN
        if choice.time is None:
            camera._word = f"layer {layer}: {choice.note}" if camera.job else choice.note
            return
        camera._word = ""
        delivery = camera.delivery(choice, self.job, layer, time.time() - (now - choice.time))
        while not self.over.is_set():
            try:
                self.chosen.put(delivery, timeout=0.1)
            except Full:
                continue
            return


def _pixels(child: ReadingChild, folder: Path, data: bytes) -> Float32[np.ndarray, "h w"]:
    """Grey in [0, 1] of a frame's bytes, decoded outside of this process.

    Raises:
        DataError: they are no picture that can be read.
    """
    suffix = suffix_of(data)
    if suffix == UNKNOWN_SUFFIX:
        raise DataError("its parts are no pictures; give the address of its MJPEG stream")
    file = folder / f"frame{suffix}"
    file.write_bytes(data)
    return as_grey(child.read(file, "a frame")[0])
