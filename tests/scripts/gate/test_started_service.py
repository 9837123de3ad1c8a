"""A service by a command: it is waited for, stopped with all that it started, and its end is told."""

import sys
from pathlib import Path

import psutil
import pytest

from loadtest.targets.port import Address
from scripts.gate.started_service import ServiceFailed, running
from tests.conftest import free_port

SERVE = "echo started in $LEG_FOLDER; {python} -m http.server --bind 127.0.0.1 {port} & wait"


def _free() -> Address:
    port = free_port()
    return Address("127.0.0.1", port, f"127.0.0.1:{port}")


@pytest.fixture
def usual() -> Address:
    """Choose the port of the scenario."""
    return _free()


@pytest.fixture
def own() -> Address:
    """Choose a port that the command is told."""
    return _free()


def test_a_shell_s_children_are_known_and_stopped(usual: Address, own: Address, tmp_path: Path) -> None:
    """Command and child count both, and none is left."""
    log = tmp_path / "service.log"
    with running(SERVE.format(python=sys.executable, port=usual.port), usual, own, log) as service:
        pids = service.pids
        assert len(pids) == 2
        assert service.address == usual
    assert not any(_runs(pid) for pid in pids)
    assert log.read_text().startswith(f"started in {tmp_path}")


def _runs(pid: int) -> bool:
    """Tell whether a process runs; an orphan that nobody has waited for yet does not."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("place", ["$PORT", "{port}"])
def test_a_command_may_listen_at_a_port_of_its_own(place: str, own: Address, tmp_path: Path) -> None:
    """It is told the port as {port} and as PORT; with {port} nothing else is meant, and the usual one may be taken."""
    usual = own if place == "{port}" else _free()
    with running(SERVE.format(python=sys.executable, port=place), usual, own, tmp_path / "service.log") as service:
        assert service.address == own


def test_a_command_that_ends_is_told_with_what_it_said(usual: Address, own: Address, tmp_path: Path) -> None:
    """Its status and its last lines."""
    with (
        pytest.raises(ServiceFailed, match=r"(?s)ended with status 3:\nno database"),
        running("echo no database; exit 3", usual, own, tmp_path / "service.log"),
    ):
        pass


def test_an_address_in_use_is_refused(usual: Address, own: Address, tmp_path: Path) -> None:
    """Else the wrong service would be measured."""
    command = SERVE.format(python=sys.executable, port=usual.port)
    with (
        running(command, usual, own, tmp_path / "one.log"),
        pytest.raises(ServiceFailed, match="in use already"),
        running(command, usual, own, tmp_path / "two.log"),
    ):
        pass
