"""A target as a user writes it: a service that speaks lines of text over TCP."""

from client_sim.message_cache import CachedMessage
from client_sim.session import PlainSession
from client_sim.viewer import Viewer
from loadtest.targets import canonical
from loadtest.targets.described_service import DescribedService
from loadtest.targets.port import Address
from server.core.ids import PacketId, RequestId

STATUS = {"WON": "granted", "AGAIN": "repeated", "GONE": "exhausted"}


class LineTarget(DescribedService):
    def session(self, viewer: Viewer, address: Address) -> "LineSession":
        return LineSession(viewer.seat.viewer_id)


class LineSession(PlainSession):
    def __init__(self, name: str) -> None:
        self.name, self.rest = name, b""

    def start(self) -> bytes:
        return f"HELLO {self.name}\n".encode()

    def grab(self, packet_id: PacketId, request_id: RequestId) -> bytes:
        return f"GRAB {packet_id} {request_id}\n".encode()

    def feed(self, data: bytes) -> list[CachedMessage]:
        *lines, self.rest = (self.rest + data).split(b"\n")
        return [self.read(line, line.decode("utf-8", "replace").split()) for line in lines]

    def read(self, line: bytes, words: list[str]) -> CachedMessage:
        if words == ["WELCOME"]:
            self.entered = True
            return canonical.welcome()
        if len(words) not in (3, 5) or words[0] not in STATUS:
            return canonical.ignored(line)
        share = {"amount_fen": int(words[3]), "claim_id": words[4]} if len(words) == 5 else {}
        return canonical.receipt(PacketId(words[1]), RequestId(words[2]), line, {"status": STATUS[words[0]], **share})
