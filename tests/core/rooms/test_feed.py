"""A room's feed: the kinds of its entries are those that the store's scripts write and judge."""

import re
from importlib import resources
from typing import Any

from server.core.ids import PacketId
from server.core.rooms.feed import NUMBERED, UNTOLD, Cue, FactKind

SCRIPTS = {
    entry.name: entry.read_text("utf-8")
    for entry in (resources.files("server.store") / "lua").iterdir()
    if entry.name.endswith(".lua")
}


def test_the_scripts_append_the_untold_kinds_and_no_others() -> None:
    """An entry that a script writes by itself is one that nobody is told; all others are proposed by a cue."""
    written = {
        name: re.findall(r"'XADD', feed,[^)]*?'kind', (\S+),", text, re.DOTALL)
        for name, text in SCRIPTS.items()
        if "'XADD', feed" in text
    }
    assert written.pop("announce.lua") == ["kind"]
    assert written.keys() == {"launch.lua", "edit.lua", "end.lua"}
    assert {kind.strip("'") for kinds in written.values() for kind in kinds} == UNTOLD


def test_announce_judges_the_numbered_kinds_and_no_others() -> None:
    """The script knows each kind that a cue can have, by its contract, and names none besides in what it decides."""
    script = SCRIPTS["announce.lua"]
    stated = re.search(r"-- ARGV\[1\] kind +(.*)", script)
    assert stated is not None
    assert set(re.split(r", | or ", stated[1])) == NUMBERED
    starts = re.search(r"starts_ms = \{(.*?)\}\n", script)
    assert starts is not None
    decided = {*re.findall(r"kind [~=]= '(\w+)'", script), *re.findall(r"(\w+) = tonumber", starts[1])}
    assert decided == NUMBERED


def test_a_cue_names_the_edition_that_it_speaks_of() -> None:
    """A warm-up and a reopening are facts of one edition, all others of the packet."""
    bodies: dict[FactKind, dict[str, Any]] = {
        FactKind.WARMUP: {"packet": {"edition": 2}},
        FactKind.REOPENED: {"edition": 2},
    }
    editions = {kind: Cue(kind, PacketId("lin.p1"), bodies.get(kind, {})).edition for kind in NUMBERED}
    assert {kind for kind, edition in editions.items() if edition == "2"} == bodies.keys()
    assert {editions[kind] for kind in NUMBERED - bodies.keys()} == {""}
