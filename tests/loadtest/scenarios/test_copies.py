"""Copies: many packets of one table, of our own server and of another service."""

import re
from pathlib import Path

import pytest

from loadtest.run.director import planned_packets
from loadtest.scenarios.copies import shifted
from loadtest.scenarios.crowd_scenario import BadScenario
from loadtest.scenarios.scenario import load_scenario
from tests.loadtest.scenarios.test_scenario import GOOD
from tests.loadtest.targets.described import HTTP, PACKET, scenario


def _written(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, "utf-8")
    return str(path)


def test_only_times_that_there_are_move() -> None:
    """A time that a table leaves out stays out."""
    assert shifted({"a_ms": 5, "b_ms": None, "c": 1}, 10, "a_ms", "b_ms") == {"a_ms": 15}


COPIED = GOOD + "copies = 3\nevery_ms = 2_000\nedits = [{ at_ms = 500, share_count = 9 }]\nend_at_ms = 900\n"


def test_a_packet_may_stand_for_several(tmp_path: Path) -> None:
    """Each comes later by as much, with all that happens to it; a fault may name one, and a change keeps them."""
    fault = '[[faults]]\nkind = "kill_store"\nat_phase = { packet = "one 3", phase = "open" }\n'
    path = _written(tmp_path, COPIED + fault)
    for read in (load_scenario(path), load_scenario(path).before(seed=2)):
        assert [each.name for each in read.packets] == ["one 1", "one 2", "one 3"]
        assert [each.launch_at_ms for each in read.packets] == [0, 2_000, 4_000]
        assert [each.edits[0].at_ms for each in read.packets] == [500, 2_500, 4_500]
        assert [each.end_at_ms for each in read.packets] == [900, 2_900, 4_900]
        assert {each.delay_ms for each in read.packets} == {1_000}
        assert len(planned_packets(read, 10)) == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("every_ms = 2_000\n", ""), "packets.0: copies above 1 and every_ms go together"),
        (("copies = 3\n", ""), "packets.0: copies above 1 and every_ms go together"),
        (("copies = 3", "copies = 0"), "packets.0.copies: Input should be greater"),
        (("every_ms = 2_000", "every_ms = 0"), "packets.0.every_ms: Input should be greater"),
        (("copies = 3", "copies = 10_001"), "packets.0.copies: Input should be less"),
    ],
)
def test_copies_say_how_many_and_how_far_apart(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    """Either alone is refused."""
    with pytest.raises(BadScenario, match=re.escape(said)):
        load_scenario(_written(tmp_path, COPIED.replace(*change)))


def test_there_are_not_too_many_copies(tmp_path: Path) -> None:
    """The limit of a programme holds for all of them together."""
    more = GOOD.partition("[[packets]]")[2].replace('"one"', '"two"')
    text = f"{GOOD}copies = 6_000\nevery_ms = 1\n[[packets]]{more}copies = 6_000\nevery_ms = 1\n"
    with pytest.raises(BadScenario, match="packets: are 12,000 with all copies; at most 10,000"):
        load_scenario(_written(tmp_path, text))


def test_a_declared_packet_may_stand_for_several() -> None:
    """Their ids are numbered; those that open at a time follow each other."""
    timed = {**PACKET, "opens": None, "opens_after_ms": 2_000, "copies": 3, "every_ms": 500}
    read = scenario(HTTP, packets=[timed, {**PACKET, "packet_id": "q", "copies": 2}])
    ids = [f"{PACKET['packet_id']}{number}" for number in (1, 2, 3)]
    assert [each.packet_id for each in read.packets] == [*ids, "q1", "q2"]
    assert [each.opens_after_ms for each in read.packets] == [2_000, 2_500, 3_000, None, None]
    assert read.before(seed=3).packets == read.packets
    with pytest.raises(ValueError, match="each needs a unique packet_id"):
        scenario(HTTP, packets=[timed, {**PACKET, "packet_id": ids[1]}])
