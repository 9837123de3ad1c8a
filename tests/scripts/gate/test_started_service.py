"""A service by a command: it is waited for, stopped with all that it started, and its end is told."""

import sys
from pathlib import Path

import psutil
import pytest

from loadtest.targets.port import Address
from scripts.gate.started_service import ServiceFailed, running
from tests.conftest import free_port

SERVE = "echo started in $LEG_FOLDER; {python} -m http.server --bind 127.0.0.1 {port} & wait"


@pytest.fixture
def address() -> Address:
    """Choose a free port."""
    port = free_port()
    return Address("127.0.0.1", port, f"127.0.0.1:{port}")


def test_a_shell_s_children_are_known_and_stopped(address: Address, tmp_path: Path) -> None:
    """Command and child count both, and none is left."""
    log = tmp_path / "service.log"
    with running(SERVE.format(python=sys.executable, port=address.port), address, log) as service:
        pids = service.pids
        assert len(pids) == 2
    assert not any(_runs(pid) for pid in pids)
    assert log.read_text().startswith(f"started in {tmp_path}")


def _runs(pid: int) -> bool:
    """Tell whether a process runs; an orphan that nobody has waited for yet does not."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_command_that_ends_is_told_with_what_it_said(address: Address, tmp_path: Path) -> None:
    """Its status and its last lines."""
    with (
        pytest.raises(ServiceFailed, match=r"(?s)ended with status 3:\nno database"),
        running("echo no database; exit 3", address, tmp_path / "service.log"),
    ):
        pass


def test_an_address_in_use_is_refused(address: Address, tmp_path: Path) -> None:
    """Else the wrong service would be measured."""
    command = SERVE.format(python=sys.executable, port=address.port)
    with (
        running(command, address, tmp_path / "one.log"),
        pytest.raises(ServiceFailed, match="in use already"),
        running(command, address, tmp_path / "two.log"),
    ):
        pass
