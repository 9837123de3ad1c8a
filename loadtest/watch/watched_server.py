"""The dashboard of a server as it runs, for a demo or a look at any server of ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from loadtest.targets.access import NOBODY, Access
from loadtest.targets.requester import Requester
from loadtest.watch.controls import Button, ForgetNaive, KillStore, RunNaive
from loadtest.watch.server_source import ServerSource
from loadtest.watch.site import Control, WatchSite


@dataclass(frozen=True, slots=True)
class WatchedServer:
    """
    The server at *url* to look at; *access* is an administrator's.

    *audience* is the folder in which a simulated audience writes its progress, *home* the folder of the server's
    embedded store; both may be unknown. With *breakable* the dashboard has its buttons: one kills the store of *home*,
    one runs a packet with the allocator ``naive``, for which the server needs --diagnostics. *token* is what a button
    asks for; without one every page of this dashboard may press it.
    """

    url: str
    access: Access = NOBODY
    title: str = ""
    audience: Path | None = None
    home: Path | None = None
    breakable: bool = False
    token: str = field(default="", repr=False)


@contextmanager
def watched_server(server: WatchedServer, site: WatchSite) -> Iterator[str]:
    """Serve the dashboard of a server on an open *site* while the block runs, and yield its URL."""
    source = ServerSource(server.url, server.access, title=server.title, audience=server.audience, home=server.home)
    controls: dict[str, Control] = {}
    if server.breakable:
        speed = int(Requester(server.url, server.access).get("/api/clock")["speed"])
        controls = {"naive": RunNaive(source, server.url, server.access, speed=speed), "forget": ForgetNaive(source)}
        if server.home is not None:
            controls["kill_store"] = KillStore(source, server.url, server.home)
    site.start(source, controls, server.token)
    try:
        yield site.url
    finally:
        site.close()
        for control in controls.values():
            if isinstance(control, Button):
                control.wait()
