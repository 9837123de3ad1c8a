"""A room's feed: what makes two proposals the same fact."""

from server.core.ids import PacketId
from server.core.rooms.feed import Cue


def test_a_cue_is_known_by_kind_and_packet() -> None:
    """The same fact proposed with another body is one cue; another kind or packet is another."""
    opened = Cue("open", PacketId("lin.p1"), {"at_ms": 1})
    assert opened.cue_id == Cue("open", PacketId("lin.p1"), {"at_ms": 2}).cue_id == "open:lin.p1"
    assert (
        len({opened.cue_id, Cue("closed", PacketId("lin.p1"), {}).cue_id, Cue("open", PacketId("lin.p2"), {}).cue_id})
        == 3
    )
