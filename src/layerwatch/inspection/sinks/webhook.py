"""Messages -> an HTTP address, by POST, as JSON that the receiver can check."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import ClassVar

import httpx

from layerwatch.inspection.messages import Kind, Message
from layerwatch.inspection.sinks.base import NotTakenError, Sink
from layerwatch.records import UsageError


@dataclass
class Webhook(Sink):
    """Posts each message; any answer from 200 to 299 means that it is taken. Redirects are not followed."""

    summary: ClassVar[str] = "a POST of JSON to an HTTP address, signed"
    source: ClassVar[str] = "RFC 9110 (HTTP), RFC 2104 (HMAC)"

    url: str = field(repr=False)  # may hold a token
    secret: str = field(default="", repr=False)  # signs; empty: no signature
    timeout: float = 5.0  # s, to connect, and between two pieces of the answer
    kinds: tuple[Kind, ...] = ("alarm", "job", "printer")
    _client: httpx.Client | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def wants(self) -> tuple[Kind, ...]:
        """See Sink."""
        return self.kinds

    def take(self, message: Message) -> None:
        """See Sink."""
        body = message.text().encode()
        try:
            status = self._post(body, headers(message.number, body, self.secret))
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise UsageError("the webhook's url is no http:// or https:// address") from None
        except httpx.TimeoutException:
            raise NotTakenError(f"no answer within {self.timeout:g} s from {self._host}") from None
        except httpx.HTTPError as error:
            raise NotTakenError(f"{self._host} is away: {str(error) or type(error).__name__}") from None
        if not 200 <= status <= 299:
            raise NotTakenError(f"{self._host} answered {status}, not 2xx")

    def close(self) -> None:
        """See Sink."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _post(self, body: bytes, told: dict[str, str]) -> int:
        """The status; what the answer says beside it is not read, however long it is."""
        if self._client is None:
            self._client = httpx.Client(timeout=self.timeout, follow_redirects=False)
        with self._client.stream("POST", self.url, content=body, headers=told) as answer:
            return answer.status_code

    @property
    def _host(self) -> str:
        """Host and port, without what may be secret in the url."""
        return httpx.URL(self.url).netloc.decode("ascii", "replace")


def headers(number: int, body: bytes, secret: str) -> dict[str, str]:
    """What goes with a body: its type, the message's number against doubles, the signature."""
    told = {"Content-Type": "application/json"}
    if number:
        told["Idempotency-Key"] = str(number)
    if secret:
        told["X-Layerwatch-Signature"] = signature(body, secret)
    return told


def signature(body: bytes, secret: str) -> str:
    """``sha256=`` and the HMAC-SHA256 of the body in hexadecimal."""
    return f"sha256={hmac.new(secret.encode(), body, 'sha256').hexdigest()}"
