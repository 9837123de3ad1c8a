"""A creator's data other than money are in the store, for every process."""

import pytest

from server.core.ids import CreatorId
from server.core.refusal import Refused
from server.core.rulebooks.eligibility import EVERY_PERMISSION
from server.core.rulebooks.rulebook import Permission
from server.store import keys
from server.store.connection import Store
from server.store.creators import Creators
from tests.store.desk import Desk

LIN, ANNA = CreatorId("lin"), CreatorId("anna")


@pytest.mark.rule("DY-ELG-1")
@pytest.mark.rule("KS-ELG-1")
async def test_what_was_said_last_of_a_creator_holds(store: Store) -> None:
    """Until something was said a creator has every permission; then exactly what was said, of that creator alone."""
    one, other = Creators(store), Creators(store)
    assert await one.permissions(LIN) == EVERY_PERMISSION
    for said in ([Permission.FEATURE_GRANTED], [], list(Permission)):
        await one.permit(LIN, said)
        await one.permit(LIN, said)
        assert await other.permissions(LIN) == set(said)
    await one.permit(LIN, [])
    assert await one.permissions(ANNA) == EVERY_PERMISSION


@pytest.mark.rule("DY-ELG-2")
@pytest.mark.rule("KS-ACC-1")
async def test_an_empty_wallet_creates_nothing(desk: Desk) -> None:
    """Without a fen it is the rule of the platform that refuses; what was created before is still answered."""

    async def refuses() -> None:
        before = await desk.state()
        with pytest.raises(Refused) as refused:
            await desk.draft([1], platform="kuaishou")
        assert (refused.value.code, refused.value.rule) == ("recharge_required", "KS-ACC-1")
        after = await desk.state()
        assert {key: value for key, value in after.items() if not key.endswith(b":clock")} == {
            key: value for key, value in before.items() if not key.endswith(b":clock")
        }

    await refuses()
    await desk.recharge(3)
    first = await desk.draft([1, 2], transfer_id="t")
    assert await desk.draft([1, 2], transfer_id="t") == first
    await refuses()


@pytest.mark.rule("DY-REV-2")
async def test_a_creator_is_due_when_one_of_its_steps_is(store: Store) -> None:
    """One question for all creators: whose packets, orders, shares or money are due by now, or cannot be read."""
    creators = Creators(store)
    names = [CreatorId(name) for name in ("idle", "packet", "order", "share", "money", "later", "broken")]
    await store.redis.sadd(keys.CREATORS, *names)
    for name, key_of in zip(names[1:5], (keys.due, keys.orders_due, keys.expiring, keys.reversals), strict=True):
        await store.redis.zadd(key_of(name), {"x": 100})
    await store.redis.zadd(keys.due(names[5]), {"x": 101})
    await store.redis.set(keys.due(names[6]), "no sorted set")
    assert await creators.due(100) == {*names[1:5], names[6]}
    assert await creators.due(99) == {names[6]}
