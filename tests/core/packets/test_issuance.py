"""Edits of the issuance, and the platforms that allow edit and end."""

from dataclasses import replace

import pytest

from server.core.ids import CreatorId, PacketId
from server.core.money.money import FEN_MAX
from server.core.packets.capabilities import Capabilities
from server.core.packets.issuance import check_end, plan_edit
from server.core.packets.packet import Denomination, Edition, Packet, PacketState, Terms
from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU, LAB


def a_packet(terms: Terms, *editions: Edition) -> Packet:
    first = Edition(1, 0, terms.share_count, terms.total_fen, "c0ffee")
    return Packet(
        packet_id=PacketId("c1.p1"),
        creator_id=CreatorId("c1"),
        name="rain",
        platform="kuaishou",
        terms=terms,
        state=PacketState.DRAFT,
        edition=1 + len(editions),
        commitment="c0ffee",
        editions=(first, *editions),
    )


RANDOM = a_packet(Terms(Denomination.RANDOM, 4, 10, 1, 5))
FIXED = a_packet(Terms(Denomination.FIXED, 4, 20, 5, 5))


@pytest.mark.rule("KS-EDT-1")
def test_added_random_shares_have_the_original_mean_half_up() -> None:
    """Four shares of ten fen and one more: 2.5 fen are 3; the bounds stay (AMB-12)."""
    edit = plan_edit(RANDOM, 5, KUAISHOU)
    assert (edit.share_count, edit.edition) == (5, 1)
    assert edit.added == Terms(Denomination.RANDOM, 1, 3, 1, 5)


def test_the_mean_is_the_first_editions() -> None:
    """The mean of added shares is the first edition's, whatever later editions added or trimmed."""
    terms = Terms(Denomination.RANDOM, 6, 20, 1, 5)
    packet = replace(RANDOM, terms=terms, edition=2, editions=(*RANDOM.editions, Edition(2, 4, 2, 10, "beef")))
    added = plan_edit(packet, 10, KUAISHOU).added
    assert added is not None
    assert (added.share_count, added.total_fen) == (4, 10)


def test_added_fixed_shares_have_the_face_value() -> None:
    """Three more of five fen are fifteen fen."""
    added = plan_edit(FIXED, 7, KUAISHOU).added
    assert added == Terms(Denomination.FIXED, 3, 15, 5, 5)


def test_a_decrease_adds_nothing() -> None:
    """A decrease adds no shares; the store decides which ones are taken away."""
    assert plan_edit(RANDOM, 3, LAB).added is None


def code_and_rule(packet: Packet, share_count: int, rulebook: object = KUAISHOU) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        plan_edit(packet, share_count, rulebook)  # type: ignore[arg-type]
    return caught.value.code, caught.value.rule


@pytest.mark.rule("KS-EDT-1")
def test_what_cannot_be_edited_is_refused_by_its_rule() -> None:
    """Another platform, another allocator, a number that is none, or the same, or a decrease where none is allowed."""
    assert code_and_rule(RANDOM, 5, DOUYIN) == ("not_editable", "KS-EDT-1")
    assert code_and_rule(replace(RANDOM, capabilities=Capabilities()), 5) == ("not_editable", "KS-EDT-1")
    assert code_and_rule(RANDOM, 4) == ("unchanged", "KS-EDT-1")
    assert code_and_rule(RANDOM, 3, replace(KUAISHOU, allow_decrease=False)) == ("not_editable", "KS-EDT-1")
    assert code_and_rule(RANDOM, 0) == ("out_of_range", "ALL-CRE-1")
    assert code_and_rule(RANDOM, KUAISHOU.share_count_max + 1) == ("out_of_range", "ALL-CRE-1")
    assert plan_edit(RANDOM, KUAISHOU.share_count_max, KUAISHOU).added is not None
    rich = a_packet(Terms(Denomination.RANDOM, 1, FEN_MAX, 1, FEN_MAX))
    assert code_and_rule(rich, 2) == ("out_of_range", "ALL-CRE-1")


@pytest.mark.rule("KS-END-1")
def test_only_kuaishou_and_the_lab_end_packets() -> None:
    """Douyin knows the void alone."""
    check_end(KUAISHOU)
    check_end(LAB)
    with pytest.raises(Refused) as caught:
        check_end(DOUYIN)
    assert (caught.value.code, caught.value.rule) == ("not_endable", "KS-END-1")
