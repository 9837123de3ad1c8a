"""The export of a history: every line is read back by a reader of EDN, and is what a checker may rely on."""

import re
from itertools import pairwise
from typing import Any

import orjson
import pytest

from loadtest.record.history import History
from loadtest.record.operations import HistoryFormat, operations_of, written
from tests.loadtest.in_memory import history_from
from tests.loadtest.written_run import a_run, unsent

TOKEN = re.compile(r'[{}\[\]]|"(?:[^"\\]|\\.)*"|[^\s,{}\[\]"]+')


def _edn(text: str) -> Any:
    """Read one value of EDN: maps, vectors, strings, whole numbers, keywords and nil."""
    tokens = iter(TOKEN.findall(text))

    def value(token: str) -> Any:
        if token in "[{":
            members = []
            while (following := next(tokens)) not in "]}":
                members.append(value(following))
            return members if token == "[" else dict(zip(members[::2], members[1::2], strict=True))
        if token == "nil":
            return None
        return orjson.loads(token) if token[0] == '"' else token if token[0] == ":" else int(token)

    read = value(next(tokens))
    assert next(tokens, None) is None
    return read


def _exported(history: History) -> list[dict[str, Any]]:
    lines = b"".join(written(operations_of(history), HistoryFormat.JEPSEN)).decode().splitlines()
    return [_edn(line) for line in lines]


@pytest.mark.parametrize("seed", range(5))
def test_the_export_is_well_formed(seed: int) -> None:
    """Each process has at most one open operation, which its completion matches; indices and times only rise."""
    run = a_run(seed)
    operations = _exported(run.read()[1])
    open_ones: dict[int, dict[str, Any]] = {}
    crashed: set[int] = set()
    for number, operation in enumerate(operations):
        assert operation[":index"] == number
        assert operation[":f"] == ":grab"
        process = operation[":process"]
        if operation[":type"] == ":invoke":
            assert process not in open_ones
            assert process not in crashed  # a process whose operation has no known end never comes back
            assert operation[":value"][2:] == [None, None]
            open_ones[process] = operation
            continue
        begun = open_ones.pop(process)
        assert operation[":value"][:2] == begun[":value"][:2]
        assert operation[":request-id"] == begun[":request-id"]
        assert operation[":time"] >= begun[":time"]
        assert (None in operation[":value"]) == (operation[":type"] != ":ok")
        if operation[":type"] == ":info":
            crashed.add(process)
    assert open_ones == {}
    times = [operation[":time"] for operation in operations]
    assert times == sorted(times)
    assert times[0] == 0
    kinds = [operation[":type"] for operation in operations]
    for name, kind in ((":ok", "ok"), (":fail", "fail"), (":info", "info")):
        assert kinds.count(name) == len(run.of("grab", type=kind)) > 0
    assert kinds.count(":invoke") == len(run.of("grab"))


def test_a_tap_whose_viewer_waited_in_vain_ends_when_it_gave_up() -> None:
    """It is an info: it may have won."""
    run = a_run()
    grab = run.of("grab", type="ok")[0]
    unsent(grab)
    ends = [each for each in _exported(run.read()[1]) if each[":request-id"] == grab["request_id"]]
    kinds = [each[":type"] for each in ends]
    lasted = [b[":time"] - a[":time"] for a, b in pairwise(ends)]
    assert kinds[-1] == ":info"
    assert 5_000_000_000 in lasted


def test_a_further_receipt_is_no_operation() -> None:
    """A tap has one end; the audit counts the others (A12)."""
    run = a_run()
    before = len(_exported(run.read()[1]))
    run.history = [run.of("grab", type="ok")[0] | {"again": True}, *run.history]
    run.history[-1]["grabs"] += 1
    assert len(_exported(run.read()[1])) == before


def test_names_of_strangers_are_data() -> None:
    """Quotes, backslashes and line breaks stay inside their string, in both notations."""
    name = 'a"b\\c\n} {:type :ok} 红包'
    run = a_run()
    for grab in run.of("grab", viewer="v0"):
        grab["viewer"] = name
    history = run.read()[1]
    assert name in {operation[":value"][1] for operation in _exported(history)}
    lines = list(written(operations_of(history), HistoryFormat.JSON))
    assert name in {orjson.loads(line)["value"][1] for line in lines}
    assert all(line.count(b"\n") == 1 for line in lines)


def test_an_empty_history_is_an_empty_file() -> None:
    """Nothing was tapped for, so there is nothing to check."""
    assert list(operations_of(history_from([{"kind": "end", "grabs": 0, "conns": 0}]))) == []
