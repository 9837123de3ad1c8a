"""The list of a creator's packets over HTTP, page by page."""

from typing import Any

import pytest

from tests.api.caller import Caller

HOUR_MS = 3_600_000


def _pages(api: Caller, creator_id: str, query: str) -> list[Any]:
    """Return all packets of a query, followed from page to page."""
    seen, after = [], ""
    while True:
        page = api.get(f"/api/creators/{creator_id}/packets?{query}{after}")
        assert page["total"] == 4
        seen += page["packets"]
        if page["next"] is None:
            return seen
        after = f"&after={page['next']}"


@pytest.mark.rule("DY-CRE-4")
@pytest.mark.rule("KS-UI-2")
def test_a_creators_packets_are_listed_by_what_they_are(api: Caller) -> None:
    """The last created first, each once, all of them or those of one activity state or phase."""
    creator_id = api.creator(10_000)
    room_id = api.room(creator_id)
    made = [api.packet(creator_id) for _ in range(4)]
    draft, active, scheduled, voided = made
    grab_at_ms = api.get("/api/clock")["room_ms"] + 24 * HOUR_MS
    exact = {"mode": "exact", "warmup_at_ms": grab_at_ms - HOUR_MS, "grab_at_ms": grab_at_ms}
    api.post(f"/api/packets/{active}/launch", {"room_id": room_id, "mode": "manual", "claim_window_ms": HOUR_MS})
    api.post(f"/api/packets/{scheduled}/launch", {"room_id": room_id, **exact})
    api.post(f"/api/packets/{voided}/void")

    def ids(query: str) -> list[str]:
        return [each["packet_id"] for each in _pages(api, creator_id, query)]

    whole = _pages(api, creator_id, "limit=3")
    assert sorted(each["packet_id"] for each in whole) == sorted(made)
    assert [each["created_at_ms"] for each in whole] == sorted((each["created_at_ms"] for each in whole), reverse=True)
    assert whole[0] == api.get(f"/api/packets/{whole[0]['packet_id']}")
    assert {each["packet_id"]: each["activity"] for each in whole} == {
        **dict.fromkeys((draft, scheduled), "pending"),
        active: "active",
        voided: "ended",
    }
    assert sorted(ids("activity=pending&limit=1")) == sorted([draft, scheduled])
    assert (ids("activity=active"), ids("activity=ended")) == ([active], [voided])
    assert (ids("phase=scheduled"), ids("phase=draft&activity=ended")) == ([scheduled], [])


def test_a_page_that_makes_no_sense_is_refused(api: Caller) -> None:
    """A state that is none, a page that is too long, a packet of somebody else."""
    creator_id = api.creator(1_000)
    assert api.get(f"/api/creators/{creator_id}/packets") == {"packets": [], "total": 0, "next": None}
    for wrong in ("activity=sleeping", "phase=started", "limit=101", "after=another.p1"):
        assert api.not_shown(f"/api/creators/{creator_id}/packets?{wrong}")[:2] == (422, "bad_field")
