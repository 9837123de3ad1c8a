"""The library's connections, made for many small commands: hiredis writes these, as it reads their answers already."""

from functools import cache
from typing import Any

import hiredis
from redis import DriverInfo
from redis.asyncio import Connection, SSLConnection, UnixDomainSocketConnection


class PackedByHiredis:
    """Writes what the library would write, for a fifth of the time."""

    def pack_command(self, *args: Any) -> list[bytes]:
        """Return a command as it is sent; its name may be of several words."""
        try:
            return [hiredis.pack_command((*args[0].split(), *args[1:]))]
        except TypeError:  # of an argument that the library knows, or knows to refuse
            packed: list[bytes] = super().pack_command(*args)  # type: ignore[misc]
            return packed


class TcpConnection(PackedByHiredis, Connection):
    """A connection by TCP."""


class TlsConnection(PackedByHiredis, SSLConnection):
    """A connection by TCP with TLS."""


class SocketFileConnection(PackedByHiredis, UnixDomainSocketConnection):
    """A connection by a socket file."""


OURS = {Connection: TcpConnection, SSLConnection: TlsConnection, UnixDomainSocketConnection: SocketFileConnection}


@cache
def driver_info() -> DriverInfo:
    """Return what a connection says of the library: left to find out, each one would read the package's metadata."""
    return DriverInfo()
