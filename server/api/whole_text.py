"""Text that is no text: bytes of a URL that are not UTF-8, and halves of characters in a body, are refused by name."""

import json
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_to_bytes

from fastapi import Request

from server.core.refusal import Refused

_WANTED: Final = "must be whole characters; this holds half of one, or bytes that are not UTF-8"


async def check_text(request: Request) -> None:
    """Raise Refused (``bad_field``) if the path, the query or the JSON body of a request holds what is no text."""
    raw_path, query = request.scope.get("raw_path", b""), request.scope["query_string"]
    if b"%" in raw_path and not _is_text(unquote_to_bytes(raw_path)):
        raise Refused("bad_field", _WANTED, field=_in_path(request))
    if b"%" in query and not _is_text(unquote_to_bytes(query)):
        fields = parse_qsl(query.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
        torn = next((name for name, value in fields if not _is_text(value.encode("latin-1"))), "query")
        raise Refused("bad_field", _WANTED, field=torn)
    if request.method in ("POST", "PUT", "PATCH", "DELETE"):
        body = await request.body()
        if b"\\u" in body and (torn := _torn_field(body)):
            raise Refused("bad_field", _WANTED, field=torn)


def _in_path(request: Request) -> str:
    names = (name for name, value in request.path_params.items() if "\ufffd" in str(value))
    return next(names, "path")


def _torn_field(body: bytes) -> str:
    """Return the first field of a JSON body with a lone surrogate, or ""; a body that is no JSON has none."""
    try:
        waiting: list[tuple[str, Any]] = [("", json.loads(body))]
    except (ValueError, RecursionError):
        return ""
    while waiting:
        at, value = waiting.pop()
        if isinstance(value, str) and not _is_whole(value):
            return at or "body"
        inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for step, each in inside:
            if isinstance(step, str) and not _is_whole(step):
                return at or "body"
            waiting.append((f"{at}.{step}" if at else str(step), each))
    return ""


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
