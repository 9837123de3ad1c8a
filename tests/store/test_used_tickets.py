"""Used tickets: each is the first once, over all processes, and forgotten when it expires."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from server.store import keys
from server.store.books_gate import BooksGate
from server.store.connection import Durability, Store, StoreUnavailable, client_for
from server.store.embedded.process import EmbeddedStore
from server.store.used_tickets import UsedTickets


@pytest.fixture
async def two_stores(embedded: EmbeddedStore) -> AsyncIterator[tuple[Store, Store]]:
    """Connect two processes' worth of clients to one empty store."""
    stores = [await Store.connect(embedded.url, durability=Durability.RELAXED) for _ in range(2)]
    await stores[0].redis.flushall()
    yield stores[0], stores[1]
    for store in stores:
        await store.close()


async def test_a_ticket_is_used_once_over_all_processes(two_stores: tuple[Store, Store]) -> None:
    """Of many at the same time exactly one is the first, for each ticket."""
    one, other = (UsedTickets(store) for store in two_stores)
    tried = [(ticket, desk.use(ticket, 60_000)) for ticket in ("a", "b") for desk in (one, other) * 10]
    answers = await asyncio.gather(*(answer for _, answer in tried))
    assert sorted(ticket for (ticket, _), is_first in zip(tried, answers, strict=True) if is_first) == ["a", "b"]


async def test_those_of_one_moment_are_one_message(two_stores: tuple[Store, Store]) -> None:
    """A crowd's tickets go to the store together."""
    desk = UsedTickets(two_stores[0])
    before = (await two_stores[0].redis.info("stats"))["total_reads_processed"]
    assert all(await asyncio.gather(*(desk.use(f"t{number}", 60_000) for number in range(100))))
    after = (await two_stores[0].redis.info("stats"))["total_reads_processed"]
    assert after - before < 20


async def test_what_has_expired_is_forgotten(two_stores: tuple[Store, Store]) -> None:
    """The store keeps a ticket no longer than somebody could show it."""
    assert await UsedTickets(two_stores[0]).use("a", 0)
    await asyncio.sleep(0.01)  # it was to last for none
    assert await two_stores[0].redis.exists(keys.used_ticket("a")) == 0


async def test_without_a_store_nothing_is_used() -> None:
    """All that waited for the same answer learn that there is none."""
    nowhere = Store(client_for("redis://127.0.0.1:1"), {}, BooksGate())
    desk = UsedTickets(nowhere)
    answers = await asyncio.gather(desk.use("a", 1), desk.use("b", 1), return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreUnavailable] * 2
    await nowhere.close()
