"""
The contract of targets, to be run on a class of one's own, or on what a scenario describes; pytest is all it needs.

    pytest -p loadtest.contracts.options --pyargs loadtest.contracts.target \\
        --target-scenario mine.toml --target-adapter package.module:Class

The service must run where the scenario's base_url says, on this machine. Its first packet is grabbed by a few viewers,
whose names are those of an audience.
"""

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from client_sim.behaviour import Behaviour, Seat
from client_sim.message_cache import CachedMessage
from client_sim.recorder import Recorder
from client_sim.session import Refusal, TargetSession
from client_sim.viewer import Viewer
from loadtest.scenarios.crowd_scenario import BadScenario
from loadtest.scenarios.target_scenario import ROOM, TargetScenario, folder_of, read_scenario
from loadtest.targets.port import Address, BadTarget, Target
from loadtest.targets.reach import check_reach
from loadtest.targets.registry import target_of
from server.core.ids import PacketId, RequestId, ViewerId
from server.core.packets.claim import ClaimStatus

TIMEOUT_S = 5.0
READS = (1, 65_536)  # bytes at a time
VIEWERS = 8
WITH_SHARE = (ClaimStatus.GRANTED, ClaimStatus.REPEATED)
_numbers = count()  # of viewers: each case has its own


@pytest.fixture(scope="module")
def described(request: pytest.FixtureRequest) -> TargetScenario:
    """Read the scenario that says where the service is. Raises UsageError."""
    source = request.config.getoption("--target-scenario")
    if not source:
        raise pytest.UsageError("say which scenario has your [target]: --target-scenario FILE.toml")
    try:
        scenario = read_scenario(str(Path(source)))
    except BadScenario as bad:
        raise pytest.UsageError(str(bad)) from None
    if not isinstance(scenario, TargetScenario):
        raise pytest.UsageError(f"target-scenario: {source} has no [target]")
    return scenario


@pytest.fixture(scope="module")
def target(described: TargetScenario, request: pytest.FixtureRequest) -> Target:
    """Make the target, once for all viewers as an engine does. Raises UsageError."""
    options = request.config
    folder = folder_of(options.getoption("--target-scenario"))
    host = options.getoption("--target")
    try:
        check_reach([host or described.target.base_url], allow_remote=False, max_rate=None)
        return target_of(described, host=host, adapter=options.getoption("--target-adapter"), folder=folder)
    except BadTarget as bad:
        raise pytest.UsageError(str(bad)) from None


@pytest.fixture
def viewer(target: Target) -> Viewer:
    """Give a viewer who has never been there, by the name that the target gives."""
    return a_viewer(target)


def a_viewer(target: Target) -> Viewer:
    """Return the next viewer."""
    number = next(_numbers)
    seat = Seat(number, target.name_of(ViewerId(f"v{number}")), 0, ROOM, Behaviour.EAGER)
    return Viewer(seat, 1, 400, Recorder())


class OpenLine:
    """One viewer's connection to the service, read a few bytes at a time."""

    def __init__(self, target: Target, viewer: Viewer, *, read_bytes: int) -> None:
        if target.needs_admission:
            target.admit(viewer)
        address = target.addresses[0]
        self.session: TargetSession = target.session(viewer, address)
        self.heard: list[CachedMessage] = []
        self._read_bytes = read_bytes
        self._socket = _connected(address)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def enter(self) -> None:
        """Do what an engine does before a viewer may grab."""
        self.write(self.session.start())
        self._take(self.session.feed(b""))
        deadline = time.monotonic() + TIMEOUT_S
        while not self.session.entered:
            assert not self.session.over, f"the viewer was not let in: {self.session.rejection().text}"
            assert time.monotonic() < deadline, "the viewer was not let in in time"
            assert not list(self.session.replies()), "nothing is sent before the viewer has entered but start()"
            self.read()
        self.flush()
        self.wait_for("welcome")

    def grab(self, packet_id: PacketId, request_id: RequestId) -> None:
        """Ask for a share."""
        self.write(self.session.frame(self.session.grab(packet_id, request_id)))

    def receipt(self, request_id: RequestId) -> dict[str, Any]:
        """Wait for the receipt of a tap and return it."""
        return self.wait_for("receipt", request_id).body

    def wait_for(self, kind: str, request_id: RequestId | None = None) -> CachedMessage:
        """Read until there is a message of a kind, take it, and return it."""
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            for message in self.heard:
                if message.kind == kind and request_id in (None, message.body.get("request_id")):
                    self.heard.remove(message)
                    return message
            told = [(message.kind, message.body) for message in self.heard]
            assert time.monotonic() < deadline, f"no {kind} in time, but {told}"
            assert not self.session.over, f"the connection was over before a {kind} came, after {told}"
            self.read()

    def read(self) -> None:
        """Read once, and answer what wants an answer."""
        data = self._socket.recv(self._read_bytes)
        self._take(self.session.feed(data) if data else self.session.finish())
        assert data or self.session.over or self.heard, "the service has closed the connection"
        if self.session.entered:
            self.flush()

    def flush(self) -> None:
        """Write what the session has to say by itself."""
        for data in self.session.replies():
            self.write(data)

    def write(self, data: bytes) -> None:
        """Write, if there is anything."""
        assert isinstance(data, bytes)
        if data:
            self._socket.sendall(data)

    def _take(self, messages: Sequence[CachedMessage]) -> None:
        assert all(isinstance(message, CachedMessage) for message in messages)
        self.heard += messages


def _connected(address: Address) -> socket.socket:
    sock = socket.create_connection((address.host, address.port), TIMEOUT_S)
    return sock if address.tls is None else address.tls.wrap_socket(sock, server_hostname=address.host)


@pytest.fixture(params=READS, ids=["byte by byte", "at once"])
def line(target: Target, viewer: Viewer, request: pytest.FixtureRequest) -> Iterator[OpenLine]:
    """Open a connection."""
    with closing(OpenLine(target, viewer, read_bytes=request.param)) as line:
        yield line


@pytest.fixture
def packet_id(described: TargetScenario) -> PacketId:
    """Name the packet that is grabbed."""
    return PacketId(described.packets[0].packet_id)


def test_names_survive(target: Target) -> None:
    """A viewer has one name, whoever asks and however often, and no two viewers have the same."""
    ids = [ViewerId(f"v{number}") for number in range(VIEWERS)]
    names = [target.name_of(viewer_id) for viewer_id in ids]
    assert names == [target.name_of(viewer_id) for viewer_id in ids]
    assert len(set(names)) == VIEWERS
    assert all(isinstance(name, str) and name for name in names)


def test_a_session_says_what_it_is(target: Target, viewer: Viewer) -> None:
    """It waits for some time, has not entered yet, and is another one for each connection."""
    one, other = (target.session(viewer, target.addresses[0]) for _ in range(2))
    assert one is not other
    assert one.patience_ns > 0
    assert (one.entered, one.over) == (False, False)
    assert isinstance(one.announces, bool)
    assert isinstance(one.live_room, bool)


def test_a_viewer_enters_and_is_welcomed_once(line: OpenLine) -> None:
    """Nothing but start() is sent before that."""
    line.enter()
    assert line.session.entered
    assert "welcome" not in [message.kind for message in line.heard]


def test_a_grab_gets_its_receipt(line: OpenLine, packet_id: PacketId) -> None:
    """It names the tap and the packet, and has a share exactly if it says so."""
    line.enter()
    if line.session.announces:
        assert line.wait_for("open").packet_id == packet_id
    line.grab(packet_id, RequestId("c-0"))
    receipt = line.receipt(RequestId("c-0"))
    assert receipt["packet_id"] == packet_id
    check_share(receipt)


def test_a_tap_that_is_made_again_gets_a_receipt_of_its_own(line: OpenLine, packet_id: PacketId) -> None:
    """A viewer who heard nothing asks with the same request id."""
    line.enter()
    for _ in range(2):
        if line.session.over:
            pytest.skip("the service closes its connections after each reply")
        line.grab(packet_id, RequestId("c-0"))
        check_share(line.receipt(RequestId("c-0")))


def test_two_taps_at_once_get_a_receipt_each(line: OpenLine, packet_id: PacketId) -> None:
    """The session may send the second grab at once or hold it back."""
    line.enter()
    line.grab(packet_id, RequestId("c-0"))
    line.grab(packet_id, RequestId("c-1"))
    line.receipt(RequestId("c-0"))
    if line.session.over:
        pytest.skip("the service closes its connections after each reply")
    line.flush()
    line.receipt(RequestId("c-1"))


def test_viewers_do_not_hear_each_others_receipts(target: Target, packet_id: PacketId) -> None:
    """Sessions share nothing that has to do with one tap."""
    viewers = [a_viewer(target) for _ in range(2)]
    lines = [OpenLine(target, viewer, read_bytes=READS[-1]) for viewer in viewers]
    try:
        for line in lines:
            line.enter()
        for number, line in enumerate(lines):
            line.grab(packet_id, RequestId(f"c-{number}"))
        for number, line in reversed(list(enumerate(lines))):
            line.receipt(RequestId(f"c-{number}"))
            assert "receipt" not in [message.kind for message in line.heard]
    finally:
        for line in lines:
            line.close()


@pytest.mark.parametrize("garbage", [b"\x00\xff garbage \r\n\r\n", b"{}\n", b"\x81\x03abc", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_garbage_is_no_receipt_and_raises_nothing(target: Target, viewer: Viewer, garbage: bytes) -> None:
    """Something else may listen where the service should be."""
    session = target.session(viewer, target.addresses[0])
    session.start()
    messages = [*session.feed(b""), *session.feed(garbage), *session.finish()]
    assert "receipt" not in [message.kind for message in messages]
    check_end(session)


def test_a_connection_that_ends_at_once_has_its_reason(target: Target, viewer: Viewer) -> None:
    """Somebody reads it in the log of a run."""
    session = target.session(viewer, target.addresses[0])
    session.start()
    session.finish()
    rejection = session.rejection()
    assert isinstance(rejection, Refusal)
    assert rejection.text
    assert rejection.status is None
    check_end(session)


def test_a_viewer_may_leave(line: OpenLine) -> None:
    """Either the session says goodbye, or the socket is just closed."""
    line.enter()
    if line.session.close(1000):
        line.flush()
    check_end(line.session)


def check_end(session: TargetSession) -> None:
    """Check that a session can say how it ended."""
    code, reason = session.ending()
    assert isinstance(code, int)
    assert isinstance(reason, str)


def check_share(receipt: dict[str, Any]) -> None:
    """Check that a receipt can be audited."""
    assert receipt["status"] in set(ClaimStatus)
    held = [receipt[name] for name in ("amount_fen", "index", "claim_id")]
    if receipt["status"] not in WITH_SHARE:
        assert held == [None, None, None]
    amount_fen, index, claim_id = held
    assert amount_fen is None or type(amount_fen) is int
    assert index is None or type(index) is int
    assert claim_id is None or isinstance(claim_id, str)
