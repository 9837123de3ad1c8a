"""``redrain rules --platform`` shows each limit of a rulebook with its value, its unit and its rule."""

from pathlib import Path

import orjson
import pytest

from loadtest.verdict.weigh import Exit
from scripts.commands.rulebook import run_rulebook


def test_the_command_shows_and_writes_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """The table is for people, the JSON for programs."""
    assert run_rulebook("kuaishou", None) == Exit.PASS
    shown = capsys.readouterr().out
    assert run_rulebook("kuaishou", "-") == Exit.PASS
    written = orjson.loads(capsys.readouterr().out)
    assert written["profile"] == "kuaishou-2023-06"
    assert all(limit["name"] in shown for limit in written["limits"])
    assert "no limit" in shown
    assert "31,622,400,000" in shown


def test_an_unknown_platform_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """The message says which there are."""
    assert run_rulebook("taobao", None) == Exit.USAGE
    assert "douyin, kuaishou, lab" in capsys.readouterr().err


def test_what_a_deployment_overrides_is_shown_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same file that serve takes; a field that is set to our own value overrides nothing."""
    path = tmp_path / "mine.toml"
    path.write_text("[douyin]\noverlap_max = 3\nmin_share_fen = 1\n", "utf-8")
    assert run_rulebook("douyin", None, path) == Exit.PASS
    assert capsys.readouterr().out.count("overridden") == 1
    assert run_rulebook("douyin", "-", path) == Exit.PASS
    limits = {limit["name"]: limit for limit in orjson.loads(capsys.readouterr().out)["limits"]}
    assert (limits["overlap_max"]["value"], limits["overlap_max"]["overridden"]) == (3, True)
    assert not limits["min_share_fen"]["overridden"]
    path.write_text("[douyin]\noverlap_max = 0\n", "utf-8")
    assert run_rulebook("douyin", None, path) == Exit.USAGE
    assert "overlap_max" in capsys.readouterr().err


def test_a_platform_of_the_file_is_shown_like_any_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With its own prefix, and with what it says otherwise than its base."""
    path = tmp_path / "mine.toml"
    path.write_text('[acme]\nbase = "douyin"\noverlap_max = 3\n', "utf-8")
    assert run_rulebook("acme", None, path) == Exit.PASS
    shown = capsys.readouterr().out
    assert "3 (overridden)" in shown
    assert "ACME-LAU-9" in shown
    assert run_rulebook("acme", None) == Exit.USAGE
    assert "douyin, kuaishou, lab" in capsys.readouterr().err
