"""Shelves: records come back by key and in order, from memory or from disk."""

import gc
from typing import NamedTuple

import pytest

from loadtest.record.shelf import Packing, Shelf, Shelved


class Numbered(NamedTuple):
    """A record."""

    key: str
    number: int


def _shelf(in_memory: int) -> Shelf[str, Numbered]:
    return Shelf(lambda record: record.key, Packing(tuple, Numbered._make), in_memory=in_memory)


@pytest.mark.parametrize("in_memory", [1, 2, 5, 100])
def test_records_come_back_by_key_and_in_order(in_memory: int) -> None:
    """However few are held in memory."""
    shelved = Shelved(_shelf(in_memory), (Numbered("abc"[number % 3], number) for number in range(20)))

    assert list(shelved.by) == ["a", "b", "c"]
    assert shelved.by["b"] == [Numbered("b", number) for number in range(1, 20, 3)]
    assert list(shelved) == [Numbered("abc"[key], number) for key in range(3) for number in range(key, 20, 3)]
    assert (len(shelved), len(shelved.by), shelved[0], shelved[-1]) == (20, 3, ("a", 0), ("c", 17))
    assert shelved == list(shelved)
    assert shelved != []
    assert shelved.by.get("d") is None


@pytest.mark.parametrize("in_memory", [2, 100])
def test_keys_can_be_left_out(in_memory: int) -> None:
    """The others stay readable when the whole shelf is gone."""
    shelf = _shelf(in_memory)
    for number in range(9):
        shelf.append(Numbered("abc"[number % 3], number))
    rest = shelf.without({"a"})
    del shelf
    gc.collect()

    assert dict(rest) == {"b": [("b", 1), ("b", 4), ("b", 7)], "c": [("c", 2), ("c", 5), ("c", 8)]}


def test_two_readers_do_not_disturb_each_other() -> None:
    """Each goes on where it was, though both read the same file."""
    shelved = Shelved(_shelf(1), (Numbered("a", number) for number in range(5)))

    assert list(zip(shelved, shelved.by.each("a"), strict=True)) == [(each, each) for each in shelved]
