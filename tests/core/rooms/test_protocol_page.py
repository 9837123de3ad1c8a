"""docs/protocol.md and the code agree: each message, field, code and example is what is read and written."""

import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest
from websockets.frames import CloseCode

from server.core.orders.trail import TrailStep
from server.core.packets.claim import HOLDS_SHARE, ClaimStatus
from server.core.rooms import messages, session
from server.core.rooms.feed import NUMBERED
from server.core.rooms.messages import FromViewer, decode
from server.gateway import frames, gateway, handshake, tickets
from tests.core.rooms.said import ENCODED, SAID

PAGE = (Path(__file__).parents[3] / "docs/protocol.md").read_text("utf-8")
ONLY_SOMETIMES = {"phase", "remaining", "sold_out"}  # what a packet has in a welcome alone
OPTIONAL = {"closed": {"reason"}, "progress": {"claimable_at_ms"}}

Fields = dict[str, tuple[str, str]]
"""Type and clock of each field of a table."""


def _under(heading: str) -> str:
    return re.split(r"^## ", PAGE.partition(f"\n## {heading}\n")[2], flags=re.MULTILINE)[0]


def _sections(heading: str) -> dict[str, str]:
    """Return the text of each section below a heading, by name."""
    parts = re.split(r"^### (\w+)$", _under(heading), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _fields(section: str) -> Fields:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (\w*) ?\| .+ \|$", section, re.MULTILINE)
    return {name: (kind, clock) for name, kind, clock in rows}


def _example(section: str) -> Any:
    (text,) = re.findall(r"```json\n(.+?)```", section, re.DOTALL)
    return json.loads(text)


FROM_VIEWER, TO_VIEWER, OBJECTS = (
    _sections(each) for each in ("From a viewer", "To a viewer", "Objects inside messages")
)


def test_every_message_from_a_viewer_is_read_as_the_page_says() -> None:
    """The decoder takes each example for its class, and the table has the fields of the class."""
    read = {name: decode(json.dumps(_example(section)).encode()) for name, section in FROM_VIEWER.items()}

    assert {type(message) for message in read.values()} == set(get_args(FromViewer))
    for name, message in read.items():
        stated = _fields(FROM_VIEWER[name])
        assert set(stated) == {"type", *(each.name for each in fields(message))}
        _check(stated, _example(FROM_VIEWER[name]), name)


def test_every_encoder_has_an_example() -> None:
    """A new message cannot stay off the page, because its encoder must be called here."""
    encoders = {
        function
        for _, function in inspect.getmembers(messages, inspect.isfunction)
        if function.__module__ == messages.__name__ and inspect.signature(function).return_annotation is bytes
    }
    assert encoders == {encoder for encoder, _ in ENCODED}
    assert set(SAID) >= NUMBERED


def test_the_page_has_every_message_to_a_viewer_and_no_other() -> None:
    """Each stands there once."""
    assert sorted(re.findall(r"^### (\w+)$", _under("To a viewer"), re.MULTILINE)) == sorted(SAID)


@pytest.mark.parametrize("kind", SAID)
def test_a_message_to_a_viewer_is_what_the_encoder_writes(kind: str) -> None:
    """The example is the encoder's own; the table has its fields, their types and clocks."""
    assert _example(TO_VIEWER[kind]) == SAID[kind]
    _check(_fields(TO_VIEWER[kind]), SAID[kind], kind)
    assert ("seq" in SAID[kind] and kind != "welcome") == TO_VIEWER[kind].strip().startswith("Fact")


def test_every_object_is_used() -> None:
    """An object that no message holds any more leaves the page."""
    linked = set(re.findall(r"\(#(\w+)\)", "".join([*TO_VIEWER.values(), *OBJECTS.values()])))
    assert linked == set(OBJECTS)


def _check(stated: Fields, message: dict[str, Any], where: str) -> None:
    """Hold a table against a message, and the tables of objects against what is inside it."""
    missing = set(stated) - set(message)
    assert set(message) <= set(stated), where
    assert missing <= OPTIONAL.get(where, set()) | (ONLY_SOMETIMES if where == "packet" else set()), where
    for name, (kind, clock) in stated.items():
        assert (clock in {"room", "real", "viewer"}) == name.endswith("_ms"), f"{where}.{name}: clock {clock!r}"
        if name in message:
            _check_value(kind, message[name], f"{where}.{name}")


def _check_value(kind: str, value: Any, where: str) -> None:
    nested = re.fullmatch(r"(array of )?\[(\w+)\]\(#\2\)", kind)
    if nested:
        assert isinstance(value, list) == bool(nested[1]), where
        for each in value if isinstance(value, list) else [value]:
            _check(_fields(OBJECTS[nested[2]]), each, nested[2])
        return
    name_of = {str: "string", int: "int", bool: "bool", type(None): "null", list: "array of string"}
    assert name_of[type(value)] in kind.split(" or "), where
    assert not isinstance(value, list) or all(isinstance(each, str) for each in value), where


def test_the_statuses_of_a_receipt_are_those_of_a_claim() -> None:
    """Each status with whether it holds a share."""
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (yes)?[^|]*\|$", TO_VIEWER["receipt"], re.MULTILINE)
    assert dict(rows) == {status.value: "yes" if status in HOLDS_SHARE else "" for status in ClaimStatus}


def test_the_steps_of_a_trail_are_all_there() -> None:
    """The values of ``event``."""
    (row,) = re.findall(r"^\| `event` .+$", TO_VIEWER["trail"], re.MULTILINE)
    assert re.findall(r"`(\w+)`", row)[1:] == list(TrailStep)


def _codes(pattern: str, *modules: Any) -> Iterator[Any]:
    for module in modules:
        yield from re.findall(pattern, inspect.getsource(module))


def test_the_errors_are_those_of_the_code() -> None:
    """Each code of an ``error`` message."""
    told = set(re.findall(r"^\| `(\w+)` \| [^|]+ \|$", TO_VIEWER["error"], re.MULTILINE))
    assert told == {*_codes(r'BadMessage\("(\w+)"', messages), *_codes(r'messages\.error\("(\w+)"', session)}


def test_the_refusals_of_a_handshake_are_those_of_the_code() -> None:
    """Each status and code."""
    told = set(re.findall(r"^\| (\d+) \| `(\w+)` \| .+ \|$", _under("Handshake"), re.MULTILINE))
    refused = set(_codes(r'Rejection\(\s*(\d+),\s+"(\w+)"', handshake, tickets, gateway))
    assert told == refused | {("400", "bad_id")}  # of an id in the address, as everywhere


def test_the_close_codes_are_those_of_the_code() -> None:
    """Ours, and the two that the library sends for us."""
    told = {int(code) for code in re.findall(r"^\| (\d{4}) \| .+ \|$", _under("Close codes"), re.MULTILINE)}
    ours = {
        value
        for module in (frames, session)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, int) and not isinstance(value, bool) and 1000 <= value < 5000
    }
    assert told == ours | {CloseCode.PROTOCOL_ERROR, CloseCode.MESSAGE_TOO_BIG}
