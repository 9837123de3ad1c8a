"""A creator's wallet: funds come in by recharge, go into packets, and come back from them (DY-ACC-1)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from server.core.ids import PLATFORM, CreatorId
from server.core.money.account import FundProduct
from server.core.money.channel import Charge
from server.store import keys
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.transfers import refusal

CHANNEL_LENGTH_MAX = 20  # a word such as alipay
_BALANCES = ("available_fen", "recharged_fen", "returned_fen", "withdrawn_fen", "spent_fen", "reversing_fen")
_NUMBERS = ("amount_fen", "at_ms", "edition", "fee_fen", "balance_fen", "shares")
_PAGE = 1_000  # entries read at once: some 200 KB


@dataclass(frozen=True, slots=True)
class WalletFunds:
    """
    A creator's balances in fen; available = recharged + returned - withdrawn - spent (DY-ACC-1).

    Packets are made from ``available_fen`` alone (DY-ACC-2). ``reversing_fen`` is on its way back and not returned yet
    (DY-REV-8).
    """

    available_fen: int
    recharged_fen: int
    returned_fen: int
    withdrawn_fen: int
    spent_fen: int
    reversing_fen: int = 0


@dataclass(frozen=True, slots=True)
class Recharged(Charge):
    """A recharge in fen, and the balances after it."""

    funds: WalletFunds


@dataclass(frozen=True, slots=True)
class ChannelFees:
    """One channel's fees for a creator's recharges in a period: their number, credit and fees in fen."""

    channel: str
    recharges: int
    credited_fen: int
    fee_fen: int


class Wallet:
    """The balances of all creators."""

    def __init__(self, store: Store, clock: StoreClock) -> None:
        self._store = store
        self._clock = clock

    async def platform(self, creator_id: CreatorId) -> str | None:
        """Return the creator's platform, set by its first recharge; None before, and for the platform (AMB-43)."""
        if creator_id == PLATFORM:
            return None
        held = await self._store.redis.hget(keys.wallet(creator_id), "platform")
        return held.decode() if isinstance(held, bytes) else None

    async def credit(
        self,
        creator_id: CreatorId,
        *,
        platform: str,
        channel: str,
        product: FundProduct,
        amount_fen: int,
        charge: Charge,
        transfer_id: str,
    ) -> Recharged:
        """
        Credit a recharge of *amount_fen* over a channel of *platform*, and return the result.

        A creator's first recharge sets its platform; a repeated transfer id returns the same result. Raises Raced
        (``other_platform``) if it is another; Refused: transfer_conflict, too_much.
        """
        names = [key_of(creator_id) for key_of in (keys.clock_of, keys.wallet, keys.transfers, keys.journal)]
        await self._clock.copy_to(creator_id)
        outcome, came_of_it = await self._store.run(
            "recharge",
            names,
            [transfer_id, creator_id, platform, channel, product, amount_fen, charge.credited_fen, charge.fee_fen],
        )
        if outcome not in (b"done", b"repeated"):
            raise refusal(outcome)
        credited_fen, fee_fen, *balances = map(int, came_of_it.split(b","))
        return Recharged(credited_fen, fee_fen, WalletFunds(*balances))

    async def funds(self, creator_id: CreatorId) -> WalletFunds:
        """Return the balances now; a creator that never recharged has none."""
        held: Any = await self._store.redis.hmget(keys.wallet(creator_id), list(_BALANCES))
        return WalletFunds(*(int(balance or 0) for balance in held))

    async def details(
        self, creator_id: CreatorId, *, after: str = "0", count: int = 100, newest: bool = False
    ) -> list[dict[str, Any]]:
        """
        List up to *count* movements of the creator's funds from the journal entry following *after*: oldest first, or
        *newest* first, backwards ("0" begins at either end).

        Each has ``entry_id``, the journal's fields, the ``product`` it was for and ``balance_fen``, the available
        funds after it (KS-ACC-5, DY-ACC-3); ``reversals`` lists what arrived with a ``reverse`` (DY-REV-8). Claims and
        payouts are omitted: that money has left the funds already.
        """
        movements: list[dict[str, Any]] = []
        funds = f"funds:{creator_id}".encode()
        async for entry_id, fields in self._entries(creator_id, after, newest=newest):
            if funds in (fields[b"debit"], fields[b"credit"]):
                movement = movement_from(entry_id, fields)
                if "reversals" in movement:
                    movement["reversals"] = [_reversal_from(line) for line in movement["reversals"].split(";")]
                movements.append(movement)
                if len(movements) == count:
                    break
        return movements

    async def fees(self, creator_id: CreatorId, *, from_ms: int, to_ms: int) -> list[ChannelFees]:
        """
        Sum the fees of the creator's recharges in ``[from_ms, to_ms)`` of room time, for the invoice (KS-ACC-3).

        Returns one sum for each channel with fees, by name. Entries that retention dropped are not included.
        """
        sums: dict[str, list[int]] = {}
        async for _, fields in self._entries(creator_id, "0"):
            if b"fee_fen" in fields and from_ms <= int(fields[b"at_ms"]) < to_ms:
                added = (1, int(fields[b"amount_fen"]), int(fields[b"fee_fen"]))
                channel = fields[b"debit"].decode().partition(":")[2]
                sums[channel] = [have + more for have, more in zip(sums.get(channel, (0, 0, 0)), added, strict=True)]
        return [ChannelFees(channel, *sums[channel]) for channel in sorted(sums)]

    async def _entries(
        self, creator_id: CreatorId, after: str, *, newest: bool = False
    ) -> AsyncIterator[tuple[bytes, dict[bytes, bytes]]]:
        journal, redis = keys.journal(creator_id), self._store.redis
        while True:
            page: Any
            if newest:
                page = await redis.xrevrange(journal, max="+" if after == "0" else f"({after}", count=_PAGE)
            else:
                page = await redis.xrange(journal, min=f"({after}", count=_PAGE)
            for entry_id, fields in page:
                yield entry_id, fields
            if len(page) < _PAGE:
                return
            after = page[-1][0].decode()


def movement_from(entry_id: bytes, fields: dict[bytes, bytes]) -> dict[str, Any]:
    """Return a journal entry with ``entry_id`` first, integers as integers, claims and postings as lists."""
    movement: dict[str, Any] = {"entry_id": entry_id.decode()}
    for name, value in fields.items():
        field, text = name.decode(), value.decode()
        if field == "claims":
            movement[field] = [_claim_from(line) for line in text.split(";")]
        elif field == "postings":
            movement[field] = [_posting_from(line) for line in text.split(";")]
        else:
            movement[field] = int(text) if field in _NUMBERS else text
    return movement


def _claim_from(line: str) -> list[str | int]:
    viewer_id, index, amount_fen, request_id = line.split(",")
    return [viewer_id, int(index), int(amount_fen), request_id]


def _reversal_from(line: str) -> dict[str, str | int]:
    cause, packet_id, amount_fen = line.split("|")
    return {"cause": cause.partition(":")[0], "packet_id": packet_id, "amount_fen": int(amount_fen)}


def _posting_from(line: str) -> list[str | int]:
    debit, credit, amount_fen = line.split(",")
    return [debit, credit, int(amount_fen)]
