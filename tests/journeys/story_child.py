"""A second process: it hears what a service tells by MQTT and by webhook, and nothing else, and tells the job's story.

Usage: python -m tests.journeys.story_child BROKER_PORT HTTP_PORT JOB

It prints "ready" when it listens; when its standard input ends, the two stories as one line of JSON.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from layerwatch.inspection.story import Story


def by_mqtt(port: int, story: Story) -> Client:
    """Subscribed, with a session that the broker keeps."""
    ready = Event()
    client = Client(CallbackAPIVersion.VERSION2, client_id="story", clean_session=False)
    client.on_connect = lambda c, *_: c.subscribe("layerwatch/+/+", qos=1)
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = lambda c, data, one: story.take(json.loads(one.payload))
    client.connect("127.0.0.1", port)
    client.loop_start()
    if not ready.wait(20):
        raise TimeoutError("the broker does not answer")
    return client


def by_webhook(port: int, story: Story) -> ThreadingHTTPServer:
    """Listening."""

    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            story.take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # the library's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Page)
    Thread(target=server.serve_forever, daemon=True).start()
    return server


def main(broker: int, http: int, job: str) -> None:
    """Hear until standard input ends."""
    stories = {"mqtt": Story(job), "webhook": Story(job)}
    client, server = by_mqtt(broker, stories["mqtt"]), by_webhook(http, stories["webhook"])
    print("ready", flush=True)
    sys.stdin.read()
    client.disconnect()
    client.loop_stop()
    server.shutdown()
    print(json.dumps({name: story.as_json() for name, story in stories.items()}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
