"""The two files read as what they are, whatever the answers hold."""

import tomllib

import pytest
import yaml

from scripts.adoption.drafts import SCENARIO, WORKFLOW, Adoption, ReceiptDraft, RequestDraft, toml
from tests.test_action import INPUTS

NASTY = 'a "b" \\ \t\n # {x} <<y>> 红包 \x7f'


@pytest.mark.parametrize(
    "value", ["", NASTY, 1, 1.5, True, [], {}, [NASTY, 2], {"a": {"b c": [NASTY]}, "": "x", "红": False}]
)
def test_a_value_is_written_as_toml(value: object) -> None:
    """Every value of JSON comes back as it was, but for null, which TOML lacks."""
    assert tomllib.loads(f"value = {toml(value)}") == {"value": value}
    assert toml({"a": None, "b": 1}) == "{ b = 1 }"


def test_answers_stay_values() -> None:
    """No quote, brace or line break of an answer leaves its place in either file."""
    request = RequestDraft("POST /x", {"X-A b": NASTY}, {"a": NASTY})
    it = Adoption(
        start=NASTY, action=NASTY, packet_id=NASTY, login=request, grab=request,
        receipt=ReceiptDraft("code", {"granted": [NASTY, 0]}, "a.b", "c"),
    )  # fmt: skip
    files = it.files()
    target = tomllib.loads(files[SCENARIO])["target"]
    for part in ("login", "grab"):
        assert (target[part]["headers"], target[part]["json"]) == (request.headers, request.json)
    assert target["receipt"]["words"] == {"granted": [NASTY, 0]}
    assert tomllib.loads(files[SCENARIO])["packets"][0]["packet_id"] == NASTY
    *_, step = yaml.safe_load(files[WORKFLOW])["jobs"]["gate"]["steps"]
    assert (step["uses"], step["with"]["head-command"]) == (NASTY, NASTY)
    assert step["with"]["base-command"] == f"cd .base && {NASTY}"
    assert set(step["with"]) <= set(INPUTS)


def test_comments_stand_in_one_column() -> None:
    """A value as long as may be pushes its own comment away, and no other."""
    lines = Adoption(base_url="http://127.0.0.1:8000").files()[SCENARIO].splitlines()
    columns = {line.index(" # ") for line in lines if " # " in line and not line.startswith("# T")}
    assert columns == {48}
