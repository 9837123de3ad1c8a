"""The Autobahn test suite against ``/ws/echo``, run by kosoku, and its result in docs/conformance.md."""

import re
from collections import Counter
from pathlib import Path

from kosoku import FailureError, run_fuzzingclient

from tests.gateway.house import House

PAGE = Path(__file__).parents[2] / "docs/conformance.md"
NOT_HERE = ["9.*", "12.*", "13.*"]  # large messages, of which some suffice, and the extension that is declined
SOME = ["9.1.1", "9.2.1", "9.3.1", "9.5.1", "9.7.1"]
TRIES = 5  # a case has a second of its own, which a busy machine may take away

Results = dict[str, str]


async def _results(url: str, cases: list[str] | None, excluded: list[str] | None, concurrency: int) -> Results:
    try:
        found = await run_fuzzingclient(url, cases, excluded, concurrency)
    except FailureError as failure:
        found = failure.results
    return {each.case_id: each.behavior.value for each in found}


def _exceptions() -> Results:
    """Return the cases that the page names as other than OK."""
    rows = re.findall(r"^\| ((?:\d+\.\d+\.\d+(?:, )?)+) \| ([A-Z-]+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    return {case: result for cases, result in rows for case in cases.split(", ")}


async def test_the_autobahn_suite_has_the_published_result(house: House) -> None:
    """Every case is OK but those that the page names and justifies; the parts have as many cases as its table says."""
    house.gateway.diagnostics = True
    url = f"ws://127.0.0.1:{house.port}/ws/echo"
    found = await _results(url, None, NOT_HERE, 8) | await _results(url, SOME, None, 1)
    expected = _exceptions()
    for _ in range(TRIES):
        wrong = [case for case, result in found.items() if result != expected.get(case, "OK")]
        if not wrong:
            break
        found |= await _results(url, wrong, None, 1)
    assert {case: result for case, result in found.items() if result != "OK"} == expected
    rows = re.findall(r"^\| part (\d+), [^|]* \| (\d+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    parts = Counter(case.partition(".")[0] for case in found if case not in SOME)
    assert {part: int(count) for part, count in rows if part not in ("9", "12", "13")} == parts
