"""How things end that are not let finish: storms that are interrupted or killed, and servers that share a store."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import requests

from tests.waiting import until

TIMEOUT_S = 60.0


def _of(folder: Path) -> list[str]:
    """Return the command lines of all processes that were told of the folder, but for the storm's own."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        here = any(f"{folder}/" in word or word == str(folder) for word in words)
        if here and "storm" not in words and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(" ".join(words))
    return found


def _heed_interrupts() -> None:
    """Undo what a shell does to commands it runs in the background: a terminal's commands do hear Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def _redrain(*arguments: str, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run a command as a terminal would, as the leader of its process group, and leave none behind."""
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "scripts.cli", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
        preexec_fn=_heed_interrupts,  # noqa: PLW1509 - the tests have no threads that hold a lock here
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def _storm(run: Path, said: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a smoke storm; the block is entered when it has said *said*."""
    with _redrain("storm", "smoke", "--out", str(run), folder=run.parent) as storm:
        assert storm.stdout is not None
        before = []
        for line in storm.stdout:
            before.append(line)
            if said in line:
                break
        else:
            pytest.fail("".join(before))
        yield storm


def _interrupt_group(process: "subprocess.Popen[str]") -> None:
    os.killpg(process.pid, signal.SIGINT)  # what Ctrl-C does


@pytest.mark.parametrize("end", [_interrupt_group, subprocess.Popen.terminate], ids=["Ctrl-C", "SIGTERM"])
@pytest.mark.parametrize("said", ["starting a server", "connecting", "the curtain rises"])
def test_an_interrupted_storm_leaves_nothing_behind(
    end: Callable[["subprocess.Popen[str]"], None], said: str, tmp_path: Path
) -> None:
    """Whenever it comes, server, store and audience end before the storm does, which says so and exits with 130."""
    run = tmp_path / "run"
    with _storm(run, said) as storm:
        end(storm)
        rest, _ = storm.communicate(timeout=TIMEOUT_S)
        assert storm.returncode == 130, rest
    assert "interrupted" in rest
    assert "Traceback" not in rest
    until(lambda: not _of(run), f"{_of(run)} runs on")
    assert not (run / "result.json").exists()


def test_what_a_killed_storm_has_started_ends_by_itself(tmp_path: Path) -> None:
    """After kill -9 nobody is left to stop server, store and audience; they notice."""
    run = tmp_path / "run"
    with _storm(run, "the curtain rises") as storm:
        for part in ("serve", "valkey-server", "locust"):
            assert any(part in command for command in _of(run)), part
        storm.kill()
        storm.communicate(timeout=TIMEOUT_S)
        assert storm.returncode == -signal.SIGKILL
    until(lambda: not _of(run), f"{_of(run)} runs on")


@contextmanager
def _server(folder: Path, name: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Serve from the folder on a free port; the block gets the process and its URL."""
    ready = folder / name
    with _redrain("serve", "--insecure", "--port", "0", "--ready-file", str(ready), folder=folder) as server:
        until(lambda: server.poll() is not None or (ready.exists() and ready.read_text() != ""), "it does not serve")
        assert server.poll() is None, server.communicate()[0]
        yield server, ready.read_text()


def _recharge(url: str, amount_fen: int) -> int:
    path = f"{url}/api/creators/anna/recharge"
    available: int = requests.post(path, json={"amount_fen": amount_fen}, timeout=TIMEOUT_S).json()["available_fen"]
    return available


def test_servers_of_one_folder_share_its_store(tmp_path: Path) -> None:
    """A second server joins the store of the first; the first may go, and the last one out stops the store."""
    store = tmp_path / ".redrain"
    with _server(tmp_path, "first") as (first, first_url), _server(tmp_path, "second") as (second, second_url):
        assert first_url != second_url
        assert _recharge(first_url, 5) == 5
        assert _recharge(second_url, 5) == 10

        _interrupt_group(first)
        output, _ = first.communicate(timeout=TIMEOUT_S)
        assert first.returncode == 0, output
        assert _recharge(second_url, 5) == 15
        assert any("valkey-server" in command for command in _of(store))

        second.terminate()
        output, _ = second.communicate(timeout=TIMEOUT_S)
        assert second.returncode == 0, output
    until(lambda: not _of(store), f"{_of(store)} runs on")


def test_the_money_is_there_again_after_a_restart(tmp_path: Path) -> None:
    """The store of a folder keeps its books from one server to the next, a killed one included."""
    with _server(tmp_path, "first") as (_, url):
        assert _recharge(url, 5) == 5
    with _server(tmp_path, "second") as (_, url):
        assert _recharge(url, 5) == 10
