"""Ids: short enough for a small frame and safe inside keys, journals and URLs."""

import hashlib
import re
from typing import NewType

from server.core.refusal import Refused

RoomId = NewType("RoomId", str)
CreatorId = NewType("CreatorId", str)
ViewerId = NewType("ViewerId", str)
PacketId = NewType("PacketId", str)
RequestId = NewType("RequestId", str)
ClaimId = NewType("ClaimId", str)
OrderId = NewType("OrderId", str)

PLATFORM = CreatorId("platform")
"""The reserved creator id whose packets are the platform's own: their assets belong to no creator."""

ID_LENGTH_MAX = 36  # a grab with two such ids fits a frame under 126 bytes
CREATOR_ID_LENGTH_MAX = 18  # leaves room for what packet and claim ids append
ORDER_DIGITS = 10  # of a digest: a colliding submission is refused, because the order keeps its own
_SHAPE = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9_.~-]*")
_CREATOR_SHAPE = re.compile(r"[A-Za-z0-9_~-]+")


def checked_id(field: str, text: str, *, length_max: int = ID_LENGTH_MAX) -> str:
    """Return *text* if it may be an id; raise Refused naming *field* if not (letters, digits and ``_ . ~ -``)."""
    if not 0 < len(text) <= length_max or not _SHAPE.fullmatch(text):
        raise Refused("bad_id", f"must be 1 to {length_max} letters, digits or any of _ . ~ -", field=field)
    return text


def checked_creator_id(text: str) -> CreatorId:
    """Return *text* as a creator id (no dot in it: a packet's id reads ``creator.suffix``) or raise Refused."""
    if not 0 < len(text) <= CREATOR_ID_LENGTH_MAX or not _CREATOR_SHAPE.fullmatch(text):
        raise Refused(
            "bad_id", f"must be 1 to {CREATOR_ID_LENGTH_MAX} letters, digits or any of _ ~ -", field="creator_id"
        )
    return CreatorId(text)


def packet_id_of(creator_id: CreatorId, suffix: str) -> PacketId:
    """Return the id of a creator's packet: it names its creator, so that its keys are found without an index."""
    return PacketId(f"{creator_id}.{suffix}")


def creator_of(packet_id: PacketId) -> CreatorId:
    """Return the creator a packet id names. Raises Refused if the text is no packet id."""
    creator_id, dot, suffix = packet_id.partition(".")
    if not dot or not suffix or len(packet_id) > ID_LENGTH_MAX or not _SHAPE.fullmatch(packet_id):
        raise Refused("not_found", "no such packet", field="packet_id")
    return checked_creator_id(creator_id)


def claim_id_of(packet_id: PacketId, index: int) -> ClaimId:
    """Return the id of the claim that took share *index* of a packet."""
    return ClaimId(f"{packet_id}:{index}")


def order_id_of(creator_id: CreatorId, viewer_id: ViewerId, submit_id: str) -> OrderId:
    """Return the id of the order that a viewer submits by *submit_id* at its home; a retry gets the same id."""
    digest = hashlib.sha256(f"{viewer_id}\n{submit_id}".encode()).hexdigest()
    return OrderId(f"{creator_id}.{digest[:ORDER_DIGITS]}")


def home_of(order_id: OrderId) -> CreatorId:
    """Return the creator under whose tag an order is kept. Raises Refused if the text is no order id."""
    creator_id, dot, suffix = order_id.partition(".")
    if not dot or not suffix or len(order_id) > ID_LENGTH_MAX or not _SHAPE.fullmatch(order_id):
        raise Refused("not_found", "no such order", field="order_id")
    return checked_creator_id(creator_id)


def packet_of_claim(claim_id: ClaimId) -> PacketId:
    """Return the packet of which a claim took a share. Raises Refused if the text is no claim id."""
    packet_id, colon, index = claim_id.rpartition(":")
    if not colon or not index.isdecimal():
        raise Refused("not_found", "no such claimed packet", field="asset_ids")
    creator_of(PacketId(packet_id))
    return PacketId(packet_id)
