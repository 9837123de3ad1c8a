"""The floor: a uvloop transport that answers every read with the same frame, without parsing or storing anything."""

import asyncio
import sys
from collections.abc import Callable
from typing import cast

import uvloop
from websockets.utils import accept_key

_RECEIPT = (
    b'{"type":"receipt","request_id":"1f3-12","packet_id":"anna.0123456789","status":"granted","amount_fen":188,'
    b'"index":12,"claim_id":"anna.0123456789:12","edition":1}'
)
_FRAME = b"\x81\x7e" + len(_RECEIPT).to_bytes(2, "big") + _RECEIPT


class Floor(asyncio.Protocol):
    """Answers."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection."""
        self._transport = cast(asyncio.Transport, transport)
        self._answer: Callable[[bytes], None] = self._shake_hands

    def data_received(self, data: bytes) -> None:
        """Answer a read."""
        self._answer(data)

    def _shake_hands(self, data: bytes) -> None:
        key = data.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0].decode()
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept_key(key).encode() + b"\r\n\r\n"
        )
        write = self._transport.write
        self._answer = lambda _: write(_FRAME)


async def serve() -> None:
    """Listen on a free port and print it."""
    server = await asyncio.get_running_loop().create_server(Floor, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


if __name__ == "__main__":
    uvloop.run(serve())
