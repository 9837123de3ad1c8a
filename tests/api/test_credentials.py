"""Credentials over HTTP: each way to be bad has its word, and all of them are 401."""

import time
from http.client import HTTPConnection

import pytest
import requests

from server.api.credentials import Credentials
from server.core.credential import Caller, Role
from server.core.ids import RoomId, ViewerId
from server.gateway.signing import Signer
from server.gateway.tickets import Tickets
from tests.api.caller import TIMEOUT_S
from tests.api.conftest import SECRET, Guarded
from tests.gateway.forging import expired, forgeries, with_the_secret

PURPOSE = "redrain.api"
SIGNER = Signer(SECRET.encode())


def ask(guarded: Guarded, authorization: str) -> tuple[int, str]:
    headers = {"Authorization": authorization} if authorization else {}
    answer = requests.get(f"{guarded.url}/api/clock", headers=headers, timeout=TIMEOUT_S)
    if answer.status_code == 401:
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    return answer.status_code, "" if answer.ok else answer.json()["code"]


def test_a_credential_names_its_bearer_until_it_expires() -> None:
    """Every server with the secret reads the bearer."""
    anna = Caller(Role.CREATOR, "anna")
    credential = Credentials(SIGNER).mint(anna, lasts_ms=5_000, now_ms=1_000)
    assert Credentials(Signer(SECRET.encode())).read(credential, now_ms=6_000) == anna


def test_every_role_is_known(guarded: Guarded) -> None:
    """A credential of each opens what is open to all of them; the scheme may be written in small letters."""
    for role in Role:
        assert ask(guarded, f"Bearer {guarded.credential(role, 'somebody')}") == (200, "")
        assert ask(guarded, f"bearer {guarded.credential(role, 'somebody')}") == (200, "")


def test_no_forged_credential_is_believed(guarded: Guarded) -> None:
    """Other keys, no algorithm, kids that are paths, tampered claims, claims that nobody can have."""
    genuine = guarded.credential(Role.CREATOR, "anna")
    secret = SECRET.encode()
    tried = [*forgeries(genuine, secret, role="admin"), *with_the_secret(genuine, secret)]
    now_ms = time.time_ns() // 1_000_000
    nobodies = ({"sub": "anna", "role": "king"}, {"sub": "anna"}, {"sub": "an.na", "role": "creator"})
    tried += [(str(who), SIGNER.sign(who, purpose=PURPOSE, lasts_ms=60_000, now_ms=now_ms)) for who in nobodies]
    believed = [trick for trick, token in tried if ask(guarded, f"Bearer {token}") != (401, "bad_credential")]
    assert not believed


def test_an_old_one_and_one_for_something_else_are_told_apart(guarded: Guarded) -> None:
    """An expired credential and a ticket used as a credential get different codes."""
    old = expired(SECRET.encode(), PURPOSE, {"sub": "anna", "role": "creator"})
    assert ask(guarded, f"Bearer {old}") == (401, "credential_expired")
    ticket = Tickets(SIGNER).mint(ViewerId("vera"), RoomId("r1"), time.time_ns() // 1_000_000)
    assert ask(guarded, f"Bearer {ticket}") == (401, "wrong_audience")


@pytest.mark.parametrize("authorization", ["Bearer", "Bearer ", "Basic YTpi", "Token x", "Bearer x" * 200])
def test_what_is_no_credential_is_401(guarded: Guarded, authorization: str) -> None:
    """Nor is anybody let in who shows none, or two."""
    assert ask(guarded, authorization) == (401, "bad_credential")
    assert ask(guarded, "") == (401, "credential_needed")


@pytest.mark.parametrize(("times", "status"), [(1, 200), (2, 401)])
def test_two_credentials_are_none(guarded: Guarded, times: int, status: int) -> None:
    """Of two that differ it could not be said who calls."""
    line = HTTPConnection(guarded.url.removeprefix("http://"), timeout=TIMEOUT_S)
    line.putrequest("GET", "/api/clock")
    for _ in range(times):
        line.putheader("Authorization", f"Bearer {guarded.credential(Role.ADMIN, 'root')}")
    line.endheaders()
    assert line.getresponse().status == status
    line.close()


def test_without_asking_for_credentials_one_that_is_shown_still_counts(base_url: str) -> None:
    """An insecure server takes who shows nothing for an administrator, and believes no forgery."""
    assert requests.get(f"{base_url}/api/books", timeout=TIMEOUT_S).ok
    forged = {"Authorization": "Bearer a.b.c"}
    assert requests.get(f"{base_url}/api/books", headers=forged, timeout=TIMEOUT_S).status_code == 401
