"""Creating a packet: what the rules refuse never reaches the store, and the same key makes the same packet."""

from dataclasses import replace
from typing import Any

import pytest

from server.commands.context import CommandContext
from server.commands.create_packet import create_packet
from server.core.packets.creation import CreationRequest
from server.core.packets.packet import Denomination, PacketState
from server.core.refusal import Refused
from server.core.rulebooks.platforms import LAB
from tests.store.desk import Desk


def asked(desk: Desk, **changes: Any) -> CreationRequest:
    return replace(CreationRequest(desk.creator_id, "rain", "lab", Denomination.RANDOM, 10, 1_000), **changes)


@pytest.mark.rule("DY-ACC-4")
async def test_a_packet_is_created_and_funded_once_per_key(desk: Desk, at: CommandContext) -> None:
    """A retry of a creation splits again, but the first shares are kept."""
    await desk.recharge(1_500)
    packet = await create_packet(at, asked(desk), "k")
    assert await create_packet(at, asked(desk), "k") == packet
    assert (packet.state, packet.terms.min_share_fen, packet.terms.max_share_fen) == (PacketState.DRAFT, 1, 1_000)
    assert packet.reversal_delay_ms == LAB.reversal_delay_ms
    assert (await desk.wallet.funds(desk.creator_id)).available_fen == 500


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"name": ""}, "name", "ALL-CRE-1"),
        ({"share_count": 1_001}, "total_fen", "ALL-CRE-2"),
        ({"allocator": "mine"}, "allocator", ""),
        ({"platform": "taobao"}, "platform", ""),
        ({"name": "", "allocator": "mine", "share_count": 1_001}, "name", "ALL-CRE-1"),
        ({"allocator": "mine", "share_count": 1_001}, "allocator", ""),
    ],
)
async def test_what_is_refused_leaves_no_trace(
    desk: Desk, at: CommandContext, changes: dict[str, Any], field: str, rule: str
) -> None:
    """Nothing is stored, not even staged shares; of several errors the first is reported."""
    await desk.recharge(5_000)
    before = await desk.state()
    with pytest.raises(Refused) as refused:
        await create_packet(at, asked(desk, **changes), "k")
    assert (refused.value.field, refused.value.rule) == (field, rule)
    assert await desk.state() == before
