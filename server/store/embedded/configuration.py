"""The configuration file of an embedded store."""

import os
from collections.abc import Mapping
from pathlib import Path

from server.store.fitness import Durability

_APPEND: dict[Durability, dict[str, str]] = {
    Durability.NONE: {"appendonly": "no"},
    Durability.RELAXED: {"appendonly": "yes", "appendfsync": "everysec"},
    Durability.DURABLE: {"appendonly": "yes", "appendfsync": "always"},
}


def configuration(
    directory: Path, durability: Durability, port: int | None, socket_path: Path | None, more: Mapping[str, str]
) -> bytes:
    """Return the text of the configuration; a line of *more* replaces ours of its name."""
    lines = {
        "dir": str(directory),
        "bind": "127.0.0.1",
        "port": str(port or 0),
        **({"unixsocket": str(socket_path), "unixsocketperm": "700"} if socket_path else {}),
        "protected-mode": "yes",
        "enable-debug-command": "no",
        "maxmemory-policy": "noeviction",
        "save": "",
        # A packet's claims soon leave the compact form, in which a write looks through all that came before it.
        "hash-max-listpack-entries": "32",
        **_APPEND[durability],
        "no-appendfsync-on-rewrite": "no",
        # A kill in the middle of a write leaves a torn end. Whatever else an end has lost, the servers' witness shows.
        "aof-load-truncated": "yes",
        **more,
    }
    return b"".join(b"%s %s\n" % (name.encode(), _quoted(value)) for name, value in lines.items())


def _quoted(value: str) -> bytes:
    return b'"' + os.fsencode(value).replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
