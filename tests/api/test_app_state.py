"""The idempotency key, which every route accepts and which makes a step happen once."""

import pytest

from server.api.app_state import IDEMPOTENCY_KEY_LENGTH_MAX
from tests.api.caller import Caller, terms

LONGEST = "k" * IDEMPOTENCY_KEY_LENGTH_MAX


@pytest.mark.parametrize("key", ["", LONGEST + "k", "tab\there", "soft\xadhyphen"])
def test_a_key_that_is_none_is_refused(api: Caller, key: str) -> None:
    """An empty, endless or unprintable key is turned away by every step, and nothing happens."""
    creator_id = api.creator(1000)
    room_id, packet_id = api.room(creator_id), api.packet(creator_id)
    steps = {
        f"/api/creators/{creator_id}/recharge": {"amount_fen": 1},
        f"/api/creators/{creator_id}/withdrawals": {"amount_fen": 1},
        f"/api/creators/{creator_id}/withdrawals/w1/paid": {},
        f"/api/creators/{creator_id}/withdrawals/w1/failed": {},
        "/api/rooms": {"room_id": room_id, "creator_id": creator_id},
        "/api/packets": terms(creator_id),
        f"/api/packets/{packet_id}/launch": {"room_id": room_id, "mode": "manual"},
        f"/api/packets/{packet_id}/void": {},
    }
    with api.nothing_changes(creator_id):
        for path, body in steps.items():
            assert api.refused(path, body, key=key) == (422, "bad_field", ""), path


@pytest.mark.parametrize("key", ["k", LONGEST, "sweep:1", 'with "quotes" and | bars', "caf\xe9"])
def test_a_key_may_be_any_printable_text(api: Caller, key: str) -> None:
    """Any text works as a key, even if it looks like one of our ids."""
    creator_id = api.creator()
    for _ in range(2):
        api.post(f"/api/creators/{creator_id}/recharge", {"amount_fen": 7}, key=key)
    assert api.get(f"/api/creators/{creator_id}/funds")["available_fen"] == 7


def test_keys_belong_to_their_creator(api: Caller) -> None:
    """Two creators who happen to use one key are not in each other's way."""
    for creator_id in (api.creator(), api.creator()):
        shown = api.post(f"/api/creators/{creator_id}/recharge", {"amount_fen": 7}, key="mine")
        assert shown["available_fen"] == 7


def test_keys_belong_to_their_step(api: Caller) -> None:
    """One key may pay in and fund: these are two steps."""
    creator_id = api.creator()
    api.post(f"/api/creators/{creator_id}/recharge", {"amount_fen": 1000}, key="mine")
    packet = api.post("/api/packets", terms(creator_id), key="mine")
    assert api.post(f"/api/packets/{packet['packet_id']}/void", key="mine")["state"] == "voided"
