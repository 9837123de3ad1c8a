"""Whole text: which requests hold what no UTF-8 can, and which field is named."""

import json

import pytest
from fastapi import Request

from server.api.whole_text import check_text
from server.core.refusal import Refused


async def fault_of(body: object = None, *, raw: bytes = b"", path: bytes = b"/", query: bytes = b"") -> str:
    """Return the field that is refused, or ""."""
    sent = raw or json.dumps(body).encode()
    scope = {
        "type": "http",
        "method": "POST",
        "headers": [],
        "raw_path": path,
        "query_string": query,
        "path_params": {},
    }

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": sent, "more_body": False}

    try:
        await check_text(Request(scope, receive))
    except Refused as refused:
        return refused.field
    return ""


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "\ud800"}, "name"),
        ({"lines": [{"id": "a"}, {"id": "\udfffx"}]}, "lines.1.id"),
        ({"\ud800": 1}, "body"),
        (["\udc00"], "0"),
        ("\ud83d", "body"),
        ({"name": "😀 红包 \u0000"}, ""),
        ({"name": "\\ud800"}, ""),
        ([], ""),
    ],
)
async def test_half_a_character_is_refused_by_its_field(body: object, field: str) -> None:
    """A pair of surrogates is a character; one alone is none."""
    assert await fault_of(body) == field


async def test_what_is_no_json_is_left_to_others() -> None:
    """It is refused as such, however deep it is."""
    for raw in (b'{"a": "\\ud800"', b"\\u", b"\xff\\u", b'["\\u0041",' * 30_000):
        assert await fault_of(raw=raw) == ""


async def test_bytes_of_a_url_are_text() -> None:
    """Escaped bytes must be UTF-8."""
    assert await fault_of(path=b"/%E7%BA%A2", query=b"a=%F0%9F%98%80&b") == ""
    assert await fault_of(path=b"/%ED%A0%80") == "path"
    assert await fault_of(path=b"/%ff") == "path"
    assert await fault_of(query=b"a=1&after=%C0%AF") == "after"
