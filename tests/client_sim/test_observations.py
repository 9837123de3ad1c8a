"""Observations are plain values; a grab is without outcome until its receipt comes."""

from client_sim.behaviour import Behaviour
from client_sim.observations import Conn, SentGrab, SequenceRun
from server.core.ids import PacketId, RequestId, RoomId, ViewerId


def test_a_grab_and_a_connection_begin_without_an_end() -> None:
    """Nothing about an outcome is known before somebody says so."""
    grab = SentGrab(0, "0.0", ViewerId("v0"), PacketId("anna.1"), RequestId("0-0"), Behaviour.EAGER, 10, 11)
    conn = Conn("0.0", ViewerId("v0"), RoomId("r1"), 5)
    assert (grab.t_reply, grab.reply, grab.payload) == (None, {}, b"")
    assert (conn.t_welcome, conn.t_close, conn.code) == (None, None, None)
    assert SequenceRun("0.0", "e1", 1, 4) == SequenceRun("0.0", "e1", 1, 4)
