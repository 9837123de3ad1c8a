"""How many files a process may have open."""

import resource

import pytest

from server.gateway.open_files import files_max


def test_a_process_has_as_many_files_as_it_may_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The soft limit is raised to the hard one, which is the answer; without a hard one there is no limit."""
    files_max()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft == hard
    assert files_max() == (hard if hard != resource.RLIM_INFINITY else 1 << 30)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (10, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    assert files_max() > 1_000_000
