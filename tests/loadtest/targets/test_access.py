"""HTTP that the surroundings do not change: no proxy and no .netrc, and TLS that is verified."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from loadtest.targets.access import Access, http_session
from loadtest.targets.requester import Requester, SetUpFailed
from tests.conftest import free_port
from tests.loadtest.targets.described import OPENSSL, a_certificate


@contextmanager
def a_clock(context: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[str | None]]]:
    """Answer as a server's clock does; yield the port and the credentials that were shown."""
    shown: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown.append(self.headers["authorization"])
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"room_ms": 1, "speed": 1}')

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port, shown
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_neither_a_proxy_nor_netrc_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The traffic goes where the URL says, and shows the credential that was given."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n", "utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("no_proxy", "")
    with a_clock() as (port, shown):
        Requester(f"http://127.0.0.1:{port}", Access("secret")).check_server()
        Requester(f"http://127.0.0.1:{port}").check_server()
    assert shown == ["Bearer secret", None]


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed: no certificate can be made here")
def test_tls_is_verified_by_the_authority_that_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its authority a server is refused, and the text names the option; the environment vouches for nobody."""
    cert, key = a_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(cert))
    with a_clock(context) as (port, shown):
        Requester(f"https://127.0.0.1:{port}", Access(ca_file=str(cert))).check_server()
        with pytest.raises(SetUpFailed, match="--ca-file"):
            Requester(f"https://127.0.0.1:{port}").check_server()
    assert len(shown) == 1


def test_a_credential_is_not_shown_by_accident() -> None:
    """A representation, as in a traceback, does not hold it."""
    assert "secret" not in repr(Access("secret"))


def test_a_session_is_verified_by_the_systems_authorities() -> None:
    """They are those by which viewers' sockets are verified."""
    session: requests.Session = http_session()
    system = ssl.get_default_verify_paths()
    assert session.verify in (system.cafile, system.capath)
    assert not session.trust_env
