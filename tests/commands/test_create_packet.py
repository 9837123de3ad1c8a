"""Creating a packet: what the rules refuse never reaches the store, and the same key makes the same packet."""

from dataclasses import replace
from typing import Any

import pytest

from server.commands.context import CommandContext
from server.commands.create_packet import create_packet
from server.commands.edit_packet import edit_packet
from server.core.ids import PLATFORM
from server.core.packets.creation import CreationRequest
from server.core.packets.packet import Denomination, PacketState
from server.core.refusal import Refused
from server.core.rulebooks.platforms import LAB
from server.store import keys
from server.store.connection import Store
from tests.commands.ground import context_of
from tests.store.desk import NOW_MS, Desk


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


@pytest.mark.rule("DY-ELG-1")
async def test_the_platform_is_the_one_that_holds_at_the_commit(
    desk: Desk, at: CommandContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first recharge that comes between decision and commit settles it, and the packet is decided anew (AMB-43)."""
    run, desk.platform = desk.store.run, "douyin"

    async def after_a_recharge(script: str, *rest: Any) -> Any:
        if script == "create":
            monkeypatch.setattr(desk.store, "run", run)
            await desk.recharge(2_000)
        return await run(script, *rest)

    monkeypatch.setattr(desk.store, "run", after_a_recharge)
    with pytest.raises(Refused) as refused:
        await create_packet(at, asked(desk, platform=None), "k")
    assert (refused.value.code, refused.value.rule) == ("missing_field", "DY-CRE-1")
    packet = await create_packet(at, asked(desk, platform=None, use_for_ms=5, max_share_fen=200), "k")
    assert packet.platform == "douyin"


@pytest.mark.rule("DY-CRE-1")
async def test_a_validity_that_ends_before_the_commit_is_refused(desk: Desk, at: CommandContext) -> None:
    """The store's clock decides; what was created in time is the same packet ever after (AMB-47)."""
    desk.platform = "douyin"
    await desk.recharge(2_000)
    request = asked(desk, platform=None, use_end_at_ms=NOW_MS + 5, max_share_fen=200)
    made = await create_packet(at, request, "k")
    await desk.store_at(NOW_MS + 5)
    for key in ("l", "m"):
        with pytest.raises(Refused) as refused:
            await create_packet(at, request, key)
        assert (refused.value.code, refused.value.rule) == ("out_of_range", "DY-CRE-1")
        await desk.at(NOW_MS + 5)
    assert await create_packet(at, request, "k") == made
    assert await desk.packets.list(desk.creator_id) == [made]


async def test_a_wallet_never_funds_another_platforms_packet(desk: Desk, at: CommandContext) -> None:
    """Not one that an earlier version let it create: shares cannot be added, only taken away (AMB-43)."""
    await desk.recharge(2_000)
    packet = await create_packet(at, asked(desk), "k")
    await desk.store.redis.hset(keys.wallet(desk.creator_id), "platform", "douyin")
    with pytest.raises(Refused) as refused:
        await edit_packet(at, packet.packet_id, 11, "k")
    assert refused.value.code == "other_platform"
    assert (await edit_packet(at, packet.packet_id, 9, "k")).terms.share_count == 9


async def test_the_platform_creates_for_any_platform(store: Store) -> None:
    """Whatever its recharges named, each of its packets is for the one that it names (AMB-43)."""
    desk = await Desk.open(store, PLATFORM)
    for platform in ("douyin", "lab", None):
        await desk.wallet.recharge(PLATFORM, amount_fen=2_000, platform=platform, transfer_id=f"r-{platform}")
    assert await desk.wallet.platform(PLATFORM) is None
    at = context_of(desk.store, desk.clock)
    for platform in ("lab", "douyin", "kuaishou"):
        request = asked(desk, platform=platform, use_for_ms=5, max_share_fen=200)
        assert (await create_packet(at, request, f"k-{platform}")).platform == platform
    with pytest.raises(Refused) as refused:
        await create_packet(at, asked(desk, platform=None), "k")
    assert refused.value.code == "missing_field"
