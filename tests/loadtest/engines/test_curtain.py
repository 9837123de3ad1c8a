"""The curtain: a file says when a storm begins, and every process tells its viewers the same, once."""

from pathlib import Path
from typing import Any

from loadtest.engines.curtain import LEAD_NS, Curtain, openings, raise_curtain
from loadtest.scenarios.target_scenario import DeclaredPacket

START_NS = 7_000_000_000


def a_packet(name: str, **fields: Any) -> DeclaredPacket:
    return DeclaredPacket.model_validate({"packet_id": name, "share_count": 1, **fields})


PACKETS = [
    a_packet("at once", opens="at_once", closes_after_ms=300),
    a_packet("later", opens_after_ms=2_000),
    a_packet("announced", opens="on_message"),
]
TOLD = [
    {"packet_id": "at once", "grab_at_ms": 7_000, "claim_end_at_ms": 7_300},
    {"packet_id": "later", "grab_at_ms": 9_000, "claim_end_at_ms": None},
]


def test_viewers_are_told_of_packets_that_open_at_a_time() -> None:
    """A packet that the service announces itself is announced by nobody else."""
    assert openings(PACKETS, START_NS) == TOLD


def test_nothing_is_told_before_the_file_is_there_and_nothing_twice(tmp_path: Path) -> None:
    one, other = Curtain(PACKETS, tmp_path), Curtain(PACKETS, tmp_path)
    assert one.look(1, all_connected=True) == []
    raise_curtain(tmp_path, START_NS)
    assert [one.look(2, all_connected=False), one.look(3, all_connected=True)] == [TOLD, []]
    assert other.look(9, all_connected=True) == TOLD
    assert (one.raised, other.raised) == (True, True)


def test_a_file_that_is_half_written_is_not_there_yet(tmp_path: Path) -> None:
    (tmp_path / "curtain.json.part").write_text('{"start')
    curtain = Curtain(PACKETS, tmp_path)
    assert curtain.look(1, all_connected=True) == []
    raise_curtain(tmp_path, START_NS)
    assert [path.name for path in tmp_path.iterdir()] == ["curtain.json"]


def test_without_a_folder_the_storm_begins_when_all_are_here() -> None:
    curtain = Curtain(PACKETS, None)
    assert curtain.look(1, all_connected=False) == []
    assert curtain.look(START_NS - LEAD_NS, all_connected=True) == TOLD
