"""Effects over HTTP: what a packet and a creator did so far, and the columns of the packet list."""

from typing import Any

import orjson
import pytest
from websockets.sync.client import connect

from tests.api.caller import TIMEOUT_S, Caller
from tests.waiting import until

TEN_MINUTES_MS = 600_000


def of_packet(api: Caller, packet_id: str) -> dict[str, Any]:
    shown: dict[str, Any] = api.get(f"/api/packets/{packet_id}/effects")
    return shown


@pytest.mark.rule("KS-MON-1")
def test_the_effects_of_a_packet_are_live(api: Caller) -> None:
    """Three come while it is open and two grab; a moment later the page says so, and the creator's sums too."""
    creator_id, room_id, packet_id = api.on_air(TEN_MINUTES_MS)
    until(lambda: on_screen(api, room_id))
    amounts = [api.grab(room_id, packet_id, viewer)["amount_fen"] for viewer in ("ann", "bob")]
    until(lambda: bool(of_packet(api, packet_id)["grab_attempts"] == 2))
    shown = of_packet(api, packet_id)
    assert (shown["claims"], shown["claim_rate"]) == (2, 2 / shown["exposed_viewers"])
    assert shown["exposed_viewers"] in (3, 4)  # one more if somebody looked just as the packet came
    assert shown["grabs"] == {"granted": 2}
    assert (shown["claimed_amount_fen"], shown["max_share_fen"]) == (sum(amounts), max(amounts))
    assert [(best["viewer_id"], best["amount_fen"], best["index"]) for best in shown["best_luck"]] == sorted(
        zip(("ann", "bob"), amounts, (0, 1), strict=True), key=lambda best: (-best[1], best[2])
    )
    assert (shown["roi"], shown["cost_fen"], shown["gmv_attributed_fen"], shown["gmv_increment_fen"]) == (None, 0, 0, 0)
    of_creator = api.get(f"/api/creators/{creator_id}/effects")
    differing = {"packet_id", "at_ms", "max_share_fen", "best_luck", "watch_seconds", "watch_time_uplift"}
    same = {name: value for name, value in shown.items() if name not in differing}
    assert {name: of_creator[name] for name in same} == same
    assert (of_creator["creator_id"], of_creator["best_luck"]) == (creator_id, None)


def on_screen(api: Caller, room_id: str) -> bool:
    """Tell whether a newcomer to a room is shown a packet."""
    address = f"{api.url.replace('http', 'ws')}/ws/rooms/{room_id}?viewer=looker"
    with connect(address, compression=None, proxy=None) as socket:
        return bool(orjson.loads(socket.recv(TIMEOUT_S))["packets"])


def test_the_effects_of_a_draft_are_none(api: Caller) -> None:
    """A packet that was never launched did nothing, and a creator without one neither."""
    creator_id = api.creator(1_000)
    shown = of_packet(api, api.packet(creator_id))
    assert (shown["exposed_viewers"], shown["claims"], shown["gmv_increment_fen"]) == (0, 0, None)
    assert api.get(f"/api/creators/{api.creator()}/effects")["claims"] == 0


def test_what_is_no_packet_has_no_effects(api: Caller) -> None:
    """Unknown packets are not found; a creator's id must be one."""
    assert api.not_shown("/api/packets/nobody.none/effects") == (404, "not_found", "")
    assert api.not_shown("/api/packets/nothing/effects") == (404, "not_found", "")
    assert api.not_shown("/api/creators/a.b/effects") == (422, "bad_id", "")


@pytest.mark.rule("KS-MON-1")
def test_every_metric_is_in_the_document(api: Caller) -> None:
    """Every field of the response is declared in the OpenAPI document, with its unit."""
    schema = api.get("/openapi.json")["components"]["schemas"]["PacketEffects"]
    shown = of_packet(api, api.packet(api.creator(1_000)))
    assert set(schema["properties"]) == set(shown)
