"""Proxies: whom their headers are believed to speak for."""

import pytest

from server.gateway.proxies import TrustedProxies

PROXY, CLIENT = "127.0.0.1", "203.0.113.7"


def client(trusted: str, *headers: str, peer: str = PROXY) -> str:
    pairs = [header.split(": ", 1) for header in headers]
    return TrustedProxies(trusted).client(peer, [(name.lower().encode(), value.encode()) for name, value in pairs])


@pytest.mark.parametrize("trusted", ["", "10.0.0.1", "10.0.0.0/8,::1"])
@pytest.mark.parametrize("header", [f"X-Forwarded-For: {CLIENT}", f"Forwarded: for={CLIENT}"])
def test_who_is_not_trusted_is_not_believed(trusted: str, header: str) -> None:
    """Whatever a peer claims, it counts as itself unless it is a trusted proxy."""
    assert client(trusted, header) == PROXY


@pytest.mark.parametrize("trusted", [PROXY, "127.0.0.0/8", "10.0.0.1, 127.0.0.1", "*"])
@pytest.mark.parametrize(
    "header",
    [
        f"X-Forwarded-For: {CLIENT}",
        f"X-Forwarded-For: {CLIENT}:4711",
        f"Forwarded: for={CLIENT}",
        f'Forwarded: For="{CLIENT}:4711";proto=https;by=127.0.0.1',
        f"Forwarded: proto=https ; for={CLIENT}:4711",
        f"X-Forwarded-For: ::ffff:{CLIENT}",
    ],
)
def test_a_trusted_proxy_speaks_for_its_client(trusted: str, header: str) -> None:
    """Both headers, with and without a port, in every way that proxies write them."""
    assert client(trusted, header) == CLIENT


@pytest.mark.parametrize("written", ["[2001:db8::7]", "[2001:db8::7]:4711", "[2001:DB8:0::7]"])
def test_one_ipv6_client_is_one_address(written: str) -> None:
    """The same address counts as one, however it is written."""
    assert client(PROXY, f"X-Forwarded-For: {written}") == "2001:db8::7"
    assert client(PROXY, f'Forwarded: for="{written}"') == "2001:db8::7"


@pytest.mark.parametrize(
    "headers",
    [
        [f"X-Forwarded-For: 6.6.6.6, {CLIENT}"],
        [f"X-Forwarded-For: 6.6.6.6, {CLIENT}, 127.0.0.9"],
        ["X-Forwarded-For: 6.6.6.6", f"X-Forwarded-For: {CLIENT}"],
        [f"Forwarded: for=6.6.6.6, for={CLIENT}, for=127.0.0.9;proto=https"],
        ["Forwarded: for=6.6.6.6", f"Forwarded: for={CLIENT}"],
        [f"X-Forwarded-For: {CLIENT}", f"Forwarded: for={CLIENT}"],
    ],
)
def test_the_last_address_that_is_no_proxy_counts(headers: list[str]) -> None:
    """The client can write anything before it in the chain."""
    assert client("127.0.0.0/8", *headers) == CLIENT


def test_with_all_trusted_the_first_address_counts() -> None:
    """As uvicorn does it: whoever says * vouches for the whole chain."""
    assert client("*", f"X-Forwarded-For: {CLIENT}, 6.6.6.6") == CLIENT
    assert client("*", f"Forwarded: for={CLIENT}, for=6.6.6.6", peer="") == CLIENT


@pytest.mark.parametrize(
    "headers",
    [
        [],
        ["X-Forwarded-For: "],
        ["X-Forwarded-For: unknown"],
        ["X-Forwarded-For: localhost"],
        ["Forwarded: for=unknown"],
        ["Forwarded: for=_hidden"],
        ["Forwarded: by=6.6.6.6"],
        ["Forwarded: for=6.6.6.6, by=127.0.0.1"],
        [f"X-Forwarded-For: {CLIENT}", "Forwarded: for=6.6.6.6"],
        # What the client sends ends in an open quote, and the proxy adds the rest.
        ['Forwarded: for=6.6.6.6;by="x, for="203.0.113.7:80"'],
        ['Forwarded: for=6.6.6.6;by="x\\, for="203.0.113.7:80"'],
        ['Forwarded: for="6.6.6.6, for=203.0.113.7'],
        ['Forwarded: for="6.6.6.6, 7.7.7.7"'],
    ],
)
def test_a_client_that_is_not_clearly_named_counts_as_the_proxy(headers: list[str]) -> None:
    """Neither an unknown client nor a contradiction nor a malformed header lets anybody choose an address."""
    assert client(PROXY, *headers) == PROXY
