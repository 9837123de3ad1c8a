"""Editing the issuance: each edit is decided on the edition before it, and published in the packet's room."""

import asyncio

import pytest

from server.commands.context import CommandContext
from server.commands.edit_packet import edit_packet
from server.core.refusal import Refused
from tests.commands.ground import Host
from tests.store.desk import Desk


@pytest.mark.rule("KS-EDT-1")
async def test_edits_at_once_are_carried_out_one_after_the_other(desk: Desk, at: CommandContext, host: Host) -> None:
    """Three concurrent edits are three editions, and each is published."""
    await desk.recharge(1_000)
    packet_id = (await desk.draft([10] * 10)).packet_id
    await desk.launch(packet_id)
    await asyncio.gather(*(edit_packet(at, packet_id, 10 + n, f"k{n}") for n in (1, 2, 3)))
    packet = await at.packets.get(packet_id)
    assert (packet.edition, len(packet.editions)) == (4, 4)
    assert packet.terms.share_count in (11, 12, 13)
    assert host.looked_at == [packet_id] * 3


async def test_the_same_edit_again_changes_nothing(desk: Desk, at: CommandContext) -> None:
    """The repetition succeeds although the number is unchanged, which is refused under another key."""
    await desk.recharge(1_000)
    packet_id = (await desk.draft([10] * 10)).packet_id
    edited = await edit_packet(at, packet_id, 12, "k")
    assert await edit_packet(at, packet_id, 12, "k") == edited
    with pytest.raises(Refused) as refused:
        await edit_packet(at, packet_id, 12, "l")
    assert (refused.value.code, refused.value.rule) == ("unchanged", "KS-EDT-1")
    assert (await at.packets.get(packet_id)).edition == edited.edition == 2
