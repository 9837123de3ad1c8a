"""Reach: loopback is free, other machines only with leave and a rate, and TLS is verified."""

import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from loadtest.targets.port import Address, BadTarget
from loadtest.targets.reach import address_of, check_listening, check_reach, server_url
from loadtest.targets.requester import SetUpFailed
from tests.loadtest.targets.described import OPENSSL, a_certificate
from tests.loadtest.targets.free_port import free_port
from tests.waiting import PATIENCE_S

REMOTE = "http://192.0.2.1:9000"  # RFC 5737: an address for documents, which nobody has


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000", "ws://localhost:1", "http://[::1]:80", "tcp://127.9.9.9:7"])
def test_this_machine_needs_no_leave(url: str) -> None:
    check_reach([url], allow_remote=False, max_rate=None)


@pytest.mark.parametrize("url", [REMOTE, "https://192.0.2.1", "ws://[2001:db8::1]:80", "http://no-such-name.invalid"])
def test_another_machine_needs_leave_and_a_rate(url: str) -> None:
    with pytest.raises(BadTarget, match=r"not on this machine.*--allow-remote and --max-rate"):
        check_reach(["http://127.0.0.1", url], allow_remote=False, max_rate=10)
    with pytest.raises(BadTarget, match="max-rate: with --allow-remote"):
        check_reach([url], allow_remote=True, max_rate=None)
    check_reach([url], allow_remote=True, max_rate=10)


def test_an_address_has_the_usual_port_of_its_scheme() -> None:
    address = address_of("http://example.test/api")
    assert (address.host, address.port, address.netloc, address.tls) == ("example.test", 80, "example.test", None)
    assert address_of("tcp://127.0.0.1:7").port == 7


def test_tls_is_verified_unless_nobody_asks_for_it() -> None:
    for url in ("https://example.test", "wss://example.test", "tls://example.test:7"):
        tls = address_of(url).tls
        assert tls is not None
        assert (tls.verify_mode, tls.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:9000", "ftp://127.0.0.1:1", "http://:9000", "http://h:99999", "tcp://127.0.0.1", "http://h/?a=1",
     "http://a:b@h/", "http://h/{x}"],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(BadTarget, match="target: "):
        address_of(url)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("localhost", "http://localhost"),
        ("[::1]:8000/live", "http://[::1]:8000/live"),
        ("ws://h:1", "http://h:1"),
        ("wss://h/live/", "https://h/live"),
        (" https://h ", "https://h"),
    ],
)
def test_a_server_is_given_in_every_usual_way(given: str, url: str) -> None:
    assert server_url(given) == url


@pytest.mark.parametrize(
    "given",
    [
        "",
        "http://",
        "tcp://h:1",
        "ftp://h",
        "http://h:99999",
        "http://[::1",
        "http//h:8000",
        "http://h?x=1",
        "::1",
    ],
)
def test_what_is_no_server_is_refused_with_a_hint(given: str) -> None:
    with pytest.raises(BadTarget, match="target: "):
        server_url(given)


@pytest.mark.parametrize("scheme", ["http", "https", "tcp", "ftp", "redis"])
@pytest.mark.parametrize(
    "rest", ["user:secret@h:1", "user:secret@h:99999", "user:secret@", "h/?token=secret", "u:secret@[::1"]
)
def test_a_password_in_a_url_is_never_shown(scheme: str, rest: str) -> None:
    for take in (server_url, address_of):
        with pytest.raises(BadTarget) as refused:
            take(f"{scheme}://{rest}")
        assert "secret" not in str(refused.value)


def test_an_address_keeps_the_prefix_of_its_path() -> None:
    assert [address_of(f"http://h{path}").path for path in ("", "/", "/live", "/a/b/")] == ["", "", "/live", "/a/b"]


def test_a_ca_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    for name in ("gone.pem", "empty.pem"):
        with pytest.raises(BadTarget, match=rf"target\.ca_file: .*{name} cannot be read"):
            address_of("https://example.test", str(tmp_path / name))


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed: no certificate can be made here")
def test_a_certificate_counts_only_if_its_authority_is_known(tmp_path: Path) -> None:
    """With ca_file the service is who it says it is; without it nobody is spoken to."""
    cert, key = a_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answering = threading.Thread(target=_say_hello, args=(listener, context))
        answering.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        assert _heard(address_of(url, str(cert))) == b"hello"
        with pytest.raises(ssl.SSLCertVerificationError):
            _heard(address_of(url))
        answering.join()


def _say_hello(listener: socket.socket, context: ssl.SSLContext) -> None:
    for _ in range(2):
        sock, _ = listener.accept()
        with sock, suppress(OSError), context.wrap_socket(sock, server_side=True) as line:
            line.sendall(b"hello")


def _heard(address: Address) -> bytes:
    assert address.tls is not None
    sock = socket.create_connection((address.host, address.port), timeout=PATIENCE_S)
    with sock, address.tls.wrap_socket(sock, server_hostname=address.host) as line:
        return line.recv(5)


def test_a_target_that_refuses_connections_is_said_at_once() -> None:
    """The message says what to do; one that listens is not waited for."""
    port = free_port()
    with pytest.raises(SetUpFailed, match=rf"127\.0\.0\.1:{port} \(Connection refused\): start the service first"):
        check_listening([address_of(f"http://127.0.0.1:{port}")], within_s=0)
    with pytest.raises(SetUpFailed, match="no-such-host"):
        check_listening([address_of("http://no-such-host.invalid:9000")], within_s=0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        check_listening([address_of(f"http://127.0.0.1:{listener.getsockname()[1]}")])
