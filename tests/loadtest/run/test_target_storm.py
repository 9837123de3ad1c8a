"""When a storm on another service is over: not before its packets, not before its replies, and never too late."""

from pathlib import Path
from typing import Any

from loadtest.engines.progress import Progress
from loadtest.record.run_folder import RunFolder
from loadtest.run.target_storm import SETTLE_MS, Ending, TargetPlan
from tests.loadtest.targets.described import HTTP, PACKET, SOCKET, scenario

MS = 1_000_000
START_NS = 1_000 * MS
TIMEOUT_MS = 3_000


def an_ending(*packets: dict[str, Any], target: dict[str, Any] = HTTP, **fields: Any) -> Ending:
    patient = {**target, "grab": {**target["grab"], "timeout_ms": TIMEOUT_MS}}
    audience = {"viewers": 3, "reaction_median_ms": 0}
    return Ending(scenario(patient, packets=[PACKET | each for each in packets], audience=audience, **fields), START_NS)


def over(ending: Ending, at_ms: int, offered: int = 0, answered: int = 0) -> bool:
    """Tell whether it is over that long after the start, after so many taps and replies."""
    ending.see(Progress(offered=offered, answered=answered), START_NS + at_ms * MS)
    return ending.over(START_NS + at_ms * MS)


def test_it_is_over_when_everybody_is_answered_and_nobody_taps() -> None:
    ending = an_ending({"opens": "at_once"})
    assert not over(ending, 100, offered=3, answered=3)
    assert not over(ending, 100 + SETTLE_MS - 1, offered=3, answered=3)
    assert over(ending, 100 + SETTLE_MS, offered=3, answered=3)


def test_a_new_tap_puts_it_off() -> None:
    ending = an_ending({"opens": "at_once"})
    over(ending, 100, offered=3, answered=3)
    assert not over(ending, 100 + SETTLE_MS, offered=4, answered=4)


def test_who_waits_for_a_reply_waits_until_the_timeout() -> None:
    ending = an_ending({"opens": "at_once"})
    assert not over(ending, 100, offered=3, answered=2)
    assert not over(ending, 100 + TIMEOUT_MS - 1, offered=3, answered=2)
    assert over(ending, 100 + TIMEOUT_MS, offered=3, answered=2)


def test_it_lasts_until_the_last_packet_has_closed() -> None:
    first = {"opens": "at_once"}
    last = {"packet_id": "p2", "opens": None, "opens_after_ms": 5_000, "closes_after_ms": 2_000}
    ending = an_ending(first, last)
    assert not over(ending, 6_999 + SETTLE_MS)
    assert over(ending, 7_000 + SETTLE_MS)
    stays = an_ending(first, lasts_ms=9_000)
    assert not over(stays, 8_999)
    assert over(stays, 9_000)


def test_an_opening_that_never_comes_is_waited_for_so_long_and_no_longer() -> None:
    ending = an_ending({"opens": "on_message"}, target=SOCKET, opens_within_ms=4_000)
    assert not over(ending, 3_999)
    assert over(ending, 4_000)


def test_a_plan_knows_where_the_service_is() -> None:
    plan = TargetPlan(scenario(HTTP), "theirs.toml", RunFolder(Path("run")))
    assert (plan.base_url, plan.seats) == ("http://127.0.0.1:9000", 3)
    given = TargetPlan(scenario(HTTP), "theirs.toml", RunFolder(Path("run")), host="http://127.0.0.1:7/")
    assert given.base_url == "http://127.0.0.1:7"


def test_an_answer_that_cannot_be_read_is_not_waited_for() -> None:
    ending = an_ending({"opens": "at_once"})
    ending.see(Progress(offered=3, answered=1, unread=2), START_NS)
    assert ending.over(START_NS + SETTLE_MS * MS)
