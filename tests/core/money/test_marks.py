"""Tests of marks: what a store lacks of what was acknowledged, and what is no loss."""

import pytest

from server.core.ids import CreatorId
from server.core.money.marks import (
    NOTHING,
    CreatorFound,
    Mark,
    Shortfall,
    WitnessedBooks,
    mark_from,
    place,
    shortfall,
)

ANNA, BEN = CreatorId("anna"), CreatorId("ben")
MARK = Mark("20-3", "anna.p", 7, "20-1")
THERE = CreatorFound("20-3", NOTHING, 7, retired=False)


def compared(found: CreatorFound, mark: Mark = MARK, epoch: str = "e1") -> Shortfall | None:
    """Compare one creator of a store with a mark."""
    return shortfall(WitnessedBooks("e1", {ANNA: mark}), epoch, {ANNA: found})


@pytest.mark.parametrize(
    "found",
    [
        THERE,
        THERE._replace(journal="20-4", given=8),
        THERE._replace(journal="100-0"),  # by number, not by letter
        CreatorFound(NOTHING, "20-3", 7, retired=False),  # retention has dropped the whole journal
        CreatorFound("20-3", "3-0", None, retired=True),  # and the packet, of which some of the journal is left
        CreatorFound("30-0", "20-1", None, retired=False),  # and all of the packet's journal
    ],
)
def test_a_store_that_has_all_lacks_nothing(found: CreatorFound) -> None:
    """A journal may have gone on, and retention may have dropped what ended long ago."""
    assert compared(found) is None


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (THERE._replace(journal="20-2"), "anna: after 20-2 up to journal entry 20-3"),
        (THERE._replace(journal="9-9"), "anna: after 9-9 up to journal entry 20-3"),
        (THERE._replace(journal=NOTHING, given=None), "anna: all up to journal entry 20-3"),
        (CreatorFound("4-0", "5-0", 7, retired=False), "anna: after 5-0 up to journal entry 20-3"),
        (THERE._replace(given=6), "anna: claims of packet anna.p, which had given 7 and has 6"),
        (THERE._replace(given=None), "anna: claims of packet anna.p, which had given 7 and has 0"),
        (CreatorFound("20-3", "20-0", None, retired=False), "anna: claims of packet anna.p, which had given 7"),
    ],
)
def test_what_is_missing_is_named(found: CreatorFound, said: str) -> None:
    """The creator, and from which entry of its journal to which."""
    behind = compared(found)
    assert behind is not None
    first, line = behind.lines()
    assert first == "the store has lost what was acknowledged"
    assert line.startswith(said)


def test_another_store_is_behind_even_if_it_has_more() -> None:
    """Its epoch tells it apart; one that was emptied has none."""
    other, empty = compared(THERE, epoch="e2"), compared(THERE._replace(journal=NOTHING), epoch="")
    assert str(other) == "the store is another one (epoch e2) than this home knows (epoch e1)"
    assert str(empty).startswith("the store is empty, or is not the one that this home knows: anna: all up to")


def test_without_an_acknowledgement_there_is_nothing_to_lose() -> None:
    """A store that was emptied before anything was acknowledged may be taken for the home's."""
    assert shortfall(WitnessedBooks("e1", {}), "", {}) is None


def test_a_long_list_is_cut_short_in_one_sentence() -> None:
    """The log gets a few creators, the command all of them."""
    creators = {CreatorId(f"c{number}"): (Mark("9-0"), THERE._replace(journal="8-0")) for number in range(8)}
    behind = Shortfall("e1", "e1", creators)
    assert len(behind.lines()) == 9
    assert str(behind).endswith("c4: after 8-0 up to journal entry 9-0; and 3 more creators")


def test_a_mark_goes_on_with_what_is_found() -> None:
    """Its packet is the last of which shares were claimed, as of the entry with which that was first seen."""
    recharged = mark_from(CreatorFound("1-0", NOTHING, None, retired=False), "", None)
    assert recharged == Mark("1-0")
    claimed = mark_from(CreatorFound("2-0", NOTHING, 3, retired=False), "anna.p", recharged)
    assert claimed == Mark("2-0", "anna.p", 3, "2-0")
    later = mark_from(CreatorFound("3-0", NOTHING, 3, retired=False), "anna.p", claimed)
    assert later == Mark("3-0", "anna.p", 3, "2-0")
    assert mark_from(CreatorFound(NOTHING, "4-0", None, retired=False), "", later) == Mark("4-0", "anna.p", 3, "2-0")


def test_entries_are_in_the_order_of_their_numbers() -> None:
    """An id is two numbers, of which the first may be longer than another's."""
    assert sorted(["10-0", "9-11", "9-2", NOTHING], key=place) == [NOTHING, "9-2", "9-11", "10-0"]
