"""The door: by which Host, Origin and content type a request is let in, as a rule and over raw sockets."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from server.gateway.door import KNOWN_MAX, Door
from server.gateway.proxies import Header
from server.store.connection import Store
from tests.gateway.house import ROOM, House, open_house, request
from tests.waiting import PATIENCE_S

OURS = (
    "localhost",
    "127.0.0.1:8000",
    "127.8.9.1",
    "[::1]",
    "[::1]:8000",
    "LOCALHOST:1",
    "localhost.:80",
    "a.localhost",
)
FOREIGN_HOSTS = (
    "evil.example",
    "rebound.evil.example:8000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "10.0.0.1",
)
MALFORMED_HOSTS = ("", "localhost:99999", "a b", "localhost,evil.example", "user@localhost", "[::1", "localhost/")
FOREIGN_ORIGINS = (
    "null",
    "",
    "http://evil.example",
    "http://localhost:3000",  # another port of this machine
    "http://127.0.0.1:8000",  # the same place by another name
    "https://localhost:8000",
    "http://localhost",
    "http://localhost:8000.evil.example",
    "http://localhost:8000/",
    "file://",
)
JSON = "Content-Type: application/json"


def knock(door: Door, method: str, *lines: str, reached: str = "127.0.0.1", proxied: bool = False) -> tuple[int, str]:
    """Return status and code of the refusal, or (0, ""); WS is a WebSocket's GET. Lines are those of a request."""
    headers: list[Header] = []
    for line in lines:
        name, _, value = line.partition(":")
        headers.append((name.lower().encode(), value.strip().encode("latin-1")))
    upgrade, verb = method == "WS", b"GET" if method == "WS" else method.encode()
    refusal = door.refusal(headers, verb, upgrade=upgrade, proxied=proxied, reached=reached)
    return (refusal.status, refusal.code) if refusal else (0, "")


LET_IN, NO_HOST = (0, ""), (403, "host_not_allowed")
NO_ORIGIN, NOT_JSON = (403, "origin_not_allowed"), (415, "not_json")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "WS", "POST"])
def test_only_names_of_this_server_are_let_in(method: str) -> None:
    """By any of them, at any port; every request is checked, also one that changes nothing."""
    door = Door(bound="192.0.2.7")
    for _ in range(2):  # the second time from memory
        assert {knock(door, method, f"Host: {host}") for host in (*OURS, "192.0.2.7:8000")} == {LET_IN}
        assert {knock(door, method, f"Host: {host}") for host in FOREIGN_HOSTS} == {NO_HOST}
        assert {knock(door, method, f"Host: {host}") for host in MALFORMED_HOSTS} == {(400, "bad_host")}
    assert knock(door, method) == (400, "bad_host")
    assert knock(door, method, "Host: localhost", "Host: localhost") == (400, "repeated_header")


def test_the_address_that_was_reached_is_a_name_of_ours() -> None:
    """A server that listens on all addresses is found by each of them."""
    door = Door(bound="0.0.0.0")  # noqa: S104
    assert knock(door, "GET", "Host: 192.0.2.7:8000", reached="::ffff:192.0.2.7") == LET_IN
    assert knock(door, "GET", "Host: [2001:db8::7]:8000", reached="2001:db8:0:0::7") == LET_IN
    assert knock(door, "GET", "Host: 192.0.2.8:8000", reached="192.0.2.7") == NO_HOST


def test_names_can_be_added() -> None:
    """Each name, all names under one, or all: then somebody else must check."""
    door = Door(hosts="live.example, *.shop.example,2001:db8::1,192.0.2.9")
    for host in (
        "live.example:443",
        "LIVE.example.",
        "a.shop.example",
        "a.b.shop.example",
        "[2001:DB8::1]",
        "192.0.2.9",
    ):
        assert knock(door, "WS", f"Host: {host}") == LET_IN
    for host in ("example", "a.live.example", "shop.example", "notshop.example", "shop.example.evil.example"):
        assert knock(door, "WS", f"Host: {host}") == NO_HOST
    assert knock(Door(hosts="*"), "GET", "Host: anything.example") == LET_IN
    assert knock(Door(hosts="*"), "GET", "Host: a b") == (400, "bad_host")


def test_the_memory_of_names_is_bounded() -> None:
    """Past the bound a name is looked at each time, with the same outcome."""
    door = Door()
    for port in range(KNOWN_MAX + 10):
        assert knock(door, "GET", f"Host: localhost:{port + 1}") == LET_IN
        assert knock(door, "GET", f"Host: evil.example:{port + 1}") == NO_HOST
    assert len(door._known) == KNOWN_MAX


@pytest.mark.parametrize("method", ["WS", "POST", "PUT", "PATCH", "DELETE"])
def test_only_pages_of_this_server_change_anything(method: str) -> None:
    """A client that is no browser names no origin, and is let in."""
    door, host = Door(), "Host: localhost:8000"
    assert knock(door, method, host) == LET_IN
    assert knock(door, method, host, "Origin: http://localhost:8000") == LET_IN
    assert knock(door, method, "Host: [::1]:8000", "Origin: http://[::1]:8000") == LET_IN
    assert knock(door, method, "Host: LOCALHOST:80", "Origin: http://localhost") == LET_IN
    assert {knock(door, method, host, f"Origin: {origin}") for origin in FOREIGN_ORIGINS} == {NO_ORIGIN}
    assert {knock(door, method, host, f"Sec-Fetch-Site: {site}") for site in ("cross-site", "same-site")} == {NO_ORIGIN}
    assert {knock(door, method, host, f"Sec-Fetch-Site: {site}") for site in ("same-origin", "none")} == {LET_IN}
    twice = knock(door, method, host, "Origin: http://localhost:8000", "Origin: http://evil.example")
    assert twice == (400, "repeated_header")
    assert knock(door, method, host, "Cookie: a=1", "Cookie: b=2") == LET_IN


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_foreign_page_may_ask_for_what_it_cannot_read(method: str) -> None:
    """A link to a page of ours works from everywhere."""
    lines = ("Host: localhost:8000", "Origin: http://evil.example", "Sec-Fetch-Site: cross-site")
    assert knock(Door(), method, *lines) == LET_IN


def test_origins_can_be_added() -> None:
    """An origin is added as a whole: scheme, name and port."""
    door = Door(origins="https://app.example, http://127.0.0.1:3000,HTTP://Up.Example:80")
    for origin in ("https://app.example", "http://127.0.0.1:3000", "http://up.example"):
        assert knock(door, "WS", "Host: localhost:8000", f"Origin: {origin}") == LET_IN
    for origin in ("http://app.example", "https://app.example:8443", "https://a.app.example", "null"):
        assert knock(door, "WS", "Host: localhost:8000", f"Origin: {origin}") == NO_ORIGIN
    assert knock(door, "WS", "Host: app.example", "Origin: https://app.example") == NO_HOST


def test_a_proxy_says_what_its_clients_asked_for() -> None:
    """Scheme and name are those that a trusted proxy passes on; its own Host and the passed one must both be ours."""
    door = Door(hosts="live.example")
    told = ("X-Forwarded-Proto: https", "X-Forwarded-Host: live.example", "Origin: https://live.example")
    assert knock(door, "WS", "Host: 127.0.0.1:8000", *told, proxied=True) == LET_IN
    assert knock(door, "WS", "Host: live.example", told[0], told[2], proxied=True) == LET_IN
    assert knock(door, "WS", "Host: live.example:80", "X-Forwarded-Proto: wss", told[2], proxied=True) == NO_ORIGIN
    assert knock(door, "WS", "Host: live.example", told[2], proxied=True) == NO_ORIGIN
    assert knock(door, "WS", "Host: live.example", *told) == NO_ORIGIN
    assert knock(door, "GET", "Host: evil.example", "X-Forwarded-Host: localhost", proxied=True) == NO_HOST
    assert knock(door, "GET", "Host: localhost", "X-Forwarded-Host: evil.example", proxied=True) == NO_HOST
    assert knock(door, "GET", "Host: localhost", "X-Forwarded-Host: evil.example") == LET_IN
    assert knock(door, "GET", "Host: localhost", "X-Forwarded-Host: a, b", proxied=True) == (400, "bad_host")
    assert knock(door, "GET", "Host: localhost", told[1], told[1], proxied=True) == (400, "repeated_header")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_body_is_json_or_changes_nothing(method: str) -> None:
    """A form, plain text and a body of no type are refused; without a body there is no need of a type."""
    door, host = Door(), "Host: localhost"
    for kind in ("application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"):
        assert knock(door, method, host, f"Content-Type: {kind}", "Content-Length: 2") == LET_IN
    for kind in (
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "",
        "text/x+json",
    ):
        for length in ("Content-Length: 2", "Content-Length: 0", "Transfer-Encoding: chunked"):
            assert knock(door, method, host, f"Content-Type: {kind}", length) == NOT_JSON
    assert knock(door, method, host, "Content-Type: application/json, text/plain", "Content-Length: 2") == NOT_JSON
    assert knock(door, method, host, JSON, "Content-Type: text/plain") == (400, "repeated_header")
    assert knock(door, method, host, "Content-Length: 2") == NOT_JSON
    assert knock(door, method, host, "Transfer-Encoding: chunked") == NOT_JSON
    assert knock(door, method, host, "Content-Length: 0") == LET_IN
    assert knock(door, method, host) == LET_IN


def test_a_refusal_says_what_to_do() -> None:
    """It names the value and the option."""
    door = Door()
    host = door.refusal([(b"host", b"Live.Example:80")], b"GET", upgrade=False, proxied=False, reached="")
    assert host is not None
    assert host.detail == "Host: live.example is no name of this server; --allowed-hosts live.example allows it"
    headers = [(b"host", b"localhost:8000"), (b"origin", b"http://\xe9vil.example")]
    origin = door.refusal(headers, b"POST", upgrade=False, proxied=False, reached="")
    assert origin is not None
    assert origin.detail.startswith(
        "Origin: null is not http://localhost:8000, the origin of this server; --allowed-orig"
    )


@pytest.fixture
async def neighbour(empty_store: Store) -> AsyncIterator[House]:
    """Open a house with one more name, one more origin, and a proxy."""
    async with open_house(empty_store, door=Door(hosts="live.example", origins="https://app.example")) as opened:
        yield opened


async def answered(house: House, data: bytes) -> tuple[int, dict[str, str]]:
    """Send a whole request; return the status and, of a refusal, the body."""
    reader, writer = await house.connect()
    writer.write(data)
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)).decode("latin-1").lower()
    status = int(head.split()[1])
    if status < 400:
        return status, {}
    assert "content-type: application/json\r\n" in head
    length = int(head.partition("content-length: ")[2].split()[0])
    return status, json.loads(await asyncio.wait_for(reader.readexactly(length), PATIENCE_S))


def asks(method: str, *headers: str, path: str = "/echo", body: str = "") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", *headers, f"Content-Length: {len(body)}", "", body]).encode(
        "latin-1"
    )


async def test_a_viewer_comes_in_by_the_right_door_only(neighbour: House) -> None:
    """A WebSocket with a foreign Host or Origin is refused before its path is looked at, and nobody is connected."""
    target = f"/ws/rooms/{ROOM}?viewer=v1"
    plain = request(target)
    hosts = [plain.replace(b"Host: localhost", f"Host: {host}".encode()) for host in FOREIGN_HOSTS]
    origins = ("Origin: null", "Origin: http://evil.example", f"Origin: http://localhost:{neighbour.port}")
    refused = [
        *((data, 403, "host_not_allowed") for data in hosts),
        (plain.replace(b"Host: localhost\r\n", b""), 400, "bad_host"),
        (request(target, "Host: localhost"), 400, "repeated_header"),
        *((request(target, header), 403, "origin_not_allowed") for header in (*origins, "Sec-Fetch-Site: same-site")),
        (request("/nowhere", "Origin: null"), 403, "origin_not_allowed"),
    ]
    for data, status, code in refused:
        got, body = await answered(neighbour, data)
        assert (got, body["code"]) == (status, code), data
    metrics = neighbour.gateway.metrics
    assert metrics.turned_away == {"host_not_allowed": 5, "bad_host": 1, "repeated_header": 1, "origin_not_allowed": 5}
    assert (metrics.refused, metrics.joined) == (12, 0)
    for headers in ((), ("Origin: http://localhost",), ("Origin: https://app.example",)):
        assert await answered(neighbour, request(target, *headers)) == (101, {})
    named = request(target, "Origin: http://live.example").replace(b"Host: localhost", b"Host: live.example")
    assert (await answered(neighbour, named))[0] == 429  # let in, and told that it is the fourth connection
    await neighbour.join("v2")  # a client that is no browser, by address and port


async def test_a_request_is_let_in_or_refused_before_anything_is_read(neighbour: House) -> None:
    """A refused request reaches no route, whether there is one or not, and the connection stays usable."""
    here, form = "Host: localhost", "Content-Type: application/x-www-form-urlencoded"
    for data, status, code in (
        (asks("POST", here, form, body="a=1"), 415, "not_json"),
        (asks("POST", here, "Content-Type: text/plain", body="{}"), 415, "not_json"),
        (asks("POST", here, body="{}"), 415, "not_json"),
        (asks("POST", here, JSON, "Origin: null", body="{}"), 403, "origin_not_allowed"),
        (asks("DELETE", here, "Origin: http://localhost:1", path="/nowhere"), 403, "origin_not_allowed"),
        (asks("GET", "Host: evil.example", path="/hello"), 403, "host_not_allowed"),
        (asks("GET", path="/hello"), 400, "bad_host"),
    ):
        got, body = await answered(neighbour, data)
        assert (got, body["code"], body["rule"]) == (status, code, ""), data
    assert (await answered(neighbour, asks("POST", here, JSON, body="{}")))[0] == 200
    assert (await answered(neighbour, asks("POST", here)))[0] == 200
    assert (await answered(neighbour, asks("GET", here, "Origin: http://evil.example", path="/hello")))[0] == 200
    assert sum(neighbour.gateway.metrics.turned_away.values()) == 7
    reader, writer = await neighbour.connect()
    writer.write(asks("POST", here, form, body="a=1") + asks("POST", here, JSON, body='{"next":1}'))
    assert await asyncio.wait_for(reader.readuntil(b'{\\"next\\":1}"'), PATIENCE_S)


async def test_an_unknown_upgrade_and_a_tunnel_come_to_the_same_door(neighbour: House) -> None:
    """A request that is read again without its upgrade is checked like any other."""
    upgrade = ("Connection: Upgrade", "Upgrade: h2c")
    assert (await answered(neighbour, asks("POST", "Host: evil.example", *upgrade)))[0] == 403
    assert (await answered(neighbour, asks("POST", "Host: localhost", "Origin: null", *upgrade)))[0] == 403
    assert (await answered(neighbour, asks("POST", "Host: localhost", *upgrade)))[0] == 200
