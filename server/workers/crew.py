"""Workers: several processes of one server on one port. The parent serves nothing; it keeps them alive."""

import asyncio
import os
import signal
import socket
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path

import orjson

from server.app import CannotServe, base_url, bind_port, open_port, store_in_use
from server.settings import Settings
from server.store.embedded.process import SOCKET_PATH_BYTES_MAX
from server.workers.worker import READY, WorkerConfig

FOLDER = "workers"  # in the home folder: the workers' sockets and the list of their process ids
STAYS_UP_S = 10.0  # a worker that ran this long was healthy: the next one starts at once
PAUSE_S = (0.1, 10.0)  # before a worker restarts: at first, and at most if it keeps dying
STOP_SLACK_S = 10.0  # beyond the time that receipts have to drain


async def serve_with_workers(settings: Settings, ready: Callable[[str], None], say: Callable[[str], None]) -> None:
    """
    Run ``settings.workers`` processes on one port until SIGINT or SIGTERM.

    *ready* is called with the base URL once all of them serve, *say* with a line for each that died. Raises
    CannotServe, StoreUnfit or StoreUnavailable before anything is served.
    """
    async with AsyncExitStack() as stack:
        reserved = stack.enter_context(_reserve_port(settings))
        stack.enter_context(store_in_use(settings))  # held over the death of all workers
        folder = stack.enter_context(_folder(settings.home))
        crew = Crew(settings.model_copy(update={"port": reserved.getsockname()[1]}), folder, say)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, crew.dismiss)
            stack.callback(loop.remove_signal_handler, number)
        await crew.work(lambda: ready(base_url(reserved)))


class Crew:
    """The workers of one server."""

    def __init__(self, settings: Settings, folder: Path, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._say = say
        self._sockets = [folder / f"{os.getpid()}-{number}.sock" for number in range(settings.workers)]
        self._roll = settings.home / FOLDER / f"{os.getpid()}.json"
        self._processes: dict[int, Process] = {}
        self._ready: set[int] = set()
        self._all_ready = asyncio.Event()
        self._dismissed = asyncio.Event()

    def dismiss(self) -> None:
        """Tell all workers to stop."""
        self._dismissed.set()

    async def work(self, started: Callable[[], None]) -> None:
        """Keep all workers running until dismissed; *started* is called once all serve. Raises CannotServe."""
        keeping = [asyncio.create_task(self._keep(number)) for number in range(len(self._sockets))]
        opening = asyncio.create_task(self._open(started))
        try:
            await asyncio.wait([*keeping, opening], return_when=asyncio.FIRST_EXCEPTION)
        finally:
            self.dismiss()
            await asyncio.gather(*keeping, opening, return_exceptions=True)
            self._roll.unlink(missing_ok=True)
        for task in (*keeping, opening):
            task.result()

    async def _open(self, started: Callable[[], None]) -> None:
        dismissed = asyncio.create_task(self._dismissed.wait())
        all_ready = asyncio.create_task(self._all_ready.wait())
        await asyncio.wait((dismissed, all_ready), return_when=asyncio.FIRST_COMPLETED)
        if self._all_ready.is_set():
            started()
        await dismissed
        all_ready.cancel()

    async def _keep(self, number: int) -> None:
        """Restart this worker whenever it ends; if its first process never served, stop all workers."""
        loop = asyncio.get_running_loop()
        pause_s, pause_max_s = PAUSE_S
        while not self._dismissed.is_set():
            began = loop.time()
            process = await self._start(number)
            status = await self._watch(number, process)
            if self._dismissed.is_set():
                return
            if not self._all_ready.is_set():
                raise CannotServe(f"workers: number {number} {_ended(status)} before it could serve")
            pause_s = PAUSE_S[0] if loop.time() - began > STAYS_UP_S else min(2 * pause_s, pause_max_s)
            self._say(f"worker {number} (process {process.pid}) {_ended(status)}; another starts in {pause_s:.1f} s")
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._dismissed.wait()

    async def _start(self, number: int) -> Process:
        # A session of its own: Ctrl-C reaches the parent alone, which then stops the workers in order.
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "server.workers.worker", stdin=PIPE, stdout=PIPE, start_new_session=True
        )
        self._processes[number] = process
        self._write_roll()
        settings = self._settings.model_dump(mode="json") | {"secret": self._settings.secret.get_secret_value()}
        others = [str(path) for place, path in enumerate(self._sockets) if place != number]
        assert process.stdin is not None
        process.stdin.write(WorkerConfig(settings, str(self._sockets[number]), others).line())
        return process

    async def _watch(self, number: int, process: Process) -> int:
        """Wait for a worker's end, which dismissal brings about, and return its status."""
        assert process.stdout is not None
        ended = asyncio.create_task(process.wait())
        dismissed = asyncio.create_task(self._dismissed.wait())
        saying = asyncio.create_task(process.stdout.readline())
        try:
            await asyncio.wait((saying, dismissed), return_when=asyncio.FIRST_COMPLETED)
            if saying.done() and saying.result() == READY:
                self._ready.add(number)
                if len(self._ready) == len(self._sockets):
                    self._all_ready.set()
            await asyncio.wait((ended, dismissed), return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                await self._stop(process)
            return await ended
        finally:
            dismissed.cancel()
            saying.cancel()

    async def _stop(self, process: Process) -> None:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(self._settings.shutdown_s + STOP_SLACK_S):
                await process.wait()
        except TimeoutError:
            process.kill()

    def _write_roll(self) -> None:
        """Write the workers' process ids to a file, for operators and tests."""
        self._roll.parent.mkdir(parents=True, exist_ok=True)
        partly = self._roll.with_suffix(".part")
        partly.write_bytes(orjson.dumps([process.pid for _, process in sorted(self._processes.items())]))
        partly.rename(self._roll)


def _ended(status: int) -> str:
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


@contextmanager
def _reserve_port(settings: Settings) -> Iterator[socket.socket]:
    """Check that the port is free, and hold it without listening, even if all workers die."""
    with open_port(settings) as probe:
        port = probe.getsockname()[1]
    with bind_port(settings.model_copy(update={"port": port}), shared=True) as reserved:
        yield reserved


@contextmanager
def _folder(home: Path) -> Iterator[Path]:
    """Yield the folder for the workers' sockets: in the home folder, unless its path is too long for a socket."""
    folder = home.resolve() / FOLDER
    if len(os.fsencode(folder / f"{os.getpid()}-00.sock")) <= SOCKET_PATH_BYTES_MAX:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="redrain-") as short:
        yield Path(short)
