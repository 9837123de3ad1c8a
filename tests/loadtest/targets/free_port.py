"""Ports of this machine that nobody uses, and waiting until somebody does."""

import socket

from tests.waiting import until


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    """Wait until somebody listens at a port."""
    until(lambda: _listened_at(port), f"a listener at {port}")


def _listened_at(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0
