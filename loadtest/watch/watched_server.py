"""The dashboard of a server as it runs, for a demo or a look at any server of ours."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from loadtest.targets.access import NOBODY, Access
from loadtest.watch.controls import NAIVE, Button, ForgetNaive, KillStore
from loadtest.watch.server_source import ServerSource
from loadtest.watch.site import Control, WatchSite

RunNaive = Callable[[Callable[[Path], None], Callable[[], bool]], None]
"""
Runs one packet with the allocator ``naive``. Its first argument takes the folder of a history whose receipts count from
then on; it ends early once the second returns true.
"""


@dataclass(frozen=True, slots=True)
class WatchedServer:
    """
    The server at *url* to look at; *access* is an administrator's.

    *audience* is the folder in which a simulated audience writes its progress, *home* the folder of the server's
    embedded store; both may be unknown. With *breakable* there are buttons that break it: one kills the store of
    *home*, one runs *naive*. They ask for the *token*; without one every page of this dashboard may press them.
    """

    url: str
    access: Access = NOBODY
    title: str = ""
    audience: Path | None = None
    home: Path | None = None
    breakable: bool = False
    naive: RunNaive | None = None
    token: str = field(default="", repr=False)


@contextmanager
def watched_server(server: WatchedServer, site: WatchSite) -> Iterator[str]:
    """Serve the dashboard of a server on an open *site* while the block runs, and yield its URL."""
    source = ServerSource(server.url, server.access, title=server.title, audience=server.audience, home=server.home)
    with ExitStack() as stack:
        controls = _controls(server, source)
        for control in controls.values():
            stack.callback(control.close)
        stack.callback(site.close)
        site.start(source, controls, server.token)
        yield site.url


def _controls(server: WatchedServer, source: ServerSource) -> dict[str, Control]:
    controls: dict[str, Control] = {}
    naive = server.naive
    if server.breakable and naive is not None:

        def run(stopped: Callable[[], bool]) -> None:
            source.say(NAIVE)
            naive(source.hear, stopped)

        controls |= {NAIVE: Button(NAIVE, source, run), "forget": ForgetNaive(source)}
    if server.breakable and server.home is not None:
        controls["kill_store"] = KillStore(source, server.url, server.home)
    return controls
