"""Every wire message in both directions, each with one fixed shape; no other module knows their JSON."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from server.core.ids import ID_LENGTH_MAX, OrderId, PacketId, RequestId, RoomId, ViewerId
from server.core.orders.trail import TrailStep
from server.core.packets.claim import HOLDS_SHARE, Claim
from server.core.packets.packet import Packet
from server.core.rooms.feed import NUMBERED, FactKind
from server.core.text import is_readable

PROTOCOL = "redrain.v1"
COMMENT_LENGTH_MAX = 100
LIKE_COUNT_MAX = 1_000  # one message may hold a burst of taps
PRODUCTS_ON_SCREEN_MAX = 20  # named in a frame that goes to the whole room
CLIENT_MS_MAX = 2**53 - 1  # every JSON parser holds it exactly


class BadMessage(Exception):  # noqa: N818 - the name says what it is
    """A viewer's frame is not a valid message. ``code`` is for programs, ``detail`` names the field."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class GrabMessage:
    """A viewer taps a packet."""

    packet_id: PacketId
    request_id: RequestId


@dataclass(frozen=True, slots=True)
class Ping:
    """A viewer asks for the time; ``client_ms`` is returned unchanged."""

    client_ms: int


@dataclass(frozen=True, slots=True)
class Comment:
    """A viewer posts a comment."""

    text: str


@dataclass(frozen=True, slots=True)
class Like:
    """A viewer sends likes."""

    count: int


FromViewer = GrabMessage | Ping | Comment | Like


def decode(raw: bytes | memoryview) -> FromViewer:
    """Parse one text frame from a viewer. Raises BadMessage, which says what is wrong."""
    try:
        message = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadMessage("malformed_json", str(error)) from None
    match message:
        case {"type": "grab", "packet_id": str(packet_id), "request_id": str(request_id)} if (
            0 < len(packet_id) <= ID_LENGTH_MAX
            and 0 < len(request_id) <= ID_LENGTH_MAX
            and _plain(packet_id)
            and _plain(request_id)
        ):
            return GrabMessage(PacketId(packet_id), RequestId(request_id))
        case {"type": "ping", "client_ms": int(client_ms)} if 0 <= client_ms <= CLIENT_MS_MAX:
            return Ping(client_ms)
        case {"type": "comment", "text": str(text)} if len(text) <= COMMENT_LENGTH_MAX and is_readable(text):
            return Comment(text)
        case {"type": "like", "count": int(count)} if 0 < count <= LIKE_COUNT_MAX:
            return Like(count)
    raise _what_is_wrong(message)


def _plain(text: str) -> bool:
    """Return whether an id fits a journal entry, whose separators are ``, ; :``."""
    return text.isascii() and text.replace("-", "").replace("_", "").replace(".", "").replace("~", "").isalnum()


_FIELDS: dict[str, dict[str, str]] = {
    "grab": {
        "packet_id": f"1 to {ID_LENGTH_MAX} letters, digits or any of _ . ~ -",
        "request_id": f"1 to {ID_LENGTH_MAX} letters, digits or any of _ . ~ -",
    },
    "ping": {"client_ms": "a whole number of milliseconds, not negative"},
    "comment": {"text": f"a text of 1 to {COMMENT_LENGTH_MAX} characters, not only blanks, no control characters"},
    "like": {"count": f"a whole number from 1 to {LIKE_COUNT_MAX}"},
}


def _what_is_wrong(message: Any) -> BadMessage:
    if not isinstance(message, dict):
        return BadMessage("not_an_object", "a message is a JSON object with a type")
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in _FIELDS:
        return BadMessage("unknown_type", f"type: must be one of {', '.join(_FIELDS)}")
    for name, wanted in _FIELDS[kind].items():
        if name not in message:
            return BadMessage("missing_field", f"{name}: {kind} needs it, {wanted}")
    return BadMessage("bad_field", "; ".join(f"{name}: must be {wanted}" for name, wanted in _FIELDS[kind].items()))


# Messages to viewers. Each function returns the JSON text of one; a room's are serialised once for all viewers.


def packet_on_screen(packet: Packet) -> dict[str, Any]:
    """Return the public data of a launched packet: no seed, no share."""
    assert packet.schedule is not None
    return {
        "packet_id": packet.packet_id,
        "name": packet.name,
        "creator_id": packet.creator_id,
        "platform": packet.platform,
        "share_count": packet.terms.share_count,
        "total_fen": packet.terms.total_fen,
        **asdict(packet.schedule),
        "surface": packet.surface,
        "edition": packet.edition,
        "commitment": packet.commitment,
        "editions": editions_on_screen(packet),
        "creator_name": packet.creator_name or packet.creator_id,
        "denomination": packet.terms.denomination,
        "min_share_fen": packet.terms.min_share_fen,
        "max_share_fen": packet.terms.max_share_fen,
        "use_start_at_ms": packet.use_start_at_ms,
        "use_end_at_ms": packet.use_end_at_ms,
        "use_for_ms": packet.use_for_ms,
        "goods": packet.goods,
        "product_ids": None if packet.product_ids is None else packet.product_ids[:PRODUCTS_ON_SCREEN_MAX],
        "product_count": None if packet.product_ids is None else len(packet.product_ids),
        "entrances": packet.entrances,
    }


def issuance(packet: Packet, now_ms: int) -> dict[str, Any]:
    """Return the body of ``reopened``: the number of shares, and when the added ones open."""
    last = packet.editions[-1]
    return {
        "packet_id": packet.packet_id,
        "at_ms": now_ms if packet.claimable_at_ms is None else packet.claimable_at_ms,
        "edition": packet.edition,
        "share_count": packet.terms.share_count,
        "total_fen": packet.terms.total_fen,
        "commitment": last.commitment or None,
        "editions": editions_on_screen(packet),
    }


def editions_on_screen(packet: Packet) -> list[dict[str, Any]]:
    """Return the commitment of each edition of a packet's issuance; one that adds no share has none."""
    return [{**edition._asdict(), "commitment": edition.commitment or None} for edition in packet.editions]


def welcome(
    *,
    room_id: RoomId,
    viewer_id: ViewerId,
    epoch: str,
    seq: int,
    resync: bool,
    server_ms: int,
    speed: int,
    audience: int,
    packets: list[dict[str, Any]],
    resume: str = "",
    title: str = "",
    creator_id: str = "",
    creator_name: str = "",
) -> bytes:
    """
    Welcome a viewer to a room. ``packets`` are those on screen, each with its ``phase``; ``resume`` is the token to
    reconnect with. ``assets`` is not known yet: a viewer that holds any soon receives an ``assets`` message.
    """
    return orjson.dumps(
        {
            "type": "welcome",
            "protocol": PROTOCOL,
            "room_id": room_id,
            "title": title,
            "creator_id": creator_id,
            "creator_name": creator_name or creator_id,
            "viewer_id": viewer_id,
            "epoch": epoch,
            "seq": seq,
            "resync": resync,
            "server_ms": server_ms,
            "speed": speed,
            "resume": resume,
            "audience": audience,
            "packets": packets,
            "assets": None,
        }
    )


def fact(kind: FactKind, seq: int, server_ms: int, body: dict[str, Any]) -> bytes:
    """Return a numbered fact of a room; every process builds the same bytes from the same feed entry."""
    assert kind in NUMBERED
    return orjson.dumps({"type": kind, "seq": seq, "server_ms": server_ms, **body})


def surface(kind: str, packet_id: PacketId) -> bytes:
    """Show an opened packet on the screen: ``popup`` or ``asset_widget``."""
    return orjson.dumps({"type": kind, "packet_id": packet_id})


def countdown(packet_id: PacketId, left_ms: int) -> bytes:
    """Return the message with the room milliseconds until the window opens."""
    return orjson.dumps({"type": "countdown", "packet_id": packet_id, "left_ms": left_ms})


def progress(packet_id: PacketId, remaining: int, claimable_at_ms: int | None = None) -> bytes:
    """Return the message with the number of shares left; those added later wait until *claimable_at_ms*."""
    waiting = {} if claimable_at_ms is None else {"claimable_at_ms": claimable_at_ms}
    return orjson.dumps({"type": "progress", "packet_id": packet_id, "remaining": remaining, **waiting})


def comments(said: Iterable[tuple[ViewerId, str]]) -> bytes:
    """Return viewers' comments: pairs of author and text, in order."""
    return orjson.dumps(
        {"type": "comments", "comments": [{"viewer_id": viewer_id, "text": text} for viewer_id, text in said]}
    )


def audience(viewers: int, likes: int) -> bytes:
    """Return the number of connected viewers and the room's total of likes."""
    return b'{"type":"audience","viewers":%d,"likes":%d}' % (viewers, likes)


def assets(count: int) -> bytes:
    """Return how many packets of the room's creator the viewer may use, now or later; ``welcome`` omits it."""
    return b'{"type":"assets","count":%d}' % count


def trail(order_id: OrderId, step: TrailStep, occurred_at_ms: int) -> bytes:
    """Notify a buyer of one step of an order: the service message of LT-3, in the words of LT-a to LT-f."""
    words = {"label": step.label, "text": step.text}
    return orjson.dumps(
        {"type": "trail", "order_id": order_id, "event": step, **words, "occurred_at_ms": occurred_at_ms}
    )


def pong(client_ms: int, server_ms: int) -> bytes:
    """Answer a ping with the viewer's own time and the room's."""
    return b'{"type":"pong","client_ms":%d,"server_ms":%d}' % (client_ms, server_ms)


def error(code: str, detail: str) -> bytes:
    """Report an error in a frame."""
    return orjson.dumps({"type": "error", "code": code, "detail": detail})


def receipt(claim: Claim) -> bytes:
    """
    Return the receipt of one grab.

    It is formatted by hand because it is the most frequent message; ids were checked to need no escaping. Equal claims
    give equal bytes, so that a retry's receipt is identical.
    """
    share = claim.share
    assert (share is not None) == (claim.status in HOLDS_SHARE)
    if share is None:
        return (
            f'{{"type":"receipt","request_id":"{claim.request_id}","packet_id":"{claim.packet_id}",'
            f'"status":"{claim.status}","amount_fen":null,"index":null,"claim_id":null,"edition":{claim.edition}}}'
        ).encode()
    return (
        f'{{"type":"receipt","request_id":"{claim.request_id}","packet_id":"{claim.packet_id}",'
        f'"status":"{claim.status}","amount_fen":{share.amount_fen},"index":{share.index},'
        f'"claim_id":"{claim.claim_id}","edition":{claim.edition}}}'
    ).encode()
