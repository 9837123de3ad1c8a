"""Guests over HTTP: anybody comes in with a ticket of their own, buys for themselves, and touches nothing of others."""

import json
import secrets
from collections.abc import Iterator

import pytest
import requests
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from loadtest.run.server_process import ServerProcess
from server.api.guest_tickets import GUEST, new_guest
from server.core.credential import Role
from server.core.ids import checked_id
from tests.api.caller import TIMEOUT_S, Caller, terms
from tests.api.conftest import SECRET, Guarded

PER_MINUTE = 5


@pytest.fixture(scope="module")
def open_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """Run a server that admits guests; a trusted proxy says from where they come."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REDRAIN_SECRET", SECRET)
        options = ["--durability", "none", "--trusted-proxies", "127.0.0.1"]
        options += ["--guests", "--guests-per-minute", str(PER_MINUTE)]
        server = ServerProcess(tmp_path_factory.mktemp("guests"), options, insecure=False)
    try:
        yield Guarded(server.wait_until_ready(), lambda: server.log.read_text("utf-8"))
    finally:
        status = server.stop()
    assert status == 0, server.tail()


@pytest.fixture(scope="module")
def admin(open_house: Guarded) -> Iterator[Caller]:
    with open_house.calls(Role.ADMIN, "root") as caller:
        yield caller


def come(house: Guarded, room_id: str, address: str = "", **more: object) -> requests.Response:
    """Ask for a guest's ticket from an address, by default one that nobody has come from."""
    address = address or f"10.{'.'.join(str(byte) for byte in secrets.token_bytes(3))}"
    asked = {"room_id": room_id, **more}
    where = {"X-Forwarded-For": address}
    return requests.post(f"{house.url}/api/guest-tickets", json=asked, headers=where, timeout=TIMEOUT_S)


def enter(house: Guarded, room_id: str, ticket: str, packet_id: str) -> tuple[str, dict[str, object]]:
    """Enter a room with a ticket and grab a share; return who the room says it is, and the receipt."""
    protocols = [Subprotocol("redrain.v1"), Subprotocol(f"ticket.{ticket}")]
    with connect(f"{house.url.replace('http', 'ws')}/ws/rooms/{room_id}", subprotocols=protocols, proxy=None) as line:
        viewer_id = json.loads(line.recv(TIMEOUT_S))["viewer_id"]
        line.send(json.dumps({"type": "grab", "packet_id": packet_id, "request_id": f"q{secrets.token_hex(4)}"}))
        while (message := json.loads(line.recv(TIMEOUT_S)))["type"] != "receipt":
            pass
        return viewer_id, message


def test_a_guest_comes_grabs_returns_and_buys(open_house: Guarded, admin: Caller) -> None:
    """It stays the same viewer with each further ticket, sees its assets, and checks out for itself."""
    creator_id, room_id, packet_id = admin.on_air(600_000)
    answer = come(open_house, room_id, name="Ann")
    guest = answer.json()
    assert (answer.status_code, guest["room_id"], guest["expires_in_s"]) == (201, room_id, 60)
    assert guest["viewer_id"].startswith("guest-Ann-")
    viewer_id, receipt = enter(open_house, room_id, guest["ticket"], packet_id)
    assert (viewer_id, receipt["status"]) == (guest["viewer_id"], "granted")
    with Caller(open_house.url, guest["token"]) as ann:
        again = ann.post(f"/api/rooms/{room_id}/tickets")
        assert enter(open_house, room_id, again["ticket"], packet_id)[0] == viewer_id
        (asset,) = ann.get(f"/api/viewers/{viewer_id}/assets?creator_id={creator_id}")
        assert asset["asset_id"] == receipt["claim_id"]
        line = {"line_id": "l", "product_id": "p", "list_price_fen": 2_000, "creator_id": creator_id}
        purchase = {"viewer_id": viewer_id, "lines": [{**line, "entrance": "live_room"}]}
        assert ann.post("/api/orders/quote", purchase)["asset_ids"] == [asset["asset_id"]]
        order = ann.post("/api/orders", purchase)
        path = f"/api/orders/{order['order_id']}"
        assert ann.post(f"{path}/pay")["state"] == "paid"
        refund = {"refund_id": "r", "by_line": {"l": order["payable_fen"]}}
        assert ann.post(f"{path}/refunds", refund)["refunded_by_line"] == {"l": order["payable_fen"]}
        other = ann.post("/api/orders", purchase, key="another")
        assert ann.post(f"/api/orders/{other['order_id']}/cancel")["state"] == "cancelled"


def test_a_guest_touches_nothing_of_others(open_house: Guarded, admin: Caller) -> None:
    """Not an order, an asset or a ticket of another guest, nor anything of a creator or of the platform."""
    creator_id, room_id, packet_id = admin.on_air(600_000)
    ann, bob = come(open_house, room_id).json(), come(open_house, room_id).json()
    assert ann["viewer_id"] != bob["viewer_id"]
    purchase = {
        "viewer_id": ann["viewer_id"],
        "lines": [{"line_id": "l", "product_id": "p", "list_price_fen": 100, "creator_id": creator_id}],
    }
    with Caller(open_house.url, ann["token"]) as owner:
        order = owner.post("/api/orders", purchase)["order_id"]
    nothing_of_others: dict[str, object] = {
        "/api/orders": purchase,
        "/api/orders/quote": purchase,
        f"/api/orders/{order}/pay": None,
        f"/api/orders/{order}/cancel": None,
        f"/api/orders/{order}/refunds": {"refund_id": "r", "by_line": {"l": 1}},
        f"/api/rooms/{room_id}/tickets": {"viewer_id": ann["viewer_id"]},
        f"/api/creators/{creator_id}/recharge": {"amount_fen": 1},
        f"/api/packets/{packet_id}/end": None,
        f"/api/packets/{packet_id}/void": {},
        "/api/packets": terms(creator_id),
        "/api/rooms": {"room_id": "theirs", "creator_id": creator_id},
    }
    with Caller(open_house.url, bob["token"]) as stranger:
        for path, body in nothing_of_others.items():
            assert stranger.refused(path, body)[:2] == (403, "not_allowed"), path
        for path in (f"/api/orders/{order}", f"/api/viewers/{ann['viewer_id']}/assets?creator_id={creator_id}"):
            assert stranger.not_shown(path)[:2] == (403, "not_allowed"), path
    assert admin.get(f"/api/orders/{order}")["state"] == "submitted_unpaid"


def test_an_address_brings_few_guests_at_a_time(open_house: Guarded, admin: Caller) -> None:
    """The proxy's own address does not count; a room that is not there is told."""
    room_id = admin.room(admin.creator())
    answers = [come(open_house, room_id, "203.0.113.7") for _ in range(PER_MINUTE + 1)]
    assert [answer.status_code for answer in answers] == [201] * PER_MINUTE + [429]
    assert answers[-1].json()["code"] == "too_many_guests"
    assert come(open_house, room_id, "203.0.113.8").status_code == 201
    assert come(open_house, "nowhere").json()["code"] == "not_found"
    rooms = [each["room_id"] for each in requests.get(f"{open_house.url}/api/lobby", timeout=TIMEOUT_S).json()]
    assert room_id in rooms


def test_a_name_is_shown_as_far_as_an_id_can_show_it(open_house: Guarded, admin: Caller) -> None:
    """Whatever a name is made of, the id is one, and two guests of a name are two."""
    for name in ("", "Ann", "阿栗", "<img onerror>", "A" * 20, "安 Ann!", "../..", "🧧"):
        one, other = new_guest(name), new_guest(name)
        assert checked_id("viewer_id", one).startswith(GUEST)
        assert one != other
    assert new_guest("安 Ann-Lee!").startswith("guest-AnnLee-")
    room_id = admin.room(admin.creator())
    for wrong in (" ", "a\u202eb", "a" * 21, 7):
        answer = come(open_house, room_id, name=wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_field"), wrong


def test_most_servers_admit_no_guests(api: Caller, guarded: Guarded) -> None:
    """Neither a server with credentials nor one without, unless it was told to."""
    assert api.refused("/api/guest-tickets", {"room_id": "r"}) == (403, "guests_off", "")
    with Caller(guarded.url) as nobody:
        assert nobody.refused("/api/guest-tickets", {"room_id": "r"}) == (403, "guests_off", "")
