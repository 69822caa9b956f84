"""A stream gives one frame of each layer, its bytes untouched; outages are told, waited out, and double nothing."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.images.streams import Printer
from tests.inspection.receiving import Receiver, receiving, until
from tests.inspection.streaming import Recorded, StreamServer, recorded, streaming
from tests.inspection.test_site import SMALL, site

from layerwatch.images.frame_choice import Choosing
from layerwatch.inspection.cameras.stream import Stream
from layerwatch.inspection.site import camera_of
from layerwatch.records import UsageError

SPEED = 4.0
QUICK = Choosing(after="lamp", wait=0.05, patience=1.0, shortest=1.2, lamp=0.35)


@pytest.fixture(scope="module")
def frames() -> list[Recorded]:
    return recorded(Printer(1, 6, rate=5.0), SPEED)


def camera(server: StreamServer, **settings: Any) -> Stream:
    own = {"rate": 100.0, "choose": QUICK, **settings}
    return Stream("P1", f"http://127.0.0.1:{server.port}/video", **own)


def of(data: bytes, frames: list[Recorded]) -> Recorded:
    return next(frame for frame in frames if frame.data == data)


def test_each_layer_gives_one_frame_with_its_bytes(frames: list[Recorded]) -> None:
    with streaming(StreamServer(frames)) as server, receiving(camera(server), Receiver()) as told:
        until(lambda: len(told.found) == 6, 60)
    shown = [of(one.data, frames) for one in told.found]
    assert [frame.layer for frame in shown] == list(range(6))
    assert all(frame.best for frame in shown)
    assert all(one.identity.layer == -1 and "trigger" in one.unidentified for one in told.found)
    assert {one.suffix for one in told.found} == {".png"}


def test_with_a_job_the_layers_are_counted(frames: list[Recorded]) -> None:
    with streaming(StreamServer(frames)) as server:
        stream = camera(server, job="sand-%Y%m%dT%H%M%S")
        with receiving(stream, Receiver()) as told:
            until(lambda: len(told.found) == 3, 60)
            assert not stream.trouble
    assert told.layers == [0, 1, 2]
    jobs = {one.identity.job for one in told.found}
    assert len(jobs) == 1
    assert jobs.pop().startswith("sand-20")
    assert not any(one.unidentified for one in told.found)


def test_a_cut_is_told_and_waited_out_and_no_layer_comes_twice(frames: list[Recorded]) -> None:
    with streaming(StreamServer(frames)) as server:
        stream = camera(server)
        with receiving(stream, Receiver()) as told:
            for number in (1, 2, 3):
                until(lambda number=number: len(told.found) >= number, 60)  # type: ignore[misc] # bound at once
                server.cut.set()
                until(lambda: "has ended" in stream.trouble or "away" in stream.trouble)
                until(lambda: not stream.trouble)
            until(lambda: told.found and of(told.found[-1].data, frames).layer == 5, 60)
    layers = [of(one.data, frames).layer for one in told.found]
    assert layers == sorted(set(layers))
    assert server.calls == 4


def test_a_server_that_comes_late_is_waited_for(frames: list[Recorded]) -> None:
    with streaming(StreamServer(frames)) as server:
        port = server.port
    stream = Stream("P1", f"http://127.0.0.1:{port}/video?token=abc", rate=100.0, choose=QUICK)
    with receiving(stream, Receiver()) as told:
        until(lambda: "away" in stream.trouble)
        assert "abc" not in stream.trouble
        with streaming(StreamServer(frames, port=port)):
            until(lambda: len(told.found) == 2, 60)
            assert not stream.trouble


def test_a_frame_that_could_not_be_kept_comes_again(frames: list[Recorded]) -> None:
    with streaming(StreamServer(frames)) as server, receiving(camera(server), Receiver(refusals=1)) as told:
        until(lambda: len(told.kept) == 1 and len(told.found) > 1, 60)
        first = told.found[0]
        until(lambda: sum(one.data == first.data for one in told.found) == 2, 60)


@pytest.mark.parametrize(
    ("settings", "word"),
    [({"status": 404}, "404"), ({"kind": "text/html"}, "text/html"), ({"password": "eA=="}, "401")],
)
def test_an_address_that_gives_no_stream_is_told(settings: dict[str, Any], word: str) -> None:
    with streaming(StreamServer([], **settings)) as server:
        stream = camera(server)
        with receiving(stream, Receiver()):
            until(lambda: word in stream.trouble)


def test_a_password_is_told_to_the_camera(frames: list[Recorded]) -> None:
    secret = b64encode(b"kim:tellnobody").decode()
    with streaming(StreamServer(frames, password=secret)) as server:
        stream = camera(server, username="kim", password="tellnobody")
        with receiving(stream, Receiver()) as told:
            until(lambda: len(told.found) == 1, 60)
        assert "tellnobody" not in repr(stream)


def test_parts_that_are_no_pictures_are_told() -> None:
    noise = [Recorded(b"no picture", number / 20, 0, False, False) for number in range(40)]
    with streaming(StreamServer(noise)) as server:
        stream = camera(server)
        with receiving(stream, Receiver()) as told:
            until(lambda: "no pictures" in stream.trouble)
            assert not told.found


def test_a_silent_stream_is_away() -> None:
    with streaming(StreamServer([])) as server:
        stream = camera(server, timeout=0.3)
        with receiving(stream, Receiver()):
            until(lambda: "silent" in stream.trouble)


def test_a_layer_without_a_frame_is_said(frames: list[Recorded]) -> None:
    stopped = recorded(Printer(2, 5, rate=5.0, stops_in=2), SPEED)
    with streaming(StreamServer(stopped)) as server:
        stream = camera(server, job="sand-%Y%m%dT%H%M%S", choose=replace(QUICK, patience=0.25))
        with receiving(stream, Receiver()) as told:
            until(lambda: "layer 2: no frame: something stands in view" in stream.trouble, 60)
            until(lambda: len(told.found) == 3, 60)
            assert not stream.trouble
    assert told.layers == [0, 1, 3]


def test_a_site_file_names_it(tmp_path: Path) -> None:
    own = 'kind = "stream"\nurl = "http://10.0.0.5/video.mjpg"\nchoose = {after = "motion", passes = 2}'
    text = SMALL.replace('kind = "watch_folder"\npath = "frames"', own)
    made = camera_of(site(tmp_path, text).printers[0])
    assert isinstance(made, Stream)
    assert made.choose == Choosing(after="motion", passes=2)
    for wrong, word in (('"http://10.0', '"ftp://10.0'), ("passes = 2", "passes = 0"), ("passes", "pases")):
        with pytest.raises(UsageError, match="printer 1"):
            camera_of(site(tmp_path, text.replace(wrong, word)).printers[0])


def test_a_job_that_every_start_would_fill_again_is_refused() -> None:
    with pytest.raises(UsageError, match="restart"):
        Stream("P1", "http://10.0.0.5/", job="sand")
    with pytest.raises(UsageError, match="trigger"):
        Stream("P1", "http://10.0.0.5/", choose=Choosing(after="trigger"))
