"""Ids: what may be one, and what an id says about what it names."""

import re

import pytest

from server.core.ids import (
    CREATOR_ID_LENGTH_MAX,
    CreatorId,
    OrderId,
    PacketId,
    ViewerId,
    checked_creator_id,
    checked_id,
    claim_id_of,
    creator_of,
    home_of,
    order_id_of,
    packet_id_of,
)
from server.core.refusal import Refused


@pytest.mark.parametrize("text", ["a", "A-1_b.c~d", "x" * 36])
def test_a_plain_id_is_returned_as_it_is(text: str) -> None:
    """Letters, digits and the four plain marks are an id."""
    assert checked_id("viewer_id", text) == text


@pytest.mark.parametrize("text", ["", "x" * 37, ".hidden", "a b", "a:b", "a{b}", "a/b", "a\n", "红包", 'a"'])
def test_anything_else_is_refused_by_field(text: str) -> None:
    """Text that could break a key, a journal entry, a frame or a URL is not an id."""
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


def test_an_order_id_names_its_home_and_is_the_same_for_the_same_submit() -> None:
    """Ten digits of a digest of viewer and submit; neither alone decides."""
    creator_id = CreatorId("c" * CREATOR_ID_LENGTH_MAX)
    order_id = order_id_of(creator_id, ViewerId("anna"), "k" * 120)
    assert re.fullmatch(r"c{18}\.[0-9a-f]{10}", order_id)
    assert home_of(order_id) == creator_id
    assert order_id == order_id_of(creator_id, ViewerId("anna"), "k" * 120)
    others = {order_id_of(creator_id, ViewerId(viewer), key) for viewer, key in (("anna", "k"), ("annak", ""))}
    assert len({order_id, *others}) == 3


@pytest.mark.parametrize("text", ["", "c", ".", "c.", ".x", "c c.x", "c.x y", "c." + "x" * 40, "{c}.x"])
def test_a_text_that_is_no_order_id_names_no_home(text: str) -> None:
    """It is not found, or its creator's part is no creator's id."""
    with pytest.raises(Refused):
        home_of(OrderId(text))
