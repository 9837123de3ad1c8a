"""Misdeeds against a real server under the limits of production: each is refused as it says, or borne."""

from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random

import pytest

from loadtest.engines import misdeeds
from loadtest.engines.misdeeds import Victim, commit
from loadtest.scenarios.hostile import CUT_OFF, EXPECTED, HELD, LET_IN, Misdeed
from server.gateway.limits import PRODUCTION
from server.store.connection import Durability, Store
from server.store.embedded.process import EmbeddedStore
from tests.gateway.house import ROOM, House, open_house


@pytest.fixture
async def house(embedded: EmbeddedStore) -> AsyncIterator[House]:
    """Open a house that gives up on half a request soon."""
    store = await Store.connect(embedded.url, durability=Durability.RELAXED)
    await store.redis.flushall()
    async with open_house(store, replace(PRODUCTION, request_ms=300, late_ms=100)) as opened:
        yield opened
    await store.close()


async def test_what_can_be_refused_is_refused(house: House) -> None:
    """By the status or the close code that is documented; afterwards an honest viewer is served."""
    victim = Victim("127.0.0.1", house.port, ROOM, "127.0.0.100")
    for number, (misdeed, expected) in enumerate(EXPECTED.items()):
        assert await commit(misdeed, victim, Random(number)) in expected, misdeed
    assert (await house.join("honest")).welcome["type"] == "welcome"


async def test_every_broken_frame_is_closed(house: House) -> None:
    """Unmasked, not UTF-8, with reserved bits, or a control frame in parts."""
    victim = Victim("127.0.0.1", house.port, ROOM)
    got = {await commit(Misdeed.BROKEN_FRAME, victim, Random(number)) for number in range(12)}
    assert got == {"close 1002", "close 1007"}


async def test_what_cannot_be_refused_is_borne(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is held, and nothing of it reaches the others."""
    monkeypatch.setattr(misdeeds, "HELD_S", 0.5)
    victim = Victim("127.0.0.1", house.port, ROOM)
    assert await commit(Misdeed.HALF_FRAME, victim, Random(1)) in {HELD, CUT_OFF}
    monkeypatch.undo()
    assert await commit(Misdeed.RECONNECT_STORM, victim, Random(1)) in {LET_IN, "429"}


async def test_a_server_that_is_not_there_is_no_outcome() -> None:
    with pytest.raises(OSError, match=r"."):
        await commit(Misdeed.FLOOD, Victim("127.0.0.1", 9, ROOM), Random(1))
