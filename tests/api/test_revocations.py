"""Revocations over the API."""

import secrets

from server.core.credential import Role
from tests.api.conftest import Guarded


def test_an_administrator_revokes_a_viewers_tokens(guarded: Guarded) -> None:
    """Nobody else may; a repetition is later."""
    path = "/api/viewers/vera/revoke-resume-tokens"
    with guarded.calls(Role.ADMIN, "root") as admin, guarded.calls(Role.VIEWER, "vera") as vera:
        first = admin.post(path, key=secrets.token_hex(4))
        assert first["viewer_id"] == "vera"
        assert admin.post(path)["revoked_at_ms"] >= first["revoked_at_ms"]
        assert vera.refused(path) == (403, "not_allowed", "")
        assert admin.refused("/api/viewers/a%20b/revoke-resume-tokens") == (422, "bad_id", "")
