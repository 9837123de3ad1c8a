"""The records of a history and their lines."""

import pytest

from client_sim.behaviour import Behaviour
from client_sim.history import Conn, Fact, SentGrab
from client_sim.message_cache import CachedMessage
from server.core.ids import PacketId, RequestId, RoomId, ViewerId
from tests.client_sim.room_talk import fact


def a_grab() -> SentGrab:
    return SentGrab(3, "0.0", ViewerId("v0"), PacketId("anna.1"), RequestId("0-0"), Behaviour.EAGER, 10, 11)


@pytest.mark.parametrize(
    ("status", "kind"), [("granted", "ok"), ("repeated", "ok"), ("exhausted", "fail"), ("unavailable", "info")]
)
def test_the_type_of_a_grab_follows_from_its_status(status: str, kind: str) -> None:
    """What holds a share is ok, what is refused is fail, and a server whose store was away does not know."""
    grab = a_grab()
    grab.t_reply, grab.reply = 12, {"status": status}
    assert grab.line()["type"] == kind


def test_a_grab_without_a_reply_is_unknown() -> None:
    """Nothing about its outcome is made up."""
    line = a_grab().line()
    assert line["type"] == "info"
    assert {line[name] for name in ("t_reply", "status", "amount_fen", "index", "claim_id", "receipt")} == {None}


def test_lines_name_their_kind_first() -> None:
    """Whoever looks at a file sees what a line is."""
    conn = Conn("0.0", ViewerId("v0"), RoomId("r1"), 5, run_first=2, run_last=4)
    heard = CachedMessage(fact("open", 7))
    lines = [a_grab().line(), conn.line(), conn.run_line(), Fact(heard, 1, 2, 3).line(RoomId("r1"), "e1", 7)]
    assert [next(iter(line.items())) for line in lines] == [
        ("kind", "grab"), ("kind", "conn"), ("kind", "run"), ("kind", "fact")
    ]  # fmt: skip
    assert (lines[2]["first_seq"], lines[2]["last_seq"]) == (2, 4)
    assert (lines[3]["hash"], lines[3]["count"]) == (heard.hash, 3)
