"""A creator's wallet: funds come in by recharge, go into packets, and come back from them (DY-ACC-1)."""

from dataclasses import dataclass
from typing import Any

from server.core.ids import CreatorId, checked_id
from server.core.money import FEN_MAX
from server.core.refusal import Refused
from server.store import keys
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.transfers import checked_transfer_id, refusal

CHANNEL_LENGTH_MAX = 20  # a word such as alipay
_BALANCES = ("available_fen", "recharged_fen", "returned_fen", "withdrawn_fen", "spent_fen")
_PAGE = 1_000  # entries read at once: some 200 KB


@dataclass(frozen=True, slots=True)
class Funds:
    """A creator's balances in fen; available = recharged + returned - withdrawn - spent (DY-ACC-1)."""

    available_fen: int
    recharged_fen: int
    returned_fen: int
    withdrawn_fen: int
    spent_fen: int


class Wallet:
    """The balances of all creators."""

    def __init__(self, store: Store, clock: StoreClock) -> None:
        self._store = store
        self._clock = clock

    async def recharge(self, creator_id: CreatorId, *, amount_fen: int, channel: str, transfer_id: str) -> Funds:
        """
        Credit *amount_fen* that came in over *channel* and return the balances after it.

        The same transfer id again returns the same balances. Raises Refused: transfer_conflict, out_of_range, too_much.
        """
        checked_transfer_id(transfer_id)
        checked_id("channel", channel, length_max=CHANNEL_LENGTH_MAX)
        if not 0 < amount_fen <= FEN_MAX:
            raise Refused("out_of_range", f"must be from 1 to {FEN_MAX}", field="amount_fen")
        await self._clock.copy_to(creator_id)
        outcome, funds = await self._store.run(
            "recharge",
            [
                keys.clock_of(creator_id),
                keys.wallet(creator_id),
                keys.transfers(creator_id),
                keys.journal(creator_id),
            ],
            [transfer_id, creator_id, channel, amount_fen],
        )
        if outcome not in (b"done", b"repeated"):
            raise refusal(outcome)
        return Funds(*map(int, funds.split(b",")))

    async def funds(self, creator_id: CreatorId) -> Funds:
        """Return the balances now; a creator that never recharged has none."""
        held: Any = await self._store.redis.hmget(keys.wallet(creator_id), list(_BALANCES))
        return Funds(*(int(balance or 0) for balance in held))

    async def details(self, creator_id: CreatorId, *, after: str = "0", count: int = 100) -> list[dict[str, Any]]:
        """
        List up to *count* movements of the creator's funds, oldest first, from the journal entry behind *after*.

        Claims are none: they move what has left the funds already. Each has ``entry_id`` and the journal's fields.
        """
        movements: list[dict[str, Any]] = []
        while len(movements) < count:
            page: Any = await self._store.redis.xrange(keys.journal(creator_id), min=f"({after}", count=_PAGE)
            for entry_id, fields in page:
                if fields[b"kind"] != b"claim" and len(movements) < count:
                    movements.append(movement_from(entry_id, fields))
            if len(page) < _PAGE:
                break
            after = page[-1][0].decode()
        return movements


def movement_from(entry_id: bytes, fields: dict[bytes, bytes]) -> dict[str, Any]:
    """Return a journal entry with ``entry_id`` first, its integers as integers and its claims as lists."""
    movement: dict[str, Any] = {"entry_id": entry_id.decode()}
    for name, value in fields.items():
        field, text = name.decode(), value.decode()
        if field == "claims":
            movement[field] = [_claim_from(line) for line in text.split(";")]
        else:
            movement[field] = int(text) if field in ("amount_fen", "at_ms", "edition") else text
    return movement


def _claim_from(line: str) -> list[str | int]:
    viewer_id, index, amount_fen, request_id = line.split(",")
    return [viewer_id, int(index), int(amount_fen), request_id]
