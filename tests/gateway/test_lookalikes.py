"""Look-alikes of a host and an origin, of every kind: none is let in."""

import pytest

from server.gateway.door import Door
from tests.gateway.test_door import LET_IN, NO_HOST, NO_ORIGIN, knock

LOOKALIKE_HOSTS = {
    "a suffix": ("live.example.evil.test", "live.examples", "live.example-evil.test", "live.example.com"),
    "a prefix": ("evil-live.example", "xlive.example", "evil.live.example", "evil.test.live.example"),
    "a part": ("example", "live", ".example", "ive.example"),
    "a wildcard": ("*.shop.example.evil.test", "shop.example", "xshop.example", "shop.example.", "shop-example"),
    "an address": (
        "127.0.0.1.evil.test",
        "128.0.0.1",
        "0127.0.0.1.example",
        "2130706433",
        "0x7f.1",
        "[::2]",
        "[::ffff:1.2.3.4]",
    ),
    "unicode in ASCII": ("xn--live-8ve.example", "xn--lve-3ya.example", "live.xn--exmple-cua"),
    "localhost": ("localhost.evil.test", "localhostx", "xlocalhost", "localhost-evil.test"),
}
NO_HOSTS = {
    "unicode": (
        "l\u0131ve.example",
        "live\uff0eexample",
        "live.ex\u0430mple",
        "live.example\u3002",
        "LIVE.EXAMPLE\u200b",
    ),
    "a dot": ("live.example..", "."),
    "a port": (
        "live.example:",
        "live.example:80:80",
        "live.example:0x50",
        "live.example:65536",
        "live.example:-1",
        "live.example:\uff18",
    ),
    "a separator": (
        "live.example,evil.test",
        "live.example evil.test",
        "evil.test#live.example",
        "evil.test/live.example",
    ),
    "a user": ("live.example@evil.test", "evil.test@live.example", "evil.test\\@live.example"),
    "an escape": ("live%2eexample", "live.example%00.evil.test", "live.example\x00", "live.example\t"),
}


@pytest.mark.parametrize("method", ["GET", "WS", "POST"])
@pytest.mark.parametrize("hosts", ["live.example,*.shop.example", "LIVE.example.,*.shop.example"])
def test_no_lookalike_is_a_name_of_ours(method: str, hosts: str) -> None:
    """A look-alike of an allowed host is refused; a name that differs in case, port or last dot is ours."""
    door = Door(hosts=hosts)
    for kind, names in LOOKALIKE_HOSTS.items():
        for name in names:
            for host in (name, f"{name}:80", name.upper()):
                assert knock(door, method, f"Host: {host}") in (NO_HOST, (400, "bad_host")), f"{kind}: {host}"
    for kind, names in NO_HOSTS.items():
        for name in names:
            raw = [(b"host", name.encode())]
            refusal = door.refusal(raw, b"GET", upgrade=method == "WS", proxied=False, reached="127.0.0.1")
            assert refusal is not None, f"{kind}: {name!a}"
            assert refusal.code == "bad_host", f"{kind}: {name!a}"
    for same in (
        "live.example",
        "LIVE.EXAMPLE",
        "live.example.",
        "live.example:1",
        "live.example.:65535",
        "a.SHOP.example.",
    ):
        assert knock(door, method, f"Host: {same}") == LET_IN, same
    for first, second in (
        ("live.example", "evil.test"),
        ("evil.test", "live.example"),
        ("live.example", "live.example"),
    ):
        assert knock(door, method, f"Host: {first}", f"Host: {second}") == (400, "repeated_header")


@pytest.mark.parametrize("method", ["WS", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("is_secure", [False, True])
def test_no_lookalike_is_an_origin_of_ours(method: str, *, is_secure: bool) -> None:
    """An origin is ours only as a whole, by HTTP and, behind a proxy that says so, by HTTPS."""
    door = Door(hosts="live.example", origins="https://app.example")
    scheme, other = ("https", "http") if is_secure else ("http", "https")
    via = ("Host: live.example:8000", *(("X-Forwarded-Proto: https",) if is_secure else ()))
    lookalikes = {
        "a suffix": ("live.example:8000.evil.test", "live.example.evil.test:8000", "live.example-x:8000"),
        "a prefix": ("evil-live.example:8000", "xlive.example:8000", "a.live.example:8000"),
        "a port": (
            "live.example",
            "live.example:80",
            "live.example:443",
            "live.example:8001",
            "live.example:80000",
            "live.example:",
        ),
        "a dot": ("live.example.:8000", "live.example..:8000"),
        "a user": ("live.example:8000@evil.test", "evil.test@live.example:8000"),
        "more than an origin": (
            "live.example:8000/",
            "live.example:8000?x",
            "live.example:8000#",
            "live.example:8000, null",
        ),
        "unicode": ("l\u00efve.example:8000", "xn--lve-3ya.example:8000"),
        "another of ours": (
            "localhost:8000",
            "127.0.0.1:8000",
            "app.example.evil.test",
            "xapp.example",
            "app.example:8000",
        ),
    }
    for kind, names in lookalikes.items():
        for name in names:
            found = knock(door, method, *via, f"Origin: {scheme}://{name}", proxied=is_secure)
            assert found == NO_ORIGIN, f"{kind}: {name}"
    for origin in (
        f"{other}://live.example:8000",
        "null",
        "",
        f"{scheme}:live.example:8000",
        f"{scheme}:///live.example:8000",
    ):
        assert knock(door, method, *via, f"Origin: {origin}", proxied=is_secure) == NO_ORIGIN, origin
    ours = (
        f"{scheme}://live.example:8000",
        f"{scheme.upper()}://LIVE.example:8000",
        "https://app.example",
        "https://APP.example:443",
    )
    for origin in ours:
        assert knock(door, method, *via, f"Origin: {origin}", proxied=is_secure) == LET_IN, origin
        twice = knock(door, method, *via, f"Origin: {origin}", f"Origin: {origin}", proxied=is_secure)
        assert twice == (400, "repeated_header")
    if is_secure:
        assert knock(door, method, *via, f"Origin: {ours[0]}") == NO_ORIGIN, (
            "nobody but a proxy says what the scheme is"
        )
