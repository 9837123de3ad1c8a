"""Signing: every token of ours is a JWT of one algorithm, one key and one purpose; reading checks all three."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

import jwt
import orjson

SECRET_BYTES_MIN: Final = 32  # as long as what HS256 makes of it
TOKEN_LENGTH_MAX: Final = 1_000  # ours have some three hundred characters
_ALGORITHM: Final = "HS256"


DISTINCT_BYTES_MIN: Final = 8  # random ones of that length have 12 and more, also in hexadecimal


class TokenFault(StrEnum):
    """The fault of a token."""

    FORGED = "forged"  # no token, or not signed by us with this key and algorithm
    EXPIRED = "expired"
    OTHER_PURPOSE = "other_purpose"  # one of ours, for something else


class BadToken(Exception):  # noqa: N818 - the name says what it is
    """A token is invalid; ``fault`` says how."""

    def __init__(self, fault: TokenFault) -> None:
        super().__init__(fault)
        self.fault = fault


def weakness(secret: bytes) -> str:
    """Return why a secret can be guessed, or "" if there is no sign of it."""
    if len(secret) < SECRET_BYTES_MIN:
        return f"has {len(secret)} bytes and must have at least {SECRET_BYTES_MIN}"
    if len(set(secret)) < DISTINCT_BYTES_MIN:
        return f"has {len(set(secret))} different characters and must have at least {DISTINCT_BYTES_MIN}"
    return ""


class Signer:
    """
    Signs and reads the tokens of all processes that have the same secret. Instants are real ms by the store's clock.

    What *previous* secrets signed is read too, so that a secret can be replaced while tokens are in use. The algorithm
    is never taken from a token, nor is a key: ``kid`` must be the name of one that there is.
    """

    def __init__(self, secret: bytes, *previous: bytes) -> None:
        secrets = (secret, *previous)
        assert not any(map(weakness, secrets))
        self._secrets = {sha256(each).hexdigest()[:8]: each for each in reversed(secrets)}
        self._secret = secret
        self._head = _encoded(orjson.dumps({"alg": _ALGORITHM, "kid": sha256(secret).hexdigest()[:8], "typ": "JWT"}))

    def sign(self, claims: Mapping[str, str | int], *, purpose: str, lasts_ms: int, now_ms: int) -> str:
        """
        Return a token with *claims*, valid for one purpose until it expires.

        It is put together here (RFC 7515, 7.1), as each welcome has one: the library takes ten times as long.
        """
        payload = {**claims, "aud": purpose, "exp": (now_ms + lasts_ms) // 1_000}
        signed = b"%b.%b" % (self._head, _encoded(orjson.dumps(payload)))
        return (b"%b.%b" % (signed, _encoded(hmac.digest(self._secret, signed, "sha256")))).decode()

    def read(self, token: str, *, purpose: str, now_ms: int) -> dict[str, Any]:
        """Return a token's claims (``sub`` is a string; the others are unchecked). Raises BadToken."""
        if len(token) > TOKEN_LENGTH_MAX:
            raise BadToken(TokenFault.FORGED)
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            if not isinstance(kid, str) or kid not in self._secrets:
                raise BadToken(TokenFault.FORGED)
            claims: dict[str, Any] = jwt.decode(
                token,
                self._secrets[kid],
                algorithms=[_ALGORITHM],
                audience=purpose,
                options={"require": ["sub", "exp"], "verify_exp": False},  # by the store's clock instead, below
            )
        except jwt.InvalidAudienceError:
            raise BadToken(TokenFault.OTHER_PURPOSE) from None
        except jwt.InvalidTokenError:
            raise BadToken(TokenFault.FORGED) from None
        if type(claims["exp"]) is not int:
            raise BadToken(TokenFault.FORGED)
        if claims["exp"] * 1_000 < now_ms:
            raise BadToken(TokenFault.EXPIRED)
        return claims


def _encoded(data: bytes) -> bytes:
    """Return *data* in base64url without padding (RFC 7515, 2)."""
    return urlsafe_b64encode(data).rstrip(b"=")
