"""A test of an engine leaves nothing running: what it has started ends with it."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.loadtest.engines.left_running import STARTED
from tests.waiting import PATIENCE_S


@pytest.fixture(autouse=True)
def nothing_is_left_running() -> Iterator[None]:
    """End the processes of a test that failed: asked first, so that those end too which they have started."""
    yield
    while STARTED:
        process = STARTED.pop()
        if process.poll() is None:
            process.terminate()
            try:
                process.communicate(timeout=PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
