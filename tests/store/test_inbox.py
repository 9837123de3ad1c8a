"""Inboxes in the store: capped, in order, with what was read."""

import pytest

from server.core.ids import OrderId, ViewerId
from server.core.orders import inbox
from server.core.orders.inbox import InboxMessage, MessageKind
from server.core.refusal import Refused
from server.store import inbox as module
from server.store import keys
from server.store.inbox import Inboxes
from tests.store.desk import NOW_MS, Desk

ANNA = ViewerId("anna")


def message(number: int) -> InboxMessage:
    return InboxMessage(MessageKind.PACKET_RETURNED, OrderId("li.o1"), f"li.p{number}:0", 500, number)


async def test_an_inbox_is_read_from_its_last_message_on(desk: Desk) -> None:
    """Each message once, page by page; what was read stays read, and what comes later is not."""
    inboxes = Inboxes(desk.store, desk.clock)
    assert await inboxes.page(ANNA, after=None, count=2) == ([], 0)
    for number in range(3):
        await desk.at(NOW_MS + number)
        await inboxes.add(ANNA, [message(number)])
        await inboxes.add(ANNA, [message(number)])
    await inboxes.add(ANNA, [])
    first, unread = await inboxes.page(ANNA, after=None, count=2)
    assert ([each.message for each in first], unread) == ([message(2), message(1)], 3)
    rest, _ = await inboxes.page(ANNA, after=first[-1].message_id, count=2)
    assert [(each.message, each.received_at_ms, each.read) for each in rest] == [(message(0), NOW_MS, False)]
    for until_ms in (NOW_MS + 1, NOW_MS):
        await inboxes.mark_read(ANNA, until_ms)
        seen, unread = await inboxes.page(ANNA, after=None, count=9)
        assert ([each.read for each in seen], unread) == ([False, True, True], 1)
    with pytest.raises(Refused) as refused:
        await inboxes.page(ANNA, after="nothing", count=2)
    assert refused.value.field == "after"


async def test_an_inbox_has_an_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest messages leave it, and all of it goes a month after the last."""
    monkeypatch.setattr(module, "MESSAGES_MAX", 2)
    inboxes = Inboxes(desk.store, desk.clock)
    for number in range(3):
        await desk.at(NOW_MS + number)
        await inboxes.add(ANNA, [message(number)])
    seen, _ = await inboxes.page(ANNA, after=None, count=9)
    assert [each.message for each in seen] == [message(2), message(1)]
    await inboxes.mark_read(ANNA, NOW_MS)
    for name in (keys.messages(ANNA), keys.messages_read(ANNA)):
        assert 0 < await desk.store.redis.ttl(name) <= module.KEPT_S
    assert inbox.MESSAGES_MAX == 200
