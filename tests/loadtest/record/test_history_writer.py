"""The writer of a history gives each observation its line, which the reader understands."""

from pathlib import Path

import pytest

from client_sim.behaviour import Behaviour
from client_sim.message_cache import CachedMessage
from client_sim.observations import (
    Arrival,
    Conn,
    Differing,
    End,
    Fact,
    HealthSample,
    Observation,
    SentGrab,
    SequenceRun,
    StrayReceipt,
)
from loadtest.record.history import read_history
from loadtest.record.history_writer import HistoryWriter, line_of
from server.core.ids import PacketId, RequestId, RoomId, ViewerId
from tests.client_sim.room_talk import fact


def a_grab() -> SentGrab:
    return SentGrab(3, "0.0", ViewerId("v0"), PacketId("anna.1"), RequestId("0-0"), Behaviour.EAGER, 10, 11)


@pytest.mark.parametrize(
    ("status", "kind"), [("granted", "ok"), ("repeated", "ok"), ("exhausted", "fail"), ("unavailable", "info")]
)
def test_the_type_of_a_grab_follows_from_its_status(status: str, kind: str) -> None:
    """A held share is ok, a refusal is fail, and an answer without the store is info: unknown."""
    grab = a_grab()
    grab.t_reply, grab.reply = 12, {"status": status}
    assert line_of(grab)["type"] == kind


def test_a_grab_without_a_reply_is_unknown() -> None:
    """Nothing about its outcome is made up."""
    line = line_of(a_grab())
    assert line["type"] == "info"
    assert {line[name] for name in ("t_reply", "status", "amount_fen", "index", "claim_id", "receipt")} == {None}


def test_lines_name_their_kind_first() -> None:
    """Whoever looks at a file sees what a line is."""
    conn = Conn("0.0", ViewerId("v0"), RoomId("r1"), 5)
    heard = CachedMessage(fact("open", 7))
    observed: list[Observation] = [
        a_grab(),
        conn,
        SequenceRun("0.0", "e1", 2, 4),
        Fact(RoomId("r1"), "e1", heard, 1, 2, 3),
    ]
    lines = [line_of(each) for each in observed]
    assert [next(iter(line.items())) for line in lines] == [
        ("kind", "grab"), ("kind", "conn"), ("kind", "run"), ("kind", "fact")
    ]  # fmt: skip
    assert (lines[2]["first_seq"], lines[2]["last_seq"]) == (2, 4)
    assert (lines[3]["hash"], lines[3]["count"]) == (heard.hash, 3)


def test_everything_that_is_written_is_read_back(tmp_path: Path) -> None:
    """A history with an observation of each kind passes the reader's checks."""
    heard = CachedMessage(fact("open", 7))
    path = tmp_path / "history-1.jsonl"
    with path.open("wb") as file:
        writer = HistoryWriter(file)
        writer.write([Conn("0.0", ViewerId("v0"), RoomId("r1"), 5, t_welcome=6, epoch="e1", seq=6), a_grab()])
        writer.write(
            [Fact(RoomId("r1"), "e1", heard, 1, 2, 1), SequenceRun("0.0", "e1", 7, 7), Differing("0.0", heard)]
        )
        writer.write([StrayReceipt("0.0", ViewerId("v0"), 7, {"request_id": "9-9", "status": "granted"})])
        writer.write([Arrival("0.0", PacketId("anna.1"), 8, None)])
        writer.write([HealthSample({"t": 9, "lag_ms": 0.5, "cpu": 0.1, "steal": 0.0, "descriptors": 12}), End(1, 1)])
        writer.flush()
    history = read_history([path])
    counts = (history.grabs, history.conns, history.facts, history.runs, history.differs, history.arrivals)
    assert [len(each) for each in (*counts, history.strays)] == [1] * 7
