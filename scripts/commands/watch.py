"""Shows a running server on a dashboard until a signal comes."""

import signal
import threading
from pathlib import Path

import requests

from loadtest.targets.access import Access
from loadtest.targets.port import BadTarget
from loadtest.targets.reach import server_url
from loadtest.targets.requester import Requester, SetUpFailed
from loadtest.verdict.weigh import Exit
from loadtest.watch.site import WatchSite
from loadtest.watch.watched_server import WatchedServer, watched_server
from scripts.output import console, failed
from server.signals import on_signals


def run_watch(target: str, port: int, token: str, ca_file: str | None, home: Path | None) -> int:
    """Serve the dashboard of the server at *target*; return the exit code."""
    access = Access(token, ca_file)
    told_to_end = threading.Event()
    try:
        url = server_url(target, ca_file)
        Requester(url, access).check_server()
        site = WatchSite(port=port)
    except BadTarget as error:
        return failed(error, Exit.USAGE)
    except ValueError as error:  # a host that no name server could know
        return failed(f"target: is no URL of a server ({str(error)[:80]})", Exit.USAGE)
    except (SetUpFailed, requests.RequestException) as error:
        return failed(f"{target}: {error}", Exit.ENVIRONMENT)
    except OSError as error:
        return failed(f"port: 127.0.0.1:{port} cannot be had ({error.strerror}); choose another", Exit.ENVIRONMENT)
    with (
        on_signals(told_to_end.set, signal.SIGINT, signal.SIGTERM),
        watched_server(WatchedServer(url, access, home=home), site) as dashboard,
    ):
        console(None).print(f"redrain: {url} is shown at {dashboard}; Ctrl-C ends it", soft_wrap=True)
        told_to_end.wait()
    return int(Exit.PASS)
