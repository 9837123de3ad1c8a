"""Tests of the server folder: several processes, one store."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from server.store.connection import Durability
from server.store.embedded.process import EmbeddedStore
from tests.waiting import until

SERVER = """
import pathlib, sys
from server.store.fitness import Durability
from server.store.embedded.process import EmbeddedStore
store = EmbeddedStore.join(pathlib.Path(sys.argv[1]) / "store", Durability.NONE)
print(store.pid, store.url, flush=True)
sys.stdin.readline()
store.stop()
"""


@contextmanager
def server(home: Path) -> Iterator[tuple["subprocess.Popen[str]", int, str]]:
    """Run another process that joins the store; a line to it makes it leave and end."""
    command = [sys.executable, "-c", SERVER, str(home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid, url = process.stdout.readline().split()
        yield process, int(pid), url


def await_end(pid: int) -> None:
    """Wait until the process is gone."""
    until(lambda: not psutil.pid_exists(pid))


def test_a_second_server_joins_and_the_last_one_out_stops_the_store(tmp_path: Path) -> None:
    """The one that started it may leave first."""
    with server(tmp_path) as (first, pid, url):
        with server(tmp_path) as (second, joined_pid, joined_url):
            assert (joined_pid, joined_url) == (pid, url)
            first.communicate("leave\n")
            assert psutil.pid_exists(pid)
            second.communicate("leave\n")
        assert not psutil.pid_exists(pid)


def test_a_starter_that_was_killed_leaves_the_store_to_the_others(tmp_path: Path) -> None:
    """Kill -9 of the first; the second goes on, and its end is the store's."""
    with server(tmp_path) as (first, pid, _):
        second = EmbeddedStore.join(tmp_path / "store", Durability.NONE)
        first.kill()
        first.communicate()
        time.sleep(0.1)  # in which it would end if it hung on the first
        assert psutil.pid_exists(pid)
        assert second.pid == pid
        second.stop()
        assert not psutil.pid_exists(pid)


def test_the_last_one_killed_stops_the_store_too(tmp_path: Path) -> None:
    """Nobody has to say goodbye."""
    with server(tmp_path) as (only, pid, _):
        only.kill()
        only.communicate()
    await_end(pid)


def test_servers_that_start_at_once_share_one_store(tmp_path: Path) -> None:
    """One starts it, the others wait for it."""
    command = [sys.executable, "-c", SERVER, str(tmp_path)]
    servers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    heard = set()
    for process in servers:
        assert process.stdout is not None
        heard.add(process.stdout.readline())
    for process in servers:
        process.communicate("leave\n")

    assert len(heard) == 1


def test_the_address_stays_and_is_written_down(tmp_path: Path) -> None:
    """The lock says who runs and where, and the next store is where the last one was."""
    joined = EmbeddedStore.join(tmp_path / "store", Durability.NONE)
    noted = json.loads((tmp_path / "store" / "store.lock").read_text())
    joined.stop()
    again = EmbeddedStore.join(tmp_path / "store", Durability.NONE)
    again.stop()

    assert noted == {"pid": joined.pid, "url": joined.url}
    assert again.url == joined.url
    assert again.pid != joined.pid


def test_a_store_that_died_is_there_again_for_the_next_server(tmp_path: Path) -> None:
    """Those who used it find it at the same address."""
    first = EmbeddedStore.join(tmp_path / "store", Durability.NONE)
    died = first.pid
    psutil.Process(died).kill()
    await_end(died)
    second = EmbeddedStore.join(tmp_path / "store", Durability.NONE)

    assert second.url == first.url
    assert psutil.pid_exists(second.pid)
    first.stop()
    assert psutil.pid_exists(second.pid)
    second.stop()
    assert not psutil.pid_exists(second.pid)
