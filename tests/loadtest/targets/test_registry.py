"""The targets by their kinds, and a user's own class instead of them."""

import sys
from pathlib import Path
from typing import get_args

import pytest

from loadtest.scenarios.scenario import load_scenario
from loadtest.scenarios.target_spec import AnyTargetSpec
from loadtest.targets.http import HttpTarget
from loadtest.targets.port import BadTarget
from loadtest.targets.redrain import RedrainTarget
from loadtest.targets.registry import SENTENCES, hosts_of, kind_of, target_of
from loadtest.targets.websocket import WebSocketTarget
from tests.loadtest.targets.described import HTTP, SOCKET, scenario

ADAPTER = {"kind": "adapter", "base_url": "tcp://127.0.0.1:7"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of a user's own, and forget afterwards what was imported from it."""
    monkeypatch.chdir(tmp_path)
    for name in ("registry_mine", "registry_half"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def test_every_kind_has_a_sentence_and_a_class() -> None:
    union, _ = get_args(AnyTargetSpec)
    kinds = [get_args(spec.model_fields["kind"].annotation)[0] for spec in get_args(union)]
    assert list(SENTENCES) == ["redrain", *kinds]
    assert type(target_of(scenario(HTTP), host="", folder=Path())) is HttpTarget
    assert type(target_of(scenario(SOCKET), host="", folder=Path())) is WebSocketTarget
    ours = load_scenario("smoke")
    assert type(target_of(ours, host="http://127.0.0.1:1", folder=Path())) is RedrainTarget
    assert (kind_of(ours), kind_of(scenario(HTTP)), kind_of(scenario(HTTP), "a:B")) == ("redrain", "http", "a:B")


def test_hosts_have_commas_between_them() -> None:
    assert hosts_of("http://a:1/, http://b:2") == ["http://a:1", "http://b:2"]


def test_a_users_class_takes_the_place_of_the_kinds(folder: Path) -> None:
    text = "from loadtest.targets.http import HttpTarget\nclass Mine(HttpTarget): pass\n"
    (folder / "registry_mine.py").write_text(text)
    target = target_of(scenario(HTTP), host="", adapter="registry_mine:Mine", folder=folder)
    assert isinstance(target, HttpTarget)
    assert type(target).__name__ == "Mine"
    assert kind_of(scenario({**ADAPTER, "adapter": "registry_mine:Mine"})) == "registry_mine:Mine"


@pytest.mark.parametrize(
    ("adapter", "said"),
    [
        ("", r"target\.adapter: name your class"),
        ("nosuch_module:Mine", "target-adapter: there is no module nosuch_module"),
        ("registry_half", "is no package.module:Class"),
        ("registry_half:Nobody", "has no class Nobody"),
        ("registry_half:Half", "Half has no method session that takes 2 arguments"),
        ("registry_half:NoAdmit", "NoAdmit has no method admit that takes 1 arguments"),
    ],
)
def test_a_class_that_cannot_be_one_is_refused(adapter: str, said: str, folder: Path) -> None:
    text = "class Half: pass\nclass NoAdmit:\n    def session(self, viewer, address): pass\n"
    (folder / "registry_half.py").write_text(text)
    with pytest.raises(BadTarget, match=said):
        target_of(scenario(ADAPTER), host="", adapter=adapter, folder=folder)


def test_users_are_counted_before_the_storm(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("id\na\n")
    with pytest.raises(BadTarget, match="has 1 rows, but there are 3 viewers"):
        target_of(scenario({**HTTP, "users": "users.csv"}), host="", folder=tmp_path)
