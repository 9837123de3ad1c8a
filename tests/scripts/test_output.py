"""Output that an encoding lacks is no reason to end."""

import io
import json
import sys

import pytest

from loadtest.verdict.weigh import Exit
from scripts.output import console, failed, write_any_text, write_json

SAID = "红包雨 → 1 080 ✓ ⠋ é"


@pytest.mark.parametrize("encoding", ["ascii", "gbk", "latin-1", "cp1252"])
def test_an_encoding_that_lacks_a_character_ends_nothing(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The character becomes a question mark, on both streams."""
    out, errors = io.BytesIO(), io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding=encoding))
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(errors, encoding=encoding))
    write_any_text()
    console(None).print(SAID)
    failed(SAID, Exit.USAGE)
    sys.stdout.flush()
    sys.stderr.flush()
    for said in (out, errors):
        assert SAID.encode(encoding, "replace") in said.getvalue()


def test_json_for_a_terminal_escapes_what_it_would_obey(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the same JSON."""
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding="utf-8"))
    said = {"name": "红包\x1b[31m\x9b2J\u202e\x7f"}
    write_json("-", said)
    text = out.getvalue().decode()
    assert "".join(text.split("\n")).isprintable()
    assert json.loads(text) == said
