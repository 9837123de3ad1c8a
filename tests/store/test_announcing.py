"""Announcing never fails what is committed."""

from pathlib import Path

from server.core.packets.issuance import Edit
from server.core.packets.packet import PacketState
from server.core.rooms.feed import Cue, FactKind
from server.store import keys
from server.store.connection import Store
from server.store.feed import AnnounceOutcome, Feed
from tests.store.desk import GRAB_AT_MS, WARMUP_AT_MS, Desk


async def test_a_bell_that_may_not_be_rung_fails_no_step(store: Store) -> None:
    """Each step is committed and answers so, whatever becomes of announcing it: the feed is polled anyway."""
    desk = await Desk.open(store)
    await desk.recharge(10)
    draft = await desk.draft([5, 5])
    await store.redis.execute_command("ACL", "SETUSER", "default", "resetchannels")
    try:
        launched = await desk.launch(draft.packet_id)
        edited = await desk.packets.edit(launched, Edit(1, 1, None), transfer_id="fewer")
        await desk.at(WARMUP_AT_MS)
        told = await Feed(store).announce(desk.room, Cue(FactKind.WARMUP, draft.packet_id, {"packet": {"edition": 2}}))
        await desk.at(GRAB_AT_MS)
        ended = await desk.packets.end(edited, transfer_id="end")
    finally:
        await store.redis.execute_command("ACL", "SETUSER", "default", "allchannels")
    assert (launched.state, edited.terms.share_count) == (PacketState.LAUNCHED, 1)
    assert (told.outcome, ended.remaining) == (AnnounceOutcome.ANNOUNCED, 0)


def test_no_script_can_fail_by_announcing() -> None:
    """A script announces after its writes, and only in a way that cannot raise."""
    texts = {path.name: path.read_text("utf-8") for path in (Path(keys.__file__).parent / "lua").glob("*.lua")}
    assert [name for name, text in texts.items() if "redis.call('PUBLISH'" in text] == []
    assert sorted(name for name, text in texts.items() if "redis.pcall('PUBLISH'" in text) == [
        "announce.lua",
        "edit.lua",
        "end.lua",
        "launch.lua",
    ]
