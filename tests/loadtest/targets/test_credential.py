"""A credential and the file that it travels in."""

from pathlib import Path

import pytest

from loadtest.targets.credential import bearer, leave_token, take_token


def test_a_credential_is_left_for_one_reader(tmp_path: Path) -> None:
    """Nobody else may read the file, and it is gone once it was read; nothing is written over what is there."""
    path = leave_token("secret", tmp_path / "token")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        leave_token("another", path)
    assert take_token(path) == "secret"
    assert not path.exists()


def test_no_credential_is_no_header() -> None:
    """An insecure server takes none for this machine's own, and refuses one it does not know."""
    assert (bearer(""), bearer("x")) == ({}, {"Authorization": "Bearer x"})
