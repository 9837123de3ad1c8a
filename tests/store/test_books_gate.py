"""Tests of the gate before the books: which scripts it holds back, and whose books it notes."""

import re
from importlib import resources

import pytest

from server.core.ids import CreatorId, PacketId
from server.store import connection, keys
from server.store.books_gate import PASSING, BooksGate, run_id_of
from server.store.unavailable import BooksBehind

ANNA, PLATFORM = CreatorId("anna"), CreatorId("platform")
SCRIPTS = {
    entry.name.removesuffix(".lua"): entry.read_text(encoding="utf-8")
    for entry in (resources.files("server.store") / "lua").iterdir()
    if entry.name.endswith(".lua")
}


async def _compare(_: str) -> None:
    pass


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_a_shut_gate_lets_only_readers_pass(script: str) -> None:
    """A script that is not known to move nothing is held back, so that a new one is too."""
    gate = BooksGate()
    with gate.passing(script):
        pass
    gate.shut = "the store has lost what was acknowledged"
    if script not in PASSING:
        with pytest.raises(BooksBehind, match="lost what"), gate.passing(script):
            pass
        return
    with gate.passing(script):
        pass
    assert not re.search(r"'(XADD|ZADD|RPUSH|LPOP|ZREM|RENAME|UNLINK)'", SCRIPTS[script])


def test_every_script_that_writes_a_journal_is_noted() -> None:
    """It begins its entry as the connection expects it, and names the journal's key."""
    begins = connection._JOURNALS
    writers = {name for name, text in SCRIPTS.items() if re.search(r"XADD'?,? *\(?journal|'XADD', journal", text)}
    assert {name for name, text in SCRIPTS.items() if begins in text} == writers
    assert {"claim", "record_claims", "step_order", "create", "edit", "recharge", "returning"} <= writers


def test_whose_books_have_moved_is_noted_with_the_packet_of_the_same_creator() -> None:
    """The journal's key names the creator; a packet that is not named leaves the last one noted."""
    gate = BooksGate()
    woken = []
    gate.on_note = lambda: woken.append(1)
    claimed = [keys.clock_of(ANNA), keys.packet(PacketId("anna.p")), keys.journal(ANNA)]
    gate.note(claimed)
    assert gate.noted == {}  # nobody compares
    gate.compare = _compare
    gate.note(claimed)
    gate.note([keys.wallet(ANNA), keys.journal(ANNA), keys.journal(PLATFORM)])
    assert gate.noted == {ANNA: "anna.p", PLATFORM: ""}
    assert woken == [1, 1]


def test_a_run_of_the_store_has_an_id() -> None:
    """Whatever else its INFO says."""
    assert run_id_of(b"# Server\r\nserver_name:valkey\r\nrun_id:0f3a\r\ntcp_port:0\r\n") == "0f3a"
    assert run_id_of(b"") == ""
