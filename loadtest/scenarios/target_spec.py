"""The ``[target]`` of a scenario: another service, its requests, and the meaning of its replies (docs/targets.md)."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from loadtest.scenarios.strict_model import StrictModel
from server.core.packets.claim import ClaimStatus

REQUEST = re.compile(r"^(GET|POST|PUT|PATCH|DELETE) (/\S*)$")
STEPS_MAX = 1_000
_VIEWER_PLACE = re.compile(r"(?<!\{)(?:\{\{)*\{(viewer|user\.[^{}]+)\}")
Scalar = str | int | float | bool
BooksColumn = Literal["packet", "viewer", "amount_fen", "amount_yuan", "index", "claim_id", "request_id"]


class RequestSpec(StrictModel):
    """An HTTP request: method and path, and at most one of ``json``, ``form`` and ``body``. All of it are templates."""

    request: str = Field(pattern=REQUEST.pattern)
    headers: dict[str, str] = Field(default_factory=dict)
    json_body: Any = Field(default=None, alias="json")
    form: dict[str, str] | None = None
    body: str | None = None

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if sum(each is not None for each in (self.json_body, self.form, self.body)) > 1:
            raise ValueError("give at most one of json, form and body")
        return self


class LoginSpec(RequestSpec):
    """The request that each viewer makes before its first grab; ``take`` names what is read from the answer's JSON."""

    take: dict[str, str] = Field(default_factory=dict)


class StepSpec(RequestSpec):
    """A request of the run itself: before the audience comes, or ``at_ms`` real milliseconds after the start."""

    at_ms: int | None = Field(default=None, ge=0)


class HttpGrabSpec(RequestSpec):
    """The request that asks for a share."""

    timeout_ms: int = Field(default=5_000, gt=0)


class SignSpec(StrictModel):
    """An HMAC of a template's text, which other templates have as ``{signature}``."""

    key: str = Field(min_length=1)
    text: str
    algorithm: Literal["sha256", "sha1", "sha512", "md5"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"


class AmountSpec(StrictModel):
    """The place of the amount in a reply, and its unit."""

    path: str
    unit: Literal["fen", "yuan"] = "fen"


class ReceiptSpec(StrictModel):
    """
    The places of a grab's outcome in a reply: JMESPath into its JSON.

    ``words`` has, by status, the values at ``status`` that mean it; ``http`` has the status that an HTTP code alone
    means. Without ``status`` every 2xx is ``granted``.
    """

    status: str | None = None
    words: dict[ClaimStatus, list[Scalar]] = Field(default_factory=dict)
    http: dict[int, ClaimStatus] = Field(default_factory=dict)
    amount_fen: str | None = None
    amount: AmountSpec | None = None
    index: str | None = None
    claim_id: str | None = None

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if (self.status is None) != (not self.words):
            raise ValueError("status and words go together")
        if self.amount_fen is not None and self.amount is not None:
            raise ValueError("give either amount_fen or amount")
        return self


class BooksSpec(StrictModel):
    """
    The service's own books, read when the storm is over.

    ``source`` is ``GET /path`` or ``file:claims.csv``; ``rows`` leads to the list in a JSON document; ``columns`` has,
    by our name, where a row holds it.
    """

    source: str = Field(pattern=rf"{REQUEST.pattern}|^file:.+$")
    format: Literal["json", "ndjson", "csv"] | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    rows: str | None = None
    columns: dict[BooksColumn, str]

    @model_validator(mode="after")
    def _names_the_owners(self) -> Self:
        if not {"packet", "viewer"} <= self.columns.keys():
            raise ValueError("columns: must name packet and viewer")
        return self


class Match(StrictModel):
    """A message that has this value at this JMESPath."""

    path: str
    equals: Scalar


class ConnectSpec(StrictModel):
    """The WebSocket handshake, the messages sent after it, and the message that completes entry (none: at once)."""

    path: str = "/"
    headers: dict[str, str] = Field(default_factory=dict)
    subprotocol: str | None = None
    hello: list[Any] = Field(default_factory=list)
    ready: Match | None = None


class SocketGrabSpec(StrictModel):
    """The message that asks for a share: a JSON template."""

    send: Any
    timeout_ms: int = Field(default=5_000, gt=0)


class SocketReceiptSpec(ReceiptSpec):
    """
    A receipt among the messages of a WebSocket.

    ``match`` is the JMESPath of the request id that it answers, or ``next``: receipts come in the order of the grabs.
    ``where`` tells receipts from other messages.
    """

    match: str
    where: Match | None = None


class OpeningSpec(StrictModel):
    """The message that opens a packet's window, and where it names the packet; without that it is the only one."""

    where: Match
    packet: str | None = None


class TargetSpec(StrictModel):
    """
    The part common to all targets. ``viewer`` is the template of a viewer's name at the service.

    ``users`` is a CSV or JSON file with a row for each viewer, whose fields are ``{user.NAME}`` in templates.
    """

    base_url: str = ""
    viewer: str = "{viewer}"
    users: str | None = None
    ca_file: str | None = None
    sign: SignSpec | None = None
    steps: list[StepSpec] = Field(default=[], max_length=STEPS_MAX)
    books: BooksSpec | None = None

    @property
    def names_viewer(self) -> bool:
        """Tell whether the service learns who grabs; a class of the user's own is trusted with that."""
        return True

    @model_validator(mode="after")
    def _has_a_host(self) -> Self:
        parts = urlsplit(self.base_url)
        if self.base_url and (parts.scheme not in ("http", "https", "ws", "wss", "tcp", "tls") or not parts.hostname):
            raise ValueError("base_url: must read like http://NAME:PORT or ws://NAME:PORT")
        return self


class HttpTargetSpec(TargetSpec):
    """An HTTP service. Each viewer keeps its connection, unless ``reuse`` is false."""

    kind: Literal["http"]
    reuse: bool = True
    login: LoginSpec | None = None
    grab: HttpGrabSpec
    receipt: ReceiptSpec

    @property
    def names_viewer(self) -> bool:
        """Tell whether the service learns who grabs."""
        return self.login is not None or _has_viewer(self.grab.model_dump())


class WebSocketTargetSpec(TargetSpec):
    """A WebSocket service that speaks JSON."""

    kind: Literal["websocket"]
    connect: ConnectSpec = ConnectSpec()
    grab: SocketGrabSpec
    receipt: SocketReceiptSpec
    opening: OpeningSpec | None = None

    @property
    def names_viewer(self) -> bool:
        """Tell whether the service learns who grabs: connections do not say it, as a viewer may have several."""
        return _has_viewer([self.connect.model_dump(), self.grab.model_dump()])


class AdapterTargetSpec(TargetSpec):
    """A service that a class of the user's own speaks to: ``package.module:Class``, made with ``options``."""

    kind: Literal["adapter"]
    adapter: str = ""
    options: dict[str, Any] = Field(default_factory=dict)


AnyTargetSpec = Annotated[HttpTargetSpec | WebSocketTargetSpec | AdapterTargetSpec, Field(discriminator="kind")]


def _has_viewer(value: object) -> bool:
    """Tell whether a text in a document has the place of a viewer's name, or of a column of the users."""
    return any(_VIEWER_PLACE.search(text) for text in _texts(value))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        yield from _texts(part)
