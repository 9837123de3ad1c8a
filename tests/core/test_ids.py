"""Ids: what may be one, and what an id says about what it names."""

import pytest

from server.core.ids import CreatorId, PacketId, checked_creator_id, checked_id, claim_id_of, creator_of, packet_id_of
from server.core.refusal import Refused


@pytest.mark.parametrize("text", ["a", "A-1_b.c~d", "x" * 36])
def test_a_plain_id_is_returned_as_it_is(text: str) -> None:
    """Letters, digits and the four plain marks are an id."""
    assert checked_id("viewer_id", text) == text


@pytest.mark.parametrize("text", ["", "x" * 37, ".hidden", "a b", "a:b", "a{b}", "a/b", "a\n", "红包", 'a"'])
def test_anything_else_is_refused_by_field(text: str) -> None:
    """What could break a key, a journal entry, a frame or a URL is no id."""
    with pytest.raises(Refused) as refused:
        checked_id("viewer_id", text)
    assert (refused.value.code, refused.value.field) == ("bad_id", "viewer_id")


@pytest.mark.parametrize("text", ["", "x" * 19, "a.b", "a\n"])
def test_a_creator_id_has_no_dot_and_leaves_room(text: str) -> None:
    """A creator's id ends where the dot of a packet's id begins."""
    with pytest.raises(Refused) as refused:
        checked_creator_id(text)
    assert (refused.value.code, refused.value.field) == ("bad_id", "creator_id")


def test_a_packet_id_names_its_creator() -> None:
    """The creator is read back from the id alone."""
    packet_id = packet_id_of(CreatorId("lin"), "p.1")
    assert packet_id == "lin.p.1"
    assert creator_of(packet_id) == "lin"


@pytest.mark.parametrize("text", ["", "lin", "lin.", ".p1", "lin.p 1", "lin.p1}", "lin." + "x" * 33])
def test_what_is_no_packet_id_is_not_found(text: str) -> None:
    """A viewer may send anything; it never becomes part of a key."""
    with pytest.raises(Refused):
        creator_of(PacketId(text))


def test_a_claim_id_names_packet_and_share() -> None:
    """A claim is called after the share it took."""
    assert claim_id_of(PacketId("lin.p1"), 7) == "lin.p1:7"
