"""``scripts/gate_aa``: what it runs, counts that add up over sittings, and plants that are what they say."""

import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.console import Console

from tests.gate_aa import __main__ as gate_aa
from tests.gate_aa.experiments import EXPERIMENTS, ROOT, ask_once_more, slower, starve_the_generator
from tests.gate_aa.hog import hog
from tests.gate_aa.slower import Spinner, slow_down


def line(experiment: str, number: int, exit_code: int) -> dict[str, Any]:
    return {"experiment": experiment, "number": number, "exit_code": exit_code, "seconds": 80.0, "says": []}


@pytest.mark.parametrize(
    ("asked", "experiments"),
    [
        ([], ["quiet"]),
        (["--hog"], ["hog"]),
        (["--slower", "10"], ["slower-10"]),
        (["--extra-command"], ["extra-command"]),
        (["--experiment", "starved"], ["starved"]),
        (["--services"], [f"{kind}-{head}" for kind in ("http", "websocket") for head in ("bad", "slower", "good")]),
    ],
)
def test_experiments_are_chosen_by_name(asked: list[str], experiments: list[str]) -> None:
    """The default is a build against itself on a quiet machine."""
    assert gate_aa.selected(gate_aa._options(asked)) == experiments
    assert set(experiments) <= set(EXPERIMENTS)


def test_what_is_done_is_not_run_again_and_adds_up(tmp_path: Path) -> None:
    """A line that a crash cut off is no line; a sitting with nothing left prints the counts and ends by them."""
    state = tmp_path / "state.jsonl"
    codes = [0] * 26 + [20] * 3 + [11]
    state.write_bytes(b"".join(orjson.dumps(line("quiet", at, code)) + b"\n" for at, code in enumerate(codes, 1)))
    with state.open("ab") as file:
        file.write(b'{"experiment": "qui')
    done = gate_aa.read_state(state)
    assert gate_aa.pending("quiet", None, done) == []
    assert gate_aa.pending("quiet", 32, done) == [31, 32]
    assert gate_aa.main(["--state", str(state)]) == 0
    say = Console(width=150)
    with say.capture() as printed:
        say.print(gate_aa.counts(done))
    assert [cell.strip() for cell in printed.get().splitlines()[3].strip("│").split("│")] == [
        "quiet", "30", "26", "1", "3", "80 s", "met",
    ]  # fmt: skip


def test_a_gate_without_a_pair_has_a_line_too() -> None:
    """Its generator had no processor, which the line says."""
    comparison = {"metrics": [], "void": "volleys were not over", "legs": []}
    result = {"violations": [], "reasons": ["void"], "gate": {"counters": [], "comparison": comparison}}
    assert gate_aa.outcome(result) == {"says": ["void", "volleys were not over"], "taken": 0}


@pytest.mark.parametrize(
    ("name", "codes", "met"),
    [
        ("quiet", [0] * 24 + [20] * 6, True),
        ("quiet", [0] * 23 + [20] * 7, False),
        ("quiet", [0] * 28 + [11] * 2, False),
        ("hog", [20] * 49 + [11], True),
        ("hog", [20] * 49 + [10], False),
        ("hog", [20] * 49, False),
        ("slower-10", [11] * 9 + [20], True),
        ("slower-25", [11] * 9 + [20], False),
        ("starved", [20] * 4 + [0], False),
        ("http-bad", [10] * 5, True),
    ],
)
def test_an_experiment_is_met_by_its_counts(name: str, codes: list[int], met: bool) -> None:
    """So many of one code at least, and of another at most, when all runs are done."""
    assert gate_aa.is_met(name, [line(name, at, code) for at, code in enumerate(codes)]) is met


def test_plants_find_their_places(tmp_path: Path) -> None:
    """Each changes the one file that it is about."""
    for plant, name in (
        (slower(10), "server/gateway/grabs.py"),
        (ask_once_more, "server/store/lua/claim.lua"),
        (starve_the_generator, "scripts/gate/shooter.py"),
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes((ROOT / name).read_bytes())
        plant(tmp_path)
        assert file.read_bytes() != (ROOT / name).read_bytes()


def test_a_spinner_uses_its_part() -> None:
    """A quarter of what was used, and nothing twice."""
    spinner = Spinner(0.25)
    spinner.used_s = 0.04
    began_s = time.thread_time()
    spinner.spin()
    spinner.spin()
    assert spinner.spun_s >= 0.01
    assert time.thread_time() - began_s >= 0.01
    spun_s = spinner.spun_s
    spinner.spin()
    assert spinner.spun_s - spun_s < 0.005


def test_a_slow_desk_answers_all_the_same() -> None:
    """Its answers are the same, and its work is repeated in part."""

    class Desk:
        def __init__(self) -> None:
            self.answered: list[int] = []

        def take(self, grab: int) -> None:
            sum(range(200_000))

        def _hand_out(self, requesters: list[int], claims: list[int]) -> None:
            self.answered += claims

    slow_down(Desk, 0.5)
    desk = Desk()
    began_s = time.thread_time()
    desk.take(1)
    took_s = time.thread_time() - began_s
    began_s = time.thread_time()
    desk._hand_out([1], [7])
    assert desk.answered == [7]
    assert time.thread_time() - began_s >= 0.4 * took_s


def test_a_hog_ends_with_its_block() -> None:
    """None without one, and one for each processor if it is always there."""
    with hog("", 1) as spells:
        pass
    assert spells == []
    with hog("always", 1) as spells:
        pass
    assert len(spells) >= 1
