"""Tests of the names of keys."""

import pytest

from server.core.ids import CreatorId, OrderId, PacketId, RoomId, ViewerId
from server.core.refusal import Refused
from server.store import keys

CREATOR = CreatorId("c1")
PACKET = PacketId("c1.p7")
ROOM = RoomId("r1")


def test_every_key_of_a_creator_carries_the_same_hash_tag() -> None:
    """One tag is one slot, so that one script may touch them all."""
    of_creator = [keys.clock_of, keys.wallet, keys.transfers, keys.journal, keys.packets, keys.due, keys.stagings]
    of_creator += [keys.withdrawals, keys.opening, keys.retired, keys.coupon_budgets, keys.invoices]
    of_packet = [keys.packet, keys.shares, keys.added, keys.returned, keys.staging, keys.staged, keys.claims]
    of_room = [keys.room, keys.feed, keys.cues, keys.on_air]
    names = [name(CREATOR) for name in of_creator]
    names += [name(PACKET) for name in of_packet]
    names += [name(CREATOR, ROOM) for name in of_room]
    names += [keys.withdrawal(CREATOR, "w1"), keys.coupon_budget(CREATOR, "c1.b1"), keys.invoice(CREATOR, 1)]

    assert {name.partition(":")[0] for name in names} == {"{c1}"}
    assert len(set(names)) == len(names)


def test_the_names_are_those_of_the_architecture() -> None:
    """Scripts, exports and people find keys by these names."""
    assert keys.packet(PACKET) == "{c1}:packet:c1.p7"
    assert keys.on_air(CREATOR, ROOM) == "{c1}:onair:r1"
    assert keys.clock_of(CREATOR) == "{c1}:clock"
    assert keys.CLOCK == "redrain:clock"


def test_a_trail_has_the_tag_of_its_order() -> None:
    """One script may touch an order's trail, and none of a creator's money with it; a buyer's list is the buyer's."""
    assert keys.trail(OrderId("o1")) == "{o1}:trail"
    assert keys.trail_events(OrderId("o1")) == "{o1}:trail_events"
    assert keys.trails_of(ViewerId("ann")) == "{ann}:trails"


def test_a_text_that_names_no_creator_has_no_key() -> None:
    """A grab may carry any text as a packet's id; none of them reaches another creator's slot."""
    for text in ("p7", ".p7", "c1.", "a}b.p7", "c1.p{7}", "c1." + "p" * 40):
        with pytest.raises(Refused):
            keys.packet(PacketId(text))
