"""Tests of the embedded store: real servers, real processes, real kills."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from server.store.connection import Durability, Store
from server.store.embedded import process
from server.store.embedded.folder import FORMAT, FORMAT_VERSION, StoreNotStarted
from server.store.embedded.process import LOG, EmbeddedStore, PortTaken, answering
from tests.conftest import free_port
from tests.waiting import until

HOLDER = """
import pathlib, sys, time
from server.store.embedded.process import EmbeddedStore
store = EmbeddedStore.start(pathlib.Path(sys.argv[1]))
print(store.pid, flush=True)
time.sleep(600)
"""


async def test_what_was_acknowledged_is_there_after_a_restart_at_the_same_address(tmp_path: Path) -> None:
    """Stopping writes everything; the address is the directory's."""
    first = EmbeddedStore.start(tmp_path)
    store = await Store.connect(first.url)
    await store.redis.set("kept", "yes")
    await store.close()
    first.stop()
    assert not psutil.pid_exists(first.pid)

    second = EmbeddedStore.start(tmp_path)
    store = await Store.connect(second.url)
    assert await store.redis.get("kept") == b"yes"
    assert second.url == first.url
    await store.close()
    second.stop()


@pytest.mark.parametrize("durability", list(Durability))
async def test_the_store_gives_the_durability_it_was_started_for(tmp_path: Path, durability: Durability) -> None:
    """A started store has the durability that connecting requires."""
    running = EmbeddedStore.start(tmp_path, durability=durability)
    store = await Store.connect(running.url, durability=durability)
    configured = await store.redis.config_get("*")
    await store.close()
    running.stop()

    assert configured["maxmemory-policy"] == "noeviction"
    assert configured["enable-debug-command"] == "no"
    assert configured["save"] == ""
    assert configured["port"] == "0"


def test_an_acknowledged_write_survives_a_kill_of_the_store(tmp_path: Path) -> None:
    """AOF always: what was answered is on the disk, and is there again at the same address, without a hand raised."""
    running = EmbeddedStore.start(tmp_path)
    assert _told(running, b"SET kept yes") == b"+OK\r\n"
    pid = running.pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: running.pid != pid and answering(tmp_path, running.url) == running.pid)

    assert _told(running, b"GET kept") == b"$3\r\nyes\r\n"
    running.stop()
    assert not psutil.pid_exists(running.pid)


def test_a_killed_supervisor_is_replaced(tmp_path: Path) -> None:
    """The store lives on, is restarted when it dies, and ends with its last user as before."""
    running = EmbeddedStore.start(tmp_path)
    supervising = psutil.Process(running.pid).parent()
    assert supervising is not None
    supervising.kill()
    until(lambda: "lost its supervisor, and has another now" in (tmp_path / LOG).read_text())
    assert _told(running, b"SET kept yes") == b"+OK\r\n"
    pid = running.pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: running.pid != pid and answering(tmp_path, running.url) == running.pid)
    assert _told(running, b"GET kept") == b"$3\r\nyes\r\n"
    running.stop()
    assert not psutil.pid_exists(running.pid)


def test_a_store_whose_supervisor_was_killed_ends_with_its_last_user(tmp_path: Path) -> None:
    """The last user of a store without a supervisor stops it."""
    running = EmbeddedStore.start(tmp_path)
    supervising = psutil.Process(running.pid).parent()
    assert supervising is not None
    supervising.kill()
    until(lambda: not supervising.is_running())
    assert _told(running, b"SET kept yes") == b"+OK\r\n"
    store = psutil.Process(running.pid)
    running.stop()
    assert not store.is_running() or store.status() == psutil.STATUS_ZOMBIE  # whoever adopted it may not bury it

    again = EmbeddedStore.start(tmp_path)
    assert _told(again, b"GET kept") == b"$3\r\nyes\r\n"
    again.stop()


def _told(store: EmbeddedStore, command: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as viewer:
        viewer.connect(store.url.removeprefix("unix://"))
        viewer.sendall(command + b"\r\n")
        return viewer.recv(100)


def test_the_store_ends_with_a_process_that_was_killed(tmp_path: Path) -> None:
    """Kill -9 of its user leaves nothing running, and the directory can be used at once."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        pid = int(holder.stdout.readline())
        assert psutil.pid_exists(pid)
        holder.kill()
    until(lambda: not psutil.pid_exists(pid))

    EmbeddedStore.start(tmp_path).stop()


def test_an_interrupt_of_the_process_group_does_not_reach_the_store(tmp_path: Path) -> None:
    """Ctrl-C goes to us alone: receipts are drained into a store that still runs."""
    ignores = HOLDER.replace(
        "import pathlib", "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nimport pathlib"
    )
    with subprocess.Popen(
        [sys.executable, "-c", ignores, tmp_path], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as holder:
        assert holder.stdout is not None
        pid = int(holder.stdout.readline())
        os.killpg(holder.pid, signal.SIGINT)
        with socket.socket(socket.AF_UNIX) as viewer:
            viewer.connect(str(tmp_path / "store.sock"))
            viewer.sendall(b"PING\r\n")
            assert viewer.recv(100) == b"+PONG\r\n"
        assert os.getsid(pid) != os.getsid(holder.pid)
        holder.kill()
    until(lambda: not psutil.pid_exists(pid))


def test_a_forked_child_does_not_keep_the_store_from_stopping(tmp_path: Path) -> None:
    """The store's starter stops it, even if children inherited descriptors."""
    running = EmbeddedStore.start(tmp_path)
    child = os.fork()
    if child == 0:
        time.sleep(600)
        os._exit(0)
    running.stop()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)

    assert not psutil.pid_exists(running.pid)


def test_a_long_path_falls_back_to_a_loopback_port_and_keeps_it(tmp_path: Path) -> None:
    """A socket's path must fit the kernel's 107 bytes; the port is the same after a restart."""
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    first = EmbeddedStore.start(deep)
    first.stop()
    second = EmbeddedStore.start(deep)
    second.stop()

    assert first.url.startswith("redis://127.0.0.1:")
    assert second.url == first.url


def test_the_odd_letters_of_a_path_do_no_harm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Spaces, quotes, hashes and Chinese in the folder's name are just a name."""
    running = EmbeddedStore.start(tmp_path_factory.mktemp("odd") / 'a "b" #c %20 红')
    running.stop()

    assert running.url.startswith("unix:///")


def test_a_port_that_was_asked_for_is_listened_on(tmp_path: Path) -> None:
    """Several servers may share one store by its port, on this machine only."""
    port = free_port()
    running = EmbeddedStore.start(tmp_path, port=port)
    with socket.create_connection(("127.0.0.1", port)) as viewer:
        viewer.sendall(b"PING\r\n")
        assert viewer.recv(100) == b"+PONG\r\n"
    addresses = {
        at.laddr.ip for at in psutil.Process(running.pid).net_connections() if at.status == "LISTEN" and at.laddr
    }
    running.stop()

    assert running.url == f"redis://127.0.0.1:{port}"
    assert addresses == {"127.0.0.1"}


def test_a_taken_port_is_refused_in_words(tmp_path: Path) -> None:
    """It says which, and what to do; nothing was started."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} .* choose another"):
            EmbeddedStore.start(tmp_path, port=port)

    EmbeddedStore.start(tmp_path, port=port).stop()


def test_a_machine_without_a_bundled_store_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the package has no program for a machine, a sentence says what to do."""
    monkeypatch.setattr(process, "find_spec", lambda _: None)
    with pytest.raises(StoreNotStarted, match="no Valkey for this machine: install it anew"):
        EmbeddedStore.start(tmp_path)


def test_a_directory_in_which_a_store_runs_is_refused(tmp_path: Path) -> None:
    """Two stores on one set of books would ruin them; the first is not disturbed."""
    running = EmbeddedStore.start(tmp_path)
    with pytest.raises(StoreNotStarted, match="already: stop it"):
        EmbeddedStore.start(tmp_path)
    assert psutil.pid_exists(running.pid)
    running.stop()


def test_a_store_that_cannot_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    """The reason is in the store's own words."""
    with pytest.raises(StoreNotStarted, match="appendonly") as caught:
        EmbeddedStore.start(tmp_path, more={"appendonly": "perhaps"})

    assert "argument must be 'yes' or 'no'" in str(caught.value)


def test_a_folder_that_cannot_be_written_is_refused_in_words(tmp_path: Path) -> None:
    """A file where the folder should be is the caller's slip, not a crash."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreNotStarted, match="choose a folder"):
        EmbeddedStore.start(tmp_path / "file")


def test_a_folder_of_a_newer_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    """A folder says its format from the first start on; data of a later one are not opened."""
    EmbeddedStore.start(tmp_path, durability=Durability.NONE).stop()
    assert (tmp_path / FORMAT).read_text("utf-8") == f"{FORMAT_VERSION}\n"
    for later in (f"{FORMAT_VERSION + 1}\n", "next\n"):
        (tmp_path / FORMAT).write_text(later, "utf-8")
        with pytest.raises(StoreNotStarted, match=rf"format '{later.strip()}'.* reads up to {FORMAT_VERSION}"):
            EmbeddedStore.start(tmp_path, durability=Durability.NONE)
        assert (tmp_path / FORMAT).read_text("utf-8") == later


def test_a_folder_from_before_there_were_formats_is_of_the_first(tmp_path: Path) -> None:
    """It is opened, and says so from then on."""
    EmbeddedStore.start(tmp_path, durability=Durability.NONE).stop()
    (tmp_path / FORMAT).unlink()
    EmbeddedStore.start(tmp_path, durability=Durability.NONE).stop()
    assert (tmp_path / FORMAT).read_text("utf-8") == "1\n"
