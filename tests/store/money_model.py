"""The model of the money machine: expected packets and orders, and a pure ledger of each journal."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from server.core.ids import CreatorId, OrderId, PacketId, creator_of
from server.core.money.posting import Reversal
from server.core.orders.asset import Asset
from server.core.orders.order import Order, OrderState
from server.core.packets.claim import ClaimStatus
from server.core.packets.packet import Packet
from server.core.rulebooks.rulebook import Rulebook
from server.store import keys
from server.store.connection import Store
from tests.core.money.ledger_model import Ledger, Transfer
from tests.store.reading import Command, read_all
from tests.store.replay import Replay, Told, not_empty, told_by

S = ClaimStatus
_COUNTED = ("locked", "redeemed", "final", "expired")


@dataclass
class Model:
    """A packet as it should be."""

    packet: Packet
    shares: list[int]
    transfer_id: str
    state: str = "draft"
    grab_at_ms: int = 0
    claim_end_at_ms: int = 0
    owners: dict[str, tuple[int, str]] = field(default_factory=dict)
    assets: list[Asset] = field(default_factory=list)
    edition: int = 1
    first_fen: int = 0
    first_count: int = 1
    waiting: int = 0  # shares of an edit whose time has not come
    claimable_at_ms: int = 0
    expired_upto: int = 0
    final: set[int] = field(default_factory=set)  # the redeemed shares that have paid for good
    gains: Counter[str] = field(default_factory=Counter)  # what orders with it brought

    @property
    def packet_id(self) -> PacketId:
        return self.packet.packet_id

    @property
    def creator_id(self) -> CreatorId:
        return creator_of(self.packet_id)

    @property
    def given(self) -> int:
        return len(self.assets)

    @property
    def left(self) -> list[int]:
        return self.shares[self.given :]

    def open_at(self, now_ms: int) -> list[int]:
        """Return the shares that can be claimed now."""
        if now_ms >= self.claimable_at_ms:
            return self.left
        return self.left[: len(self.left) - self.waiting]

    def refusal_at(self, now_ms: int) -> ClaimStatus | None:
        if self.state == "voided":
            return S.VOIDED
        if self.state == "draft" or (self.state == "launched" and now_ms < self.grab_at_ms):
            return S.TOO_EARLY
        if self.state == "settled" or now_ms >= self.claim_end_at_ms:
            return S.TOO_LATE
        return None

    def counted(self) -> dict[str, int]:
        """Return what the packet's record counts."""
        numbers = {
            "share_count": len(self.shares),
            "total_fen": sum(self.shares),
            "edition": self.edition,
            "given": self.given,
            "given_fen": sum(asset.face_fen for asset in self.assets),
            "expired_upto": self.expired_upto,
        }
        over = self.state in ("settled", "voided")
        numbers |= {"returned": len(self.left) if over else 0, "returned_fen": sum(self.left) if over else 0}
        for name in _COUNTED:
            faces = [asset.face_fen for index, asset in enumerate(self.assets) if self._word(index) == name]
            numbers |= {name: len(faces), f"{name}_fen": sum(faces)}
        return numbers

    def stored_assets(self) -> dict[str, str]:
        """Return what is written of each share that is not available."""
        return {
            str(index): self._word(index) if asset.order_id is None else f"{self._word(index)}:{asset.order_id}"
            for index, asset in enumerate(self.assets)
            if asset.state != "available"
        }

    def _word(self, index: int) -> str:
        """Return the store's word for where a share stands."""
        state = self.assets[index].state
        if state == "expired_returned":
            return "expired"
        return "final" if index in self.final else state


@dataclass
class Bought:
    """An order as it should be; ``version`` counts its home's steps."""

    order: Order
    home: CreatorId
    rulebook: Rulebook
    ordered_at_ms: int
    asked: Mapping[str, Any]
    version: int = 1

    @property
    def order_id(self) -> OrderId:
        return OrderId(self.order.order_id)

    @property
    def due_at_ms(self) -> int | None:
        """When the sweeper has something to do with the order, if it ever has."""
        if self.order.state is OrderState.SUBMITTED_UNPAID:
            return self.ordered_at_ms + self.rulebook.order_unpaid_max_ms
        if self.order.state is OrderState.PAID:
            assert self.order.paid_at_ms is not None
            return self.order.paid_at_ms + self.rulebook.refund_horizon_ms
        return None

    def told(self) -> tuple[str, int | None, list[tuple[str, dict[str, int], int]]]:
        refunds = [(each.refund_id, dict(each.by_line), each.extras_fen) for each in self.order.refunds]
        return self.order.state, self.order.paid_at_ms, refunds


@dataclass
class Book:
    """One creator's journal: the pure ledger and what the store's has come to."""

    creator_id: CreatorId
    ledger: Ledger = field(default_factory=Ledger)
    replay: Replay = field(default_factory=Replay)
    expected: list[Told] = field(default_factory=list)  # the ledger's journal, as it was compared
    reversals: list[Reversal] = field(default_factory=list)
    withdrawals: list[Transfer] = field(default_factory=list)
    gains: Counter[str] = field(default_factory=Counter)  # what orders with the creator's packets brought

    def wallet(self) -> dict[str, int]:
        funds = self.ledger.funds(self.creator_id)
        return {
            "available_fen": funds.available_fen,
            "recharged_fen": funds.recharged_fen,
            "returned_fen": funds.returned_fen,
            "withdrawn_fen": funds.withdrawn_fen,
            "spent_fen": funds.spent_fen,
            "reversing_fen": sum(each.amount_fen for each in self.reversals),
        }


async def compare(store: Store, books: Sequence[Book], packets: Sequence[Model], orders: Sequence[Bought]) -> None:
    """Assert that all that the store holds is the model's, in one reading of it."""
    models = {book.creator_id: [each for each in packets if each.creator_id == book.creator_id] for book in books}
    bought = {book.creator_id: [each for each in orders if each.home == book.creator_id] for book in books}
    found = await read_all(store, [_commands(book, models[book.creator_id], bought[book.creator_id]) for book in books])
    for book in books:
        _compare_book(book, [next(found) for _ in range(4)])
        pending = [each for each in book.withdrawals if next(found) == b"pending"]
        pending_fen = sum(each.amount_fen for each in pending)
        assert pending_fen == book.ledger.balance(f"withdrawing:{book.creator_id}")
        for model in models[book.creator_id]:
            _compare_packet(model, [next(found) for _ in range(7)])
        for order in bought[book.creator_id]:
            state, progress, version = next(found)
            told = orjson.loads(progress)
            refunds = [(each["refund_id"], each["by_line"], each["extras_fen"]) for each in told["refunds"]]
            assert (state.decode(), told["paid_at_ms"], refunds) == order.told()
            assert int(version) == order.version
    held = [each for book in books for each in book.ledger.balances().items()]
    assert sum(fen for _, fen in held) == 0


def _commands(book: Book, models: Sequence[Model], bought: Sequence[Bought]) -> Iterator[Command]:
    """Yield what reads all that the store holds of a creator."""
    yield "XRANGE", keys.journal(book.creator_id), book.replay.read_from, "+"
    yield "HGETALL", keys.wallet(book.creator_id)
    yield "ZRANGE", keys.reversals(book.creator_id), 0, -1, "WITHSCORES"
    yield "HGETALL", keys.effects(book.creator_id)
    for each in book.withdrawals:
        yield "HGET", keys.withdrawal(book.creator_id, each.withdrawal_id), "state"
    for model in models:
        yield "HGETALL", keys.packet(model.packet_id)
        yield "HGETALL", keys.assets(model.packet_id)
        yield "HGETALL", keys.claims(model.packet_id)
        yield "LLEN", keys.owners(model.packet_id)
        yield "LLEN", keys.shares(model.packet_id)
        yield "LLEN", keys.added(model.packet_id)
        yield "HGETALL", keys.effects_of(model.packet_id)
    for order in bought:
        yield "HMGET", keys.order(order.home, order.order_id), "state", "progress", "version"


def _compare_book(book: Book, found: Sequence[Any]) -> None:
    journal, wallet, reversals, effects = found
    book.ledger.check()
    book.replay.hear(journal)
    known = len(book.expected)
    book.expected += map(told_by, book.ledger.journal[known:])
    assert book.replay.entries[known:] == book.expected[known:]  # what was before, was compared before
    assert len(book.replay.entries) == len(book.expected)
    assert book.replay.held() == not_empty(book.ledger.balances())
    expected = book.wallet()
    assert {name: int(wallet.get(name.encode(), 0)) for name in expected} == expected
    assert expected["reversing_fen"] == book.ledger.balance(f"reversing:{book.creator_id}")
    assert {name.decode(): int(due_at_ms) for name, due_at_ms in reversals} == {
        f"{each.key}|{each.packet_id}|{each.amount_fen}": each.due_at_ms for each in book.reversals
    }
    assert numbers(effects) == +book.gains


def _compare_packet(model: Model, found: Sequence[Any]) -> None:
    record, assets, claims, owners, in_shares, in_added, effects = found
    assert record[b"state"].decode() == model.state
    expected = model.counted()
    assert {name: int(record.get(name.encode(), 0)) for name in expected} == expected
    assert {index.decode(): state.decode() for index, state in assets.items()} == model.stored_assets()
    held = {viewer.decode(): value.decode().split(":") for viewer, value in claims.items()}
    assert {viewer: (int(index), request) for viewer, (index, _, _, request) in held.items()} == model.owners
    assert owners == model.given
    assert in_shares + in_added == (0 if model.state in ("settled", "voided") else len(model.left))
    assert numbers(effects) == +model.gains


def numbers(fields: Mapping[bytes, bytes]) -> dict[str, int]:
    return {name.decode(): int(value) for name, value in fields.items()}
