"""The registry: each name has an allocator that says what it is."""

from pathlib import Path

import pytest

from server.core.packets.capabilities import ALL_CAPABILITIES, Capabilities
from server.store.allocators.guard import AllocatorFailed
from server.store.allocators.loading import BadAllocator
from server.store.allocators.registry import BUILT_IN, DEFAULT, entries_for, entry_of

BAD = """
from server.store.allocators.port import Allocator

class Mine(Allocator):
    \"\"\"Mine for a test.

    More.\"\"\"
    def __init__(self, context):
        raise ValueError("not today")

    async def claim(self, packet_id, room_id, grabs):
        return []
"""


def test_what_is_built_in() -> None:
    """The default is for everybody; the others are for the load lab, two of them known to be wrong."""
    assert list(BUILT_IN) == ["default", "list-pop", "counter", "watch-multi", "naive"]
    assert [entry.name for entry in BUILT_IN.values() if not entry.for_lab] == [DEFAULT]
    assert [entry.name for entry in BUILT_IN.values() if not entry.correct] == ["list-pop", "naive"]
    assert BUILT_IN[DEFAULT].capabilities == ALL_CAPABILITIES
    assert {entry.capabilities for entry in BUILT_IN.values()} == {ALL_CAPABILITIES, Capabilities()}
    assert all(entry.summary.endswith(".") for entry in BUILT_IN.values())


def test_a_server_runs_the_default_and_with_diagnostics_all(tmp_path: Path) -> None:
    """A user's own is one more, and needs diagnostics too."""
    (tmp_path / "own_entry.py").write_text(BAD, "utf-8")
    assert [entry.name for entry in entries_for(diagnostics=False, own="", folder=tmp_path)] == [DEFAULT]
    both = [entry.name for entry in entries_for(diagnostics=True, own="own_entry:Mine", folder=tmp_path)]
    assert both == [*BUILT_IN, "own_entry:Mine"]
    assert list(BUILT_IN) == [entry.name for entry in entries_for(diagnostics=True, own="naive", folder=tmp_path)]
    with pytest.raises(BadAllocator, match="only run with --diagnostics"):
        entries_for(diagnostics=False, own="own_entry:Mine", folder=tmp_path)


def test_a_users_own_says_what_it_is(tmp_path: Path) -> None:
    """Its summary is the first line of its docstring, and nobody knows whether it is correct."""
    (tmp_path / "own_entry_two.py").write_text(BAD, "utf-8")
    entry = entry_of("own_entry_two:Mine", tmp_path)
    assert (entry.summary, entry.correct, entry.for_lab) == ("Mine for a test.", None, True)
    with pytest.raises(AllocatorFailed, match="own_entry_two:Mine cannot be made: ValueError: not today"):
        entry.make(None)  # type: ignore[arg-type]


def test_an_unknown_name_is_said() -> None:
    """With those that there are."""
    with pytest.raises(BadAllocator, match="default, list-pop, counter, watch-multi, naive"):
        entry_of("mine", Path())
