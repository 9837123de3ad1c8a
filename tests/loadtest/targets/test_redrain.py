"""The target that is Redrain itself: where it connects, and what its session says."""

from client_sim.behaviour import Behaviour
from client_sim.recorder import Recorder
from client_sim.viewer import Viewer
from loadtest.targets.access import Access
from loadtest.targets.redrain import RedrainTarget, room_path
from server.core.ids import PacketId, RequestId
from server.core.rooms import messages
from server.core.rooms.feed import FactKind
from tests.client_sim.room_talk import seat, welcome


def test_addresses_are_those_of_the_hosts() -> None:
    """A port that is left out is 80; nobody is asked for a ticket without a credential."""
    target = RedrainTarget(["http://one.test", "http://two.test:8000"])
    assert [(each.host, each.port, each.netloc) for each in target.addresses] == [
        ("one.test", 80, "one.test"),
        ("two.test", 8000, "two.test:8000"),
    ]
    assert not target.needs_admission
    assert RedrainTarget(["http://one.test"], Access("secret")).needs_admission


def test_a_prefix_comes_before_every_path_and_https_is_encrypted() -> None:
    """A server behind a proxy may have a prefix, and its own in each of several URLs."""
    target = RedrainTarget(["https://one.test/live", "http://[::1]:8000"])
    viewer = Viewer(seat(Behaviour.EAGER), 1, 400, Recorder())
    first, second = (target.session(viewer, address).start() for address in target.addresses)
    assert first.startswith(b"GET /live/ws/rooms/")
    assert b"\r\nHost: one.test\r\n" in first
    assert second.startswith(b"GET /ws/rooms/")
    assert b"\r\nHost: [::1]:8000\r\n" in second
    assert [(each.port, each.tls is not None) for each in target.addresses] == [(443, True), (8000, False)]


def test_its_messages_are_those_that_the_server_reads() -> None:
    """Grab and ping are decoded by the server's own reader."""
    target = RedrainTarget(["http://one.test"])
    session = target.session(Viewer(seat(Behaviour.EAGER), 1, 400, Recorder()), target.addresses[0])
    assert messages.decode(session.grab(PacketId("anna.1"), RequestId("0-0"))) == messages.GrabMessage(
        PacketId("anna.1"), RequestId("0-0")
    )
    assert messages.decode(session.ping(7)) == messages.Ping(7)


def test_what_is_said_to_many_is_parsed_once() -> None:
    """Two sessions of one target give the same object for the same bytes."""
    target = RedrainTarget(["http://one.test"])
    viewer = Viewer(seat(Behaviour.EAGER), 1, 400, Recorder())
    assert room_path(viewer) == "/ws/rooms/r1?viewer=v0"
    first, second = (target.session(viewer, target.addresses[0]) for _ in range(2))
    fact = messages.fact(FactKind.OPEN, 1, 5, {"packet_id": "anna.1"})
    assert first.message(fact) is second.message(fact)
    assert first.message(welcome()).kind == "welcome"
    assert first.message(b"[]").kind == "unreadable"
