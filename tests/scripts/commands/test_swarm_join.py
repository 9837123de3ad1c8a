"""A swarm joins a master only with options that a worker can have."""

from pathlib import Path

import pytest

from loadtest.verdict.weigh import Exit
from scripts.commands.swarm import Visit
from scripts.commands.swarm_join import run_worker


@pytest.mark.parametrize(
    ("visit", "name"),
    [
        (Visit("", "locust", viewers=3), "viewers"),
        (Visit("", "locust", seed=3), "seed"),
        (Visit("", "locust", history=Path("there")), "history"),
        (Visit("", "locust", json="-"), "json"),
        (Visit("", "locust", directed=True), "directed"),
    ],
)
def test_a_worker_takes_the_masters_options(visit: Visit, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One of its own would be ignored in silence."""
    assert run_worker(visit, "127.0.0.1") == Exit.USAGE
    assert f"{name}: a worker takes it from its master; give it there" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("master", "code"), [("", 64), ("http://there", 64), ("h:99999", 64), ("no-such-host.invalid", 30)]
)
def test_a_master_is_a_host_and_a_port(master: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said of a name that cannot be one."""
    assert run_worker(Visit("", "locust"), master) == code
    assert "master: " in capsys.readouterr().err
