"""Hosts and origins as browsers send and compare them."""

import pytest

from server.core.web_address import Authority, is_host, is_loopback, listed, plain_name, read_origin


@pytest.mark.parametrize(
    ("text", "host", "port", "name"),
    [
        ("localhost", "localhost", None, "localhost"),
        ("LocalHost:8000", "localhost", 8000, "localhost"),
        ("localhost.:8000", "localhost.", 8000, "localhost"),
        ("live_1.example-shop.com", "live_1.example-shop.com", None, "live_1.example-shop.com"),
        ("xn--fiq228c.example", "xn--fiq228c.example", None, "xn--fiq228c.example"),
        ("192.0.2.7:65535", "192.0.2.7", 65_535, "192.0.2.7"),
        ("[::1]:80", "[::1]", 80, "::1"),
        ("[0:0:0:0:0:0:0:1]", "[0:0:0:0:0:0:0:1]", None, "::1"),
        ("[::FFFF:192.0.2.7]", "[::ffff:192.0.2.7]", None, "192.0.2.7"),
    ],
)
def test_a_host_header_is_a_host_and_perhaps_a_port(text: str, host: str, port: int | None, name: str) -> None:
    """Letters count as one whatever their case, and names are compared without a final dot."""
    read = Authority.read(text)
    assert read == Authority(host, port)
    assert read is not None
    assert read.name == name


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", ":80", "a b", "a,b", "a/b", "a@b", "http://a", "a:", "a:x", "a:65536", "a:123456", "a:80:80", "::1"),
        *("[::1", "[]", "[:]", "[::g]", "[1.2.3.4.5]", "[::1%lo]", "名.example", "a\n", "a:٣", "localhost.."),
    ],
)
def test_a_malformed_host_is_none(text: str) -> None:
    """The name of a host ends with at most one dot."""
    assert Authority.read(text) is None


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("http://localhost:8000", "http://localhost:8000"),
        ("HTTP://LocalHost:80", "http://localhost"),
        ("https://a.example:443", "https://a.example"),
        ("https://a.example:80", "https://a.example:80"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("app://localhost", "app://localhost"),
        ("null", None),
        ("", None),
        ("localhost:8000", None),
        ("http://", None),
        ("http://a.example/", None),
        ("http://me@a.example", None),
        ("1http://a.example", None),
    ],
)
def test_an_origin_is_a_scheme_and_an_authority(text: str, origin: str | None) -> None:
    """The port that a scheme implies is left out; ``null`` is nobody's origin."""
    assert read_origin(text) == origin


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        *((host, True) for host in ("localhost", "LOCALHOST.", "app.localhost", "127.0.0.1", "127.9.9.9", "[::1]")),
        *((host, True) for host in ("::1", "0:0:0:0:0:0:0:1", "[::ffff:127.0.0.1]")),
        *((host, False) for host in ("localhost.example", "127.0.0.1.example", "mylocalhost", "1.0.0.0", "128.0.0.1")),
        *((host, False) for host in ("2130706433", "127.1", "", "[::2]", "192.168.0.1")),
    ],
)
def test_loopback_is_told_by_name_and_by_network(host: str, loopback: bool) -> None:
    """Nobody can have any of these names in a name server, or reach them from another machine."""
    assert is_loopback(host) is loopback


def test_a_host_is_named_without_a_port() -> None:
    """Names and addresses of both kinds, in brackets or not."""
    assert all(map(is_host, ("a", "a.example.", "192.0.2.7", "::1", "[2001:db8::1]")))
    assert not any(map(is_host, ("", "a:80", "[::1]:80", "http://a", "a b", "*", "*.a")))
    assert plain_name("[2001:DB8:0::1]") == "2001:db8::1"


def test_a_list_has_commas() -> None:
    """Blanks around them say nothing."""
    assert listed(" a, b ,,c") == ["a", "b", "c"]
    assert listed("") == []
