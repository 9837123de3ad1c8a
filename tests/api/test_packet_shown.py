"""The list of packets: every column that the source names."""

import pytest

from tests.api.caller import Caller

TEN_MINUTES_MS = 600_000


@pytest.mark.rule("DY-CRE-4")
@pytest.mark.rule("DY-SET-4")
def test_the_list_has_every_column(api: Caller) -> None:
    """Denomination plan, sum and count, launch, use validity, estimated commission, state: of each packet."""
    creator_id, room_id, packet_id = api.on_air(TEN_MINUTES_MS)
    api.post(f"/api/creators/{creator_id}/recharge", {"amount_fen": 1_000})
    api.packet(creator_id, denomination="fixed", use_end_at_ms=4_102_444_800_000)
    launched, draft = api.get(f"/api/packets?creator_id={creator_id}")
    assert launched == api.get(f"/api/packets/{packet_id}")
    plan = ("denomination", "min_share_fen", "max_share_fen")
    assert [launched[name] for name in plan] == ["random", 1, 1_000]
    assert [draft[name] for name in plan] == ["fixed", 100, 100]
    for packet in (launched, draft):
        assert (packet["total_fen"], packet["share_count"]) == (1_000, 10)
        assert packet["estimated_commission_fen"] == 0
    assert (launched["state"], launched["room_id"], draft["state"], draft["room_id"]) == (
        *("launched", room_id),
        *("draft", None),
    )
    assert launched["grab_at_ms"] < launched["claim_end_at_ms"]
    assert (launched["use_end_at_ms"], draft["use_end_at_ms"]) == (None, 4_102_444_800_000)
