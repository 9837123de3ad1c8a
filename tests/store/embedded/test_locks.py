"""Tests of the locks in a store's folder: who holds what, and what is noted there."""

import fcntl
import os
from pathlib import Path

from server.store.embedded.locks import ALIVE, LOCK, USERS, in_use, is_supervised, noted, take, trouble_in


def test_a_lock_is_taken_once(tmp_path: Path) -> None:
    """Whoever comes second gets none, until the first has let go."""
    first = take(tmp_path / LOCK)
    assert first is not None
    assert take(tmp_path / LOCK) is None
    os.close(first)
    second = take(tmp_path / LOCK)
    assert second is not None
    os.close(second)


def test_a_store_is_in_use_while_a_user_shares_its_lock(tmp_path: Path) -> None:
    """The supervisor, which holds that lock alone in order to stop the store, is no user."""
    user = os.open(tmp_path / USERS, os.O_RDWR | os.O_CREAT)
    assert not in_use(tmp_path)
    fcntl.flock(user, fcntl.LOCK_SH)
    assert in_use(tmp_path)
    fcntl.flock(user, fcntl.LOCK_EX)
    assert not in_use(tmp_path)
    os.close(user)


def test_a_supervisor_is_there_while_it_holds_its_lock(tmp_path: Path) -> None:
    """Asking takes nothing away."""
    assert not is_supervised(tmp_path)
    alive = take(tmp_path / ALIVE)
    assert alive is not None
    assert is_supervised(tmp_path)
    os.close(alive)
    assert not is_supervised(tmp_path)


def test_the_trouble_of_a_store_is_noted_with_it(tmp_path: Path) -> None:
    """Without a note, or with half of one, nothing is known of any."""
    assert trouble_in(tmp_path) == ""
    (tmp_path / LOCK).write_text('{"url": "somewhere", "pid": 7, "trouble": "disk full"}' + 100 * " ")
    assert noted(tmp_path)["pid"] == 7
    assert trouble_in(tmp_path) == "disk full"
    for unfinished in ("", '{"url"'):
        (tmp_path / LOCK).write_text(unfinished)
        assert trouble_in(tmp_path) == ""
