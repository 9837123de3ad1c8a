"""Logistics trails over HTTP: told by the platform and by ISVs, shown to the buyer, and heard live."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import ClientConnection, connect

from tests.api.caller import TIMEOUT_S, Caller
from tests.core.orders.test_trail import MINUTE_MS, TEN, VECTOR


class Buyer:
    """A buyer with an order, and an ISV that is integrated."""

    def __init__(self, api: Caller, *, integrated: bool = True) -> None:
        self.api = api
        self.viewer_id, self.order_id = f"vera-{secrets.token_hex(4)}", f"order-{secrets.token_hex(4)}"
        self.isv_id = f"wms-{secrets.token_hex(4)}"
        self.opening = {"order_id": self.order_id, "viewer_id": self.viewer_id, "room_id": "a-room"}
        self.events = f"/api/trails/{self.order_id}/events"
        api.post("/api/trails", self.opening)
        if integrated:
            api.post(f"/api/isvs/{self.isv_id}", {"integrated": True})

    def event(self, step: str, minute: int = 0, **changes: object) -> dict[str, object]:
        source = "platform" if step == "paid" else self.isv_id
        at_ms = TEN + minute * MINUTE_MS
        return {"event_id": step, "type": step, "occurred_at_ms": at_ms, "source": source, **changes}

    def shown(self) -> tuple[list[str], int, list[str]]:
        trail = self.api.get(f"/api/trails/{self.order_id}")
        assert (trail["order_id"], trail["viewer_id"], trail["room_id"], trail["of"]) == (*self.opening.values(), 6)
        return [each["event"] for each in trail["timeline"]], trail["completed"], trail["missing"]


@pytest.fixture
def buyer(api: Caller) -> Buyer:
    """Open the trail of a new order."""
    return Buyer(api)


@contextmanager
def live(api: Caller, viewer_id: str) -> Iterator[ClientConnection]:
    """Connect a viewer to a new room."""
    room_id = api.room(api.creator())
    address = f"{api.url.replace('http', 'ws')}/ws/rooms/{room_id}?viewer={viewer_id}"
    with connect(address, compression=None, proxy=None) as socket:
        assert orjson.loads(socket.recv(TIMEOUT_S))["type"] == "welcome"
        yield socket


def told_until(socket: ClientConnection, last: str) -> list[tuple[str, str]]:
    """Return order and step of what a buyer is told, up to the step *last*."""
    told: list[tuple[str, str]] = []
    while not told or told[-1][1] != last:
        heard = orjson.loads(socket.recv(TIMEOUT_S))
        if heard["type"] == "trail":
            told.append((heard["order_id"], heard["event"]))
    return told


def counted(api: Caller, name: str) -> float:
    families = text_string_to_metric_families(api.ask("GET", "/metrics").text)
    return next(each.value for family in families for each in family.samples if each.name == name)


@pytest.mark.rule("LT-6")
@pytest.mark.rule("LT-5")
def test_the_vector_over_http(api: Caller, buyer: Buyer) -> None:
    """Five of six steps stand in order of time; a creator's money, packets and rooms are as they were."""
    creator_id = api.creator(1000)
    before = counted(api, "redrain_trail_events_total")
    with api.nothing_changes(creator_id):
        answers = [api.post(buyer.events, buyer.event(step, minute)) for step, minute in VECTOR]
    assert answers[5] == answers[1]
    assert answers[1] == {
        "order_id": buyer.order_id,
        "event_id": "accepted",
        "event": "accepted",
        "label": "已接单",
        "text": "商家已接单",
        "occurred_at_ms": TEN + 5 * MINUTE_MS,
        "source": buyer.isv_id,
        "shown": True,
    }
    assert buyer.shown() == (["paid", "accepted", "picking", "waybill_printed", "packed"], 5, ["picked"])
    assert counted(api, "redrain_trail_events_total") - before == 5


@pytest.mark.rule("LT-3")
def test_a_buyer_connected_hears_each_event_once(api: Caller, buyer: Buyer) -> None:
    """An event posted twice is told once; what the timeline hides is not told either."""
    with live(api, buyer.viewer_id) as socket:
        for step, minute in [("paid", 0), ("paid", 0), ("shipped", 9), ("packed", 10), ("shipped", 9)]:
            api.post(buyer.events, buyer.event(step, minute))
        api.post(buyer.events, buyer.event("accepted", 1))
        told = told_until(socket, "accepted")
    assert told == [(buyer.order_id, step) for step in ("paid", "shipped", "accepted")]


@pytest.mark.rule("LT-4")
def test_an_isv_that_is_not_integrated_is_heard_by_nobody_yet(api: Caller) -> None:
    """Its report is taken and not shown; once it is integrated, the timeline has it."""
    buyer = Buyer(api, integrated=False)
    with live(api, buyer.viewer_id) as socket:
        assert api.post(buyer.events, buyer.event("picked", 3))["shown"] is False
        assert buyer.shown() == ([], 0, ["paid", "accepted", "picking", "picked", "waybill_printed", "packed"])
        api.post(buyer.events, buyer.event("paid"))
        assert told_until(socket, "paid") == [(buyer.order_id, "paid")]
        integrated = api.post(f"/api/isvs/{buyer.isv_id}", {"integrated": True})
        assert integrated == {"isv_id": buyer.isv_id, "integrated": True}
        assert told_until(socket, "picked") == [(buyer.order_id, "picked")]
    assert {"isv_id": buyer.isv_id, "integrated": True} in api.get("/api/isvs")
    assert buyer.shown()[0] == ["paid", "picked"]
    api.post(f"/api/isvs/{buyer.isv_id}", {"integrated": False})
    assert api.post(buyer.events, buyer.event("packed", 4))["shown"] is False
    assert buyer.shown()[0] == ["paid", "picked"]  # AMB-49: nothing that was shown is hidden


def test_a_buyers_trails_are_listed(api: Caller, buyer: Buyer) -> None:
    """Its own, as many as asked for."""
    another = f"order-{secrets.token_hex(4)}"
    api.post("/api/trails", {"order_id": another, "viewer_id": buyer.viewer_id})
    listed = api.get(f"/api/trails?viewer_id={buyer.viewer_id}")
    assert {each["order_id"] for each in listed} == {buyer.order_id, another}
    assert {each["room_id"] for each in listed} == {"a-room", None}
    assert len(api.get(f"/api/trails?viewer_id={buyer.viewer_id}&count=1")) == 1
    assert api.get("/api/trails?viewer_id=nobody") == []
    for wrong in ("", "?viewer_id=a%20b", "?viewer_id=v&count=0", "?viewer_id=v&count=101"):
        assert api.not_shown(f"/api/trails{wrong}")[0] == 422


def test_a_trail_opened_again_is_the_same(api: Caller, buyer: Buyer) -> None:
    """For its buyer it is no error; for another one it is taken."""
    api.post(buyer.events, buyer.event("paid"))
    assert api.post("/api/trails", buyer.opening)["completed"] == 1
    assert api.refused("/api/trails", {**buyer.opening, "viewer_id": "bob"}) == (409, "trail_taken", "")


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"type": "lost"}, (422, "unknown_step", "LT-6")),
        ({"type": 7}, (422, "bad_field", "")),
        ({"source": "platform"}, (422, "wrong_source", "LT-6")),
        ({"type": "paid"}, (422, "wrong_source", "LT-6")),
        ({"occurred_at_ms": 0}, (422, "out_of_range", "")),
        ({"occurred_at_ms": 2**52}, (422, "bad_field", "LT-6")),
        ({"occurred_at_ms": -5}, (422, "out_of_range", "")),
        ({"occurred_at_ms": 2**53}, (422, "out_of_range", "")),
        ({"occurred_at_ms": "10:00"}, (422, "bad_field", "")),
        ({"occurred_at_ms": 1.5}, (422, "bad_field", "")),
        ({"occurred_at_ms": True}, (422, "bad_field", "")),
        ({"occurred_at_ms": None}, (422, "bad_field", "")),
        ({"event_id": ""}, (422, "bad_id", "")),
        ({"event_id": "a:b"}, (422, "bad_id", "")),
        ({"mood": "good"}, (422, "bad_field", "")),
        ({"event_id": "first", "occurred_at_ms": TEN + 1}, (409, "event_conflict", "LT-6")),
        ({"event_id": "first", "type": "picked"}, (409, "event_conflict", "LT-6")),
        ({"event_id": "first", "source": "another"}, (409, "event_conflict", "LT-6")),
    ],
)
def test_what_is_no_event_is_refused(
    api: Caller, buyer: Buyer, changes: dict[str, object], refusal: tuple[int, str, str]
) -> None:
    """Each slip has its status and code, and the trail stays as it is."""
    api.post(buyer.events, buyer.event("packed", event_id="first"))
    assert api.refused(buyer.events, {**buyer.event("packed"), **changes}) == refusal
    assert buyer.shown()[0] == ["packed"]


def test_an_order_without_a_trail_is_404(api: Caller, buyer: Buyer) -> None:
    """It takes no event and shows none."""
    assert api.refused("/api/trails/nobody/events", buyer.event("packed")) == (404, "not_found", "")
    assert api.not_shown("/api/trails/nobody") == (404, "not_found", "")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/trails", {"order_id": "a b", "viewer_id": "v"}),
        ("/api/trails", {"order_id": "o", "viewer_id": ""}),
        ("/api/trails", {"order_id": "o", "viewer_id": "v", "room_id": ""}),
        ("/api/isvs/a%20b", {"integrated": True}),
    ],
)
def test_a_wrong_id_is_422(api: Caller, path: str, body: dict[str, object]) -> None:
    """An id that could not stand in a key is refused."""
    assert api.refused(path, body) == (422, "bad_id", "")


def test_the_platform_is_no_isv(api: Caller) -> None:
    """Nor is an ISV half integrated."""
    assert api.refused("/api/isvs/platform", {"integrated": True}) == (422, "wrong_source", "LT-6")
    assert api.refused("/api/isvs/wms", {"integrated": "perhaps"}) == (422, "bad_field", "")
