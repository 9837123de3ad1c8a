"""The target that is Redrain itself: rooms over WebSocket, tickets where names do not do, facts with numbers."""

from collections.abc import Sequence

from client_sim.message_cache import CachedMessage, MessageCache
from client_sim.session import PATIENCE_NS
from client_sim.viewer import Viewer
from client_sim.websocket import WebSocketSession
from loadtest.targets.access import NOBODY, Access
from loadtest.targets.admission import TicketClient
from loadtest.targets.port import Address
from loadtest.targets.reach import address_of
from server.core.ids import PacketId, RequestId, ViewerId
from server.core.rooms.messages import PROTOCOL

_NS_PER_MS = 1_000_000
_HEADERS = {"Sec-WebSocket-Protocol": PROTOCOL}


class RedrainTarget:
    """
    Servers of one store, at *hosts* (``http://name:port``); with a credential viewers come in by ticket.

    A viewer waits *patience_ms* for a receipt.
    """

    def __init__(
        self, hosts: Sequence[str], access: Access = NOBODY, patience_ms: int = PATIENCE_NS // _NS_PER_MS
    ) -> None:
        self._patience_ns = patience_ms * _NS_PER_MS
        self.addresses: Sequence[Address] = [address_of(host, access.ca_file) for host in hosts]
        self._tickets = TicketClient(hosts[0], access) if access.token else None
        self._cache = MessageCache()

    def name_of(self, viewer_id: ViewerId) -> ViewerId:
        """Return the name itself: this server takes any."""
        return viewer_id

    @property
    def needs_admission(self) -> bool:
        """Tell whether this server asks for tickets."""
        return self._tickets is not None

    def admit(self, viewer: Viewer) -> None:
        """Get a ticket for a viewer who has no token to come back with. Raises NotAdmitted."""
        if self._tickets is not None and viewer.admission.lacks_resume_token:
            viewer.admission.ticket = self._tickets.ask(viewer.seat.room_id, viewer.seat.viewer_id)

    def session(self, viewer: Viewer, address: Address) -> "RedrainSession":
        """Return the session of a connection to the viewer's room."""
        return RedrainSession(address.netloc, address.path + room_path(viewer), self._cache, self._patience_ns)


class RedrainSession(WebSocketSession):
    """One connection to a room. *cache* is that of the process: what is said to many is parsed once."""

    __slots__ = ("_cache", "patience_ns")

    live_room = True
    announces = True

    def __init__(self, netloc: str, path: str, cache: MessageCache, patience_ns: int) -> None:
        super().__init__(netloc, path, _HEADERS)
        self._cache = cache
        self.patience_ns = patience_ns

    def read(self, payload: bytes) -> CachedMessage:
        """Return the message in *payload*. Raises ValueError if it is none."""
        return self._cache.parse(payload)

    def grab(self, packet_id: PacketId, request_id: RequestId) -> bytes:
        """Return the ``grab`` message."""
        return b'{"type":"grab","packet_id":"%b","request_id":"%b"}' % (packet_id.encode(), request_id.encode())

    def ping(self, client_ms: int) -> bytes:
        """Return the ``ping`` message."""
        return b'{"type":"ping","client_ms":%d}' % client_ms


def room_path(viewer: Viewer) -> str:
    """Return where a viewer connects: its room, by what admits it, from the last fact it has heard."""
    who = viewer.admission.query(viewer.seat.viewer_id)
    point = viewer.resume_point
    since = "" if point is None else f"&epoch={point[0]}&seq={point[1]}"
    return f"/ws/rooms/{viewer.seat.room_id}?{who}{since}"
