"""Packets and money that are not what their creators asked for (A5); the books agree with each other."""

from server.commands import edit_packet
from server.core.packets import launch
from server.core.packets.issuance import Edit, plan_edit
from server.core.packets.packet import Packet
from server.core.rulebooks.rulebook import Rulebook
from tests.planted.plant import Plant, in_script, of

_PAID = (
    "local now_ms = room_now_ms()\nlocal balances = redis.call('HMGET', wallet,\n    'available_fen', 'recharged_fen'"
)
_VOIDED = "close_packet('void', transfer_id, 'voided', 'voided_at_ms', now_ms)"
_ENDED = "close_packet('end', transfer_id, 'settled', 'ended_at_ms', now_ms)"
_LISTED = "redis.call('ZADD', packets, text_of(now_ms), packet_id)"


def shorten_windows() -> None:
    """Schedule every window 100 ms shorter than it was to be."""
    sound = launch._claim_end_at_ms
    launch._claim_end_at_ms = lambda *terms: sound(*terms) - 100


def add_too_few() -> None:
    """Edit every packet to a share less than its creator asked for."""

    def planted(packet: Packet, share_count: int, rulebook: Rulebook) -> Edit:
        return plan_edit(packet, share_count - 1, rulebook)

    edit_packet.plan_edit = planted  # type: ignore[attr-defined]


PLANTS = [
    Plant("every window is scheduled 100 ms short", of("A5"), shorten_windows),
    Plant(
        "a recharge pays in a fen too few",
        of("A5"),
        in_script("recharge", (_PAID, f"amount_fen = amount_fen - 1\n{_PAID}")),
    ),
    Plant(
        "the second packet of a creator is forgotten",
        of("A5"),
        in_script("create", (_LISTED, f"if redis.call('ZCARD', packets) ~= 1 then {_LISTED} end")),
    ),
    Plant("an edit makes a share fewer than it was to", of("A5"), add_too_few, "changes"),
    Plant(
        "a void is acknowledged and not carried out",
        of("A5"),
        in_script("void", (_VOIDED, "")),
        "changes",
    ),
    Plant(
        "an end is acknowledged and not carried out",
        of("A5"),
        in_script("end", (_ENDED, "")),
        "changes",
    ),
]
