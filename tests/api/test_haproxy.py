"""HAProxy, as docs/haproxy.cfg has it, in front of a secure server with production limits."""

import asyncio
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
import requests

from server.core.credential import Role
from server.core.ids import RoomId, ViewerId
from server.gateway.limits import PRODUCTION
from server.gateway.signing import Signer
from server.gateway.tickets import Tickets
from tests.api.conftest import SECRET, Guarded
from tests.conftest import free_port
from tests.gateway.house import request
from tests.loadtest.targets.described import OPENSSL, a_certificate
from tests.waiting import PATIENCE_S, until

CONFIG = Path(__file__).parents[2] / "docs/haproxy.cfg"
HAPROXY = next(filter(None, (shutil.which("haproxy", path=path) for path in (None, "/usr/sbin"))), None)

pytestmark = pytest.mark.skipif(
    HAPROXY is None or OPENSSL is None, reason="haproxy or openssl is not installed (apt-get install haproxy openssl)"
)


@pytest.fixture
def front(guarded: Guarded, tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Run HAProxy and yield its port and the certificate that it shows."""
    cert, key = a_certificate(tmp_path)
    site, port = tmp_path / "site.pem", free_port()
    site.write_bytes(cert.read_bytes() + key.read_bytes())
    config = CONFIG.read_text("utf-8").replace("site.pem", str(site)).replace("127.0.0.1:8443", f"127.0.0.1:{port}")
    (tmp_path / "haproxy.cfg").write_text(
        config.replace("127.0.0.1:8000", guarded.url.removeprefix("http://")), "utf-8"
    )
    with subprocess.Popen([str(HAPROXY), "-f", str(tmp_path / "haproxy.cfg")]) as process:
        try:
            yield port, cert
        finally:
            process.terminate()


async def test_two_hundred_viewers_of_one_address_leave_room_for_another(
    guarded: Guarded, front: tuple[int, Path]
) -> None:
    """
    The limit is each viewer's own, TLS ends at the proxy, and nobody can claim to be somebody else.

    Clients come from 127.0.0.2 and 127.0.0.3, which the proxy sees; the server sees only the proxy at 127.0.0.1.
    """
    port, cert = front
    await asyncio.to_thread(_wait_for, f"https://127.0.0.1:{port}/readyz", cert)
    with guarded.calls(Role.ADMIN, "root") as admin:
        room_id = RoomId(admin.room("haproxy"))
    tickets, context = Tickets(Signer(SECRET.encode())), ssl.create_default_context(cafile=cert)
    open_ones: list[asyncio.StreamWriter] = []
    numbers = count()

    async def knock(address: str, *headers: str) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, local_addr=(address, 0))
        open_ones.append(writer)
        ticket = tickets.mint(ViewerId(f"v{next(numbers)}"), room_id, time.time_ns() // 1_000_000)
        writer.write(request(f"/ws/rooms/{room_id}?ticket={ticket}", *headers))
        return (await asyncio.wait_for(reader.readline(), PATIENCE_S)).split()[1]

    try:
        most = PRODUCTION.connections_per_address_max
        assert set(await asyncio.gather(*(knock("127.0.0.2") for _ in range(most)))) == {b"101"}
        assert await knock("127.0.0.2") == b"429"
        for claim in ("X-Forwarded-For: 203.0.113.7", "Forwarded: for=203.0.113.7"):
            assert await knock("127.0.0.2", claim) == b"429"
        assert await knock("127.0.0.3") == b"101"
        # The page's origin is that of the proxy, and no client can name another host.
        assert await knock("127.0.0.3", "Origin: https://localhost") == b"101"
        assert await knock("127.0.0.3", "Origin: http://localhost") == b"403"
        assert await knock("127.0.0.3", "Origin: https://evil.example", "X-Forwarded-Host: evil.example") == b"403"
        assert await knock("127.0.0.3", "X-Forwarded-Host: evil.example") == b"101"
    finally:
        for writer in open_ones:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def _wait_for(url: str, cert: Path) -> None:
    until(lambda: _answers(url, cert), url)


def _answers(url: str, cert: Path) -> bool:
    with suppress(requests.ConnectionError):
        return requests.get(url, verify=str(cert), timeout=PATIENCE_S).ok
    return False
