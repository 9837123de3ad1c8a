"""A crowd: it comes in, shows how it goes, says why it does not come, and always leaves."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtest.engines import crowd as crowd_module
from loadtest.engines.child_process import ProcessFailed
from loadtest.engines.crowd import Crowd
from loadtest.engines.engine_process import CrowdOrder
from loadtest.engines.progress import Progress
from loadtest.verdict.weigh import Exit
from tests.loadtest.targets.free_port import free_port, wait_for

SERVER = (
    "import asyncio\n"
    "async def keep(reader, writer):\n"
    "    await reader.read()\n"
    "    writer.close()\n"
    "async def main():\n"
    "    server = await asyncio.start_server(keep, '127.0.0.1', int(__import__('sys').argv[1]))\n"
    "    await server.serve_forever()\n"
    "asyncio.run(main())\n"
)
SCENARIO = """
name = "quiet"
[target]
kind = "http"
[target.grab]
request = "POST /grab?by={viewer}"
[target.receipt]
[[packets]]
packet_id = "p1"
share_count = 1
opens = "at_once"
[audience]
viewers = 4
"""


class Seen:
    """A view that remembers what it was shown."""

    def __init__(self) -> None:
        self.phases: list[str] = []
        self.latest = Progress()

    def phase(self, text: str) -> None:
        self.phases.append(text)

    def progress(self, progress: Progress, _: str) -> None:
        self.latest = progress


@pytest.fixture(scope="module")
def silent_service() -> Iterator[str]:
    """Run a service that takes connections and never answers."""
    port = free_port()
    with subprocess.Popen([sys.executable, "-c", SERVER, str(port)]) as server:
        wait_for(port)
        yield f"http://127.0.0.1:{port}"
        server.terminate()


def a_crowd(folder: Path, host: str, view: Seen) -> Crowd:
    scenario = folder / "quiet.toml"
    scenario.write_text(SCENARIO)
    order = CrowdOrder(host, str(scenario), 4, 4, arrivals_per_second=100, seed=1, reaction_median_ms=10)
    return Crowd("swarm", folder, order, processes=1, view=view)


def test_a_crowd_comes_in_waits_and_leaves(silent_service: str, tmp_path: Path) -> None:
    view = Seen()
    crowd = a_crowd(tmp_path, silent_service, view)
    try:
        crowd.connect()
        assert view.phases == ["connecting 4 viewers"]
        assert crowd.show("now").connected == view.latest.connected == 4
    finally:
        status = crowd.leave()
    assert status == 0
    with pytest.raises(ProcessFailed):
        crowd.show()


def test_a_crowd_that_cannot_come_in_says_how_many_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd_module, "CONNECT_SLACK_S", 1.0)
    crowd = a_crowd(tmp_path, f"http://127.0.0.1:{free_port()}", Seen())
    try:
        with pytest.raises(ProcessFailed, match=r"only 0 of 4 viewers could connect: .*refused") as failed:
            crowd.connect()
    finally:
        crowd.leave()
    assert failed.value.exit_code is Exit.ENVIRONMENT


def test_whoever_is_told_to_stop_waits_for_nobody(tmp_path: Path) -> None:
    crowd = a_crowd(tmp_path, f"http://127.0.0.1:{free_port()}", Seen())
    try:
        crowd.connect(stopped=lambda: True)
    finally:
        crowd.leave()
