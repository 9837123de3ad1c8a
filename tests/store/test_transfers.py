"""Transfer ids: what a caller may call a transfer."""

import pytest

from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN
from server.store.transfers import TRANSFER_ID_LENGTH_MAX, checked_transfer_id, refusal


@pytest.mark.parametrize("text", ["r", "create:abc", "x" * TRANSFER_ID_LENGTH_MAX, "红包"])
def test_a_caller_may_use_any_plain_text(text: str) -> None:
    """Printable text that is not too long is a valid id."""
    assert text == checked_transfer_id(text)


@pytest.mark.parametrize(
    "text", ["", "a\nb", "x" * (TRANSFER_ID_LENGTH_MAX + 1), "sweep:c1.p1", "claim:c1.p1:0", "paid:w1", "failed:w1"]
)
def test_a_caller_may_not_take_the_scripts_own_ids(text: str) -> None:
    """Nobody can keep a packet from being swept by using up the id of its sweep."""
    with pytest.raises(Refused) as refused:
        checked_transfer_id(text)

    assert (refused.value.code, refused.value.field) == ("bad_id", "transfer_id")


def test_a_refusal_names_its_rule() -> None:
    """A script's refusal becomes a Refused with code, field and rule."""
    refused = refusal(b"insufficient_funds", DOUYIN)

    assert (refused.code, refused.field, refused.rule) == ("insufficient_funds", "total_fen", "DY-ACC-6")
