"""What is known of a creator besides money stands in the store, for every process."""

import pytest

from server.core.eligibility import EVERY_PERMISSION
from server.core.ids import CreatorId
from server.core.rulebook import Permission
from server.store.connection import Store
from server.store.creators import Creators

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
