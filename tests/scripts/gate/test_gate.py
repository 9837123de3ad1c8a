"""A gate and its parts: a base that does not run decides nothing, and a counter that may rise fails nothing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import pytest

from loadtest.report.comparing import uncompared
from loadtest.report.summary import annotations_of
from loadtest.scenarios.target_scenario import read_scenario
from scripts.bench.process import BenchFailed
from scripts.gate import gate as gate_module
from scripts.gate.counters import COUNTERS
from scripts.gate.gate import Gate, repeat_command, run_through
from scripts.gate.options import GateOptions
from scripts.gate.sides import CommandSide

PASSED: dict[str, Any] = {"verdict": "pass", "reasons": [], "exit_code": 0, "violations": []}


@dataclass
class CountedSide:
    """A side with known counters; a broken one does not run."""

    name: str
    counted: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(COUNTERS, 10.0))
    broken: bool = False
    says: str = "no module named redrain"
    disturbed: float = 0.0  # by so much the first count is too high

    def counters(self) -> dict[str, float] | None:
        """Return the counters."""
        if self.broken:
            raise BenchFailed(self.says)
        more, self.disturbed = self.disturbed, 0.0
        return {name: value + more for name, value in self.counted.items()}

    @contextmanager
    def hosted(self) -> Iterator[str]:
        """Host nothing."""
        yield ""


def _gated(monkeypatch: pytest.MonkeyPatch, base: CountedSide, ours: CountedSide, **options: Any) -> dict[str, Any]:
    monkeypatch.setattr(gate_module, "_sides", lambda *_: (base, ours))
    gate = Gate(read_scenario("smoke"), GateOptions("smoke", base="main", budget=0, **options))
    return run_through(gate, lambda _: dict(PASSED), lambda _: None)


def test_a_counter_that_rose_is_a_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends with 11, unless this counter may rise; fewer commands are fine."""
    more = CountedSide("head", dict.fromkeys(COUNTERS, 10.0) | {"store_commands_per_grab": 11.0, "receipt_bytes": 9.0})
    assert _gated(monkeypatch, CountedSide("base"), more)["exit_code"] == 11
    assert _gated(monkeypatch, CountedSide("base"), more, allow=["store_commands_per_grab"])["exit_code"] == 0
    assert _gated(monkeypatch, more, CountedSide("head", dict.fromkeys(COUNTERS, 9.0)))["exit_code"] == 0


def test_a_counter_that_is_higher_is_counted_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something that the server did by itself in the meantime fails nothing: the least of two counts is compared."""
    result = _gated(monkeypatch, CountedSide("base"), CountedSide("head", disturbed=5.0))
    assert result["exit_code"] == 0
    assert {(counter["base"], counter["head"]) for counter in result["gate"]["counters"]} == {(10.0, 10.0)}


def test_a_base_that_does_not_run_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, the head is counted all the same, and the rest decides."""
    result = _gated(monkeypatch, CountedSide("base", broken=True), CountedSide("head"))
    assert result["exit_code"] == 0
    assert result["gate"]["notes"] == ["nothing is compared: the base does not run: no module named redrain"]
    assert {(counter["base"], counter["met"]) for counter in result["gate"]["counters"]} == {(None, None)}


def test_a_missing_base_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The base may have said several lines; a result without a base says so wherever its verdict stands."""
    broken = CountedSide("./nosuch", broken=True, says="'./nosuch' ended with status 127:\nsh: 1: not found\nbye")
    result = _gated(monkeypatch, broken, CountedSide("head")) | {"scenario": "s", "viewers": 1, "seed": 1}
    why = r"the base does not run: './nosuch' ended with status 127: sh: 1: not found\nbye"
    assert (result["gate"]["base"], result["gate"]["not_compared"]) == ("", why)
    assert uncompared(result) == f"nothing was compared: {why}"
    assert annotations_of({**result, "thresholds": []}) == [
        f"::warning title=Redrain%3A nothing was compared::{why}"
    ]  # fmt: skip


def test_a_pass_says_that_timing_was_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """With --budget 0; a counter that rose has decided, and no time would have changed that."""
    more = CountedSide("head", dict.fromkeys(COUNTERS, 11.0))
    assert uncompared(_gated(monkeypatch, CountedSide("base"), CountedSide("head"))).startswith("timing was left out")
    assert uncompared(_gated(monkeypatch, CountedSide("base"), more)) == ""


def test_a_head_alone_is_judged_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service has no work to count, and a leg beside nothing is measured only for a limit."""
    said: list[str] = []
    service = "tests/examples/http.toml"
    monkeypatch.setattr(CommandSide, "hosted", lambda _: nullcontext("http://127.0.0.1:1"))
    gate = Gate(read_scenario(service), GateOptions(service, head_command="./serve"))
    result = run_through(gate, lambda _: dict(PASSED), said.append)
    assert (result["exit_code"], result["gate"]["head"], said) == (0, "./serve", [])
    assert uncompared(result) == "nothing was compared: no base was given"


def test_the_command_repeats_the_gate() -> None:
    """Each option that was given, in words of a shell."""
    options = GateOptions("my gate.toml", base_command="a b", head_command="c", allow=["push_bytes"], viewers=5)
    assert repeat_command(options) == (
        "redrain gate 'my gate.toml' --base-command 'a b' --head-command c --slower 3 --budget 5 --engine swarm "
        "--allow push_bytes --viewers 5"
    )
