"""Voiding a packet: until the platform's limit before the warm-up, and published in its room."""

import pytest

from server.commands.context import CommandContext
from server.commands.void_packet import void_packet
from server.core.packets.packet import PacketState
from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN
from tests.commands.ground import Host
from tests.store.desk import WARMUP_AT_MS, Desk


@pytest.mark.rule("DY-VOI-2")
async def test_a_packet_is_voided_by_its_platforms_lead(desk: Desk, at: CommandContext, host: Host) -> None:
    """One millisecond before the limit all money goes back; at the limit nothing changes or is published."""
    await desk.recharge(10)
    in_time, late = [(await desk.draft([5], platform="douyin")).packet_id for _ in range(2)]
    for packet_id in (in_time, late):
        await desk.launch(packet_id)
    assert DOUYIN.void_lead_ms is not None
    await desk.at(WARMUP_AT_MS - DOUYIN.void_lead_ms - 1)
    assert (await void_packet(at, in_time, "k")).state is PacketState.VOIDED
    await desk.at(WARMUP_AT_MS - DOUYIN.void_lead_ms)
    with pytest.raises(Refused) as refused:
        await void_packet(at, late, "l")
    assert (refused.value.code, refused.value.rule) == ("too_late", "DY-VOI-2")
    assert str(WARMUP_AT_MS - DOUYIN.void_lead_ms) in refused.value.detail
    assert host.looked_at == [in_time]
    assert (await desk.wallet.funds(desk.creator_id)).available_fen == 5
