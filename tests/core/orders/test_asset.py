"""An asset's life: every step of the table, every step that is not in it, and both sides of each instant."""

from dataclasses import replace

import pytest

from server.core.ids import PLATFORM, CreatorId, PacketId, ViewerId
from server.core.orders.asset import TRANSITIONS, Asset, AssetState, AssetStep, asset_of, let_go, lock, redeem, sweep
from server.core.orders.validity import NEVER_MS
from server.core.packets.packet import Denomination, Packet, PacketState, Terms
from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN
from server.core.rulebooks.rulebook import PayAfterExpiry
from tests.core.shopping import NOW, a_packet, in_state

END = NOW + 10
ASSET = replace(a_packet("a", 100), use_start_at_ms=NOW, use_end_at_ms=END)
BATCH = Packet(
    PacketId("li.p"),
    CreatorId("li"),
    "rain",
    "douyin",
    Terms(Denomination.RANDOM, 5, 500, 1, 400),
    PacketState.SETTLED,
    edition=1,
    commitment="",
)


def claimed(packet: Packet, stored: str | None = None) -> Asset:
    """Return the fourth share of the batch, claimed now."""
    viewer_id = ViewerId("anna")
    return asset_of(packet, index=3, amount_fen=7, viewer_id=viewer_id, claimed_at_ms=NOW, stored=stored)


def code_of(attempt: object) -> str:
    assert callable(attempt)
    with pytest.raises(Refused) as refused:
        attempt()
    return refused.value.code


@pytest.mark.rule("ALL-ELG-1")
@pytest.mark.parametrize("state", list(AssetState))
@pytest.mark.parametrize("step", list(AssetStep))
def test_only_steps_of_the_table_are_taken(state: AssetState, step: AssetStep) -> None:
    """Seven of twenty are; none leads to another viewer or to money, and none out of expired_returned."""
    asset = replace(in_state(a_packet("a", 100), state))
    order_id = "o2" if step is AssetStep.LOCK else None
    allowed = {
        ("available", "lock"): "locked",
        ("locked", "redeem"): "redeemed",
        ("locked", "release"): "available",
        ("redeemed", "give_back"): "available",
        ("available", "expire"): "expired_returned",
        ("locked", "expire"): "expired_returned",
        ("redeemed", "expire"): "expired_returned",
    }
    if (state, step) in allowed:
        after = asset.stepped(step, order_id)
        assert after.state == allowed[state, step]
        assert (after.viewer_id, after.face_fen) == (asset.viewer_id, asset.face_fen)
    else:
        assert (state, step) not in TRANSITIONS
        with pytest.raises(KeyError):
            asset.stepped(step, order_id)


@pytest.mark.rule("DY-USE-2")
def test_a_lock_needs_validity() -> None:
    """From the first millisecond to the last."""
    assert code_of(lambda: lock(ASSET, "o1", NOW - 1, DOUYIN)) == "not_yet_valid"
    assert lock(ASSET, "o1", NOW, DOUYIN).order_id == lock(ASSET, "o1", END - 1, DOUYIN).order_id == "o1"
    assert code_of(lambda: lock(ASSET, "o1", END, DOUYIN)) == "expired"


def test_an_asset_is_locked_once() -> None:
    """The same order may ask again; another is refused, as it is for what is used or gone."""
    locked = lock(ASSET, "o1", NOW, DOUYIN)
    assert lock(locked, "o1", END + 1, DOUYIN) is locked
    assert code_of(lambda: lock(locked, "o2", NOW, DOUYIN)) == "not_available"
    for state in (AssetState.REDEEMED, AssetState.EXPIRED_RETURNED):
        assert code_of(lambda state=state: lock(in_state(ASSET, state), "o1", NOW, DOUYIN)) == "not_available"


@pytest.mark.rule("DY-USE-7")
def test_an_expired_packet_does_not_pay_unless_honoured() -> None:
    """At its end it is refused; a rulebook that honours it redeems (AMB-32)."""
    locked = lock(ASSET, "o1", NOW, DOUYIN)
    assert redeem(locked, END - 1, DOUYIN).state is AssetState.REDEEMED
    assert code_of(lambda: redeem(locked, END, DOUYIN)) == "expired"
    honouring = replace(DOUYIN, pay_after_expiry=PayAfterExpiry.HONOUR)
    assert redeem(locked, END, honouring).state is AssetState.REDEEMED


@pytest.mark.parametrize("state", [AssetState.LOCKED, AssetState.REDEEMED])
def test_what_an_order_lets_go_expires_at_its_end(state: AssetState) -> None:
    """A millisecond before it is the viewer's again, then its funder's."""
    held = replace(in_state(ASSET, state), use_end_at_ms=END)
    assert let_go(held, END - 1).state is AssetState.AVAILABLE
    assert let_go(held, END).state is AssetState.EXPIRED_RETURNED
    assert let_go(held, END).order_id is let_go(held, END - 1).order_id is None


@pytest.mark.rule("DY-REV-3")
def test_the_sweeper_takes_only_what_nobody_holds() -> None:
    """Available and past its end: swept; locked or redeemed: left alone (AMB-26)."""
    assert sweep(ASSET, END - 1) is ASSET
    assert sweep(ASSET, END).state is AssetState.EXPIRED_RETURNED
    for state in set(AssetState) - {AssetState.AVAILABLE}:
        held = in_state(ASSET, state)
        assert sweep(held, END) is held


@pytest.mark.rule("DY-CRE-3")
def test_a_claims_validity_is_its_packets() -> None:
    """Absolute, from ever on without a start; relative, from the claim on; without an end never over (AMB-5)."""
    for packet, validity in (
        (BATCH, (0, NEVER_MS)),
        (replace(BATCH, use_end_at_ms=END), (0, END)),
        (replace(BATCH, use_start_at_ms=NOW + 1, use_end_at_ms=END), (NOW + 1, END)),
        (replace(BATCH, use_for_ms=10), (NOW, NOW + 10)),
    ):
        asset = claimed(packet)
        assert (asset.use_start_at_ms, asset.use_end_at_ms) == validity
    assert not claimed(BATCH).expired_at(NEVER_MS - 1)


@pytest.mark.rule("KS-CRE-2")
def test_a_claim_is_an_asset() -> None:
    """Its id is the claim's; it belongs to the packet's creator, or to none if it is the platform's own."""
    asset = claimed(replace(BATCH, product_ids=("p1", "p2")))
    assert (asset.asset_id, asset.viewer_id, asset.creator_id, asset.face_fen) == ("li.p:3", "anna", "li", 7)
    assert asset.product_ids == frozenset({"p1", "p2"})
    assert claimed(BATCH).product_ids is None
    assert claimed(replace(BATCH, creator_id=PLATFORM)).creator_id is None


@pytest.mark.parametrize(
    ("stored", "state", "order_id"),
    [
        (None, "available", None),
        ("locked:li.o1", "locked", "li.o1"),
        ("redeemed:li.o1", "redeemed", "li.o1"),
        ("final:li.o1", "redeemed", "li.o1"),
        ("expired", "expired_returned", None),
    ],
)
def test_the_stored_record_says_where_an_asset_stands(stored: str | None, state: str, order_id: str | None) -> None:
    """No record is available."""
    asset = claimed(BATCH, stored)
    assert (asset.state, asset.order_id) == (state, order_id)
