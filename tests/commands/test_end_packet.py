"""Ending a packet: decided again if it was launched meanwhile, and published in its room."""

from typing import Any

import pytest

from server.commands.context import CommandContext
from server.commands.end_packet import end_packet
from server.core.packets.packet import PacketState
from server.core.refusal import Refused
from tests.commands.ground import Host
from tests.store.desk import Desk


@pytest.mark.rule("KS-END-1")
async def test_a_draft_that_is_launched_meanwhile_ends_as_a_launched_one(
    desk: Desk, at: CommandContext, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first attempt knew no room; the second one ends the packet in the room it is in."""
    await desk.recharge(5)
    packet_id = (await desk.draft([5])).packet_id
    run, sent = desk.store.run, 0

    async def after_its_launch(script: str, *rest: Any) -> Any:
        nonlocal sent
        if script == "end":
            sent += 1
            if sent == 1:
                await desk.launch(packet_id)
        return await run(script, *rest)

    monkeypatch.setattr(desk.store, "run", after_its_launch)
    ended = await end_packet(at, packet_id, "k")
    assert (sent, ended.state, ended.room_id) == (2, PacketState.SETTLED, desk.room.room_id)
    assert await end_packet(at, packet_id, "k") == ended
    assert host.looked_at == [packet_id] * 2


async def test_what_the_platform_does_not_end_stays(desk: Desk, at: CommandContext, host: Host) -> None:
    """Douyin has no end of a packet; the request is refused and the room is not notified."""
    desk.platform = "douyin"
    await desk.recharge(5)
    packet_id = (await desk.draft([5])).packet_id
    with pytest.raises(Refused) as refused:
        await end_packet(at, packet_id, "k")
    assert (refused.value.code, refused.value.rule, host.looked_at) == ("not_endable", "KS-END-1", [])
