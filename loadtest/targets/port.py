"""
The target port: what is under test, as the engines see it.

A target gives each viewer a session (client_sim/session.py), which enters, grabs and reads receipts. Everything else is
a capability: books, announcements, a programme that somebody directs.
"""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from client_sim.session import TargetSession
from client_sim.viewer import Viewer
from server.core.ids import ViewerId

REDRAIN = "redrain"


class BadTarget(Exception):  # noqa: N818 - said to a person
    """A target that cannot be used; the text names the field and says what to do."""


class NotAdmitted(OSError):  # noqa: N818 - the outside world's fault
    """A viewer was refused before it could connect. ``status`` is the HTTP status that answered, None without one."""

    def __init__(self, status: int | None, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Address:
    """
    Where to connect. ``netloc`` goes into a Host header; with ``tls`` the connection is encrypted.

    ``path`` is the prefix of every path of the service.
    """

    host: str
    port: int
    netloc: str
    tls: ssl.SSLContext | None = None
    path: str = ""


class Target(Protocol):
    """One kind of thing under test. One object serves all viewers of an engine process."""

    addresses: Sequence[Address]

    def name_of(self, viewer_id: ViewerId) -> ViewerId:
        """Return what the viewer is called there, as receipts and books name it."""
        ...

    @property
    def needs_admission(self) -> bool:
        """Tell whether ``admit`` has to be called before a viewer connects for the first time."""

    def admit(self, viewer: Viewer) -> None:
        """Get what lets the viewer in. Blocks, and is called in a thread or a greenlet. Raises NotAdmitted."""

    def session(self, viewer: Viewer, address: Address) -> TargetSession:
        """Return the session of a connection that is about to be opened."""
