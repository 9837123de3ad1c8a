"""Signing: a token is accepted only with our signature, for its purpose, until it expires."""

from hashlib import sha256

import jwt
import pytest

from server.gateway.signing import TOKEN_LENGTH_MAX, BadToken, Signer, TokenFault, weakness
from tests.gateway.forging import forgeries, with_the_secret

SECRET = b"a secret of at least 32 bytes....."
NEXT = b"the next secret of at least 32 bytes"
NOW_MS = 1_700_000_000_000


def fault_of(token: str, *, purpose: str = "p", now_ms: int = NOW_MS) -> TokenFault:
    with pytest.raises(BadToken) as bad:
        Signer(SECRET).read(token, purpose=purpose, now_ms=now_ms)
    return bad.value.fault


def test_what_was_signed_is_read() -> None:
    """Another process with the same secret reads the claims, to the last millisecond."""
    token = Signer(SECRET).sign({"sub": "anna", "x": "y"}, purpose="p", lasts_ms=5_000, now_ms=NOW_MS)
    for now_ms in (0, NOW_MS, NOW_MS + 5_000):
        claims = Signer(SECRET).read(token, purpose="p", now_ms=now_ms)
        assert (claims["sub"], claims["x"]) == ("anna", "y")
    assert fault_of(token, now_ms=NOW_MS + 5_001) is TokenFault.EXPIRED


def test_a_token_is_what_the_library_would_make() -> None:
    """It has the same parts: whoever has the secret reads it with any library."""
    claims: dict[str, str | int] = {"sub": "安娜", "room": 'a"b', "since": 2**53}
    token = Signer(SECRET).sign(claims, purpose="p", lasts_ms=5_999, now_ms=NOW_MS)
    whole = {**claims, "aud": "p", "exp": (NOW_MS + 5_999) // 1_000}
    theirs = jwt.encode(whole, SECRET, "HS256", headers={"kid": sha256(SECRET).hexdigest()[:8]})
    assert (
        jwt.decode_complete(token, SECRET, ["HS256"], audience="p", options={"verify_exp": False})["payload"] == whole
    )
    assert jwt.get_unverified_header(token) == jwt.get_unverified_header(theirs)
    assert "=" not in token


def test_a_token_for_something_else_is_refused_as_such() -> None:
    """A token for another purpose has a fault of its own."""
    token = Signer(SECRET).sign({"sub": "anna"}, purpose="q", lasts_ms=5_000, now_ms=NOW_MS)
    assert fault_of(token) is TokenFault.OTHER_PURPOSE


def test_no_forgery_is_believed() -> None:
    """Nor is what the secret signed without our kid, or with claims that we would never make."""
    genuine = Signer(SECRET).sign({"sub": "anna", "role": "viewer"}, purpose="p", lasts_ms=5_000, now_ms=NOW_MS)
    tried = [*forgeries(genuine, SECRET, role="admin"), *with_the_secret(genuine, SECRET)]
    believed = [trick for trick, token in tried if fault_of(token) is not TokenFault.FORGED]
    assert not believed
    assert len(tried) > 40


@pytest.mark.parametrize("rubbish", ["", ".", "..", "a.b.c", "\u2603", "x" * (TOKEN_LENGTH_MAX + 1), "e30.e30.", " "])
def test_rubbish_is_refused(rubbish: str) -> None:
    """Invalid text is refused without an error."""
    assert fault_of(rubbish) is TokenFault.FORGED


def test_a_secret_has_a_length() -> None:
    """A key that can be guessed signs nothing."""
    with pytest.raises(AssertionError):
        Signer(b"x" * 31)


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        (b"", "has 0 bytes"),
        (bytes(range(31)), "has 31 bytes"),
        (b"x" * 64, "has 1 different characters"),
        (b"abcdefg" * 9, "has 7 different characters"),
        (b"abcdefgh" * 4, ""),
        (sha256(b"").hexdigest().encode(), ""),
    ],
)
def test_a_weak_secret_is_told_from_a_random_one(secret: bytes, says: str) -> None:
    """One that is short or repeats few characters is refused, also as the previous one."""
    assert weakness(secret).startswith(says)
    assert bool(weakness(secret)) == bool(says)
    if says:
        with pytest.raises(AssertionError):
            Signer(SECRET, secret)


def test_a_secret_can_be_replaced() -> None:
    """The new one signs, and both are read; without the old one its tokens are worth nothing."""
    new, both, old = Signer(NEXT), Signer(NEXT, SECRET), Signer(SECRET)

    def made(signer: Signer) -> str:
        return signer.sign({"sub": "anna"}, purpose="p", lasts_ms=5_000, now_ms=NOW_MS)

    def is_read(reader: Signer, token: str) -> bool:
        try:
            return bool(reader.read(token, purpose="p", now_ms=NOW_MS))
        except BadToken:
            return False

    assert [is_read(reader, made(old)) for reader in (new, both, old)] == [False, True, True]
    assert [is_read(reader, made(both)) for reader in (new, both, old)] == [True, True, False]
    genuine = made(both)
    tried = [*forgeries(genuine, NEXT, sub="bert"), *with_the_secret(genuine, NEXT)]
    believed = [trick for trick, token in tried if is_read(both, token)]
    assert not believed
    kid = jwt.get_unverified_header(genuine)["kid"]
    assert not is_read(both, jwt.encode({"sub": "anna", "aud": "p", "exp": NOW_MS}, SECRET, headers={"kid": kid}))
