"""Credentials: the bearer tokens with which the API identifies its callers."""

from typing import Final

from server.core.credential import Caller
from server.core.refusal import Refused
from server.gateway.signing import BadToken, Signer, TokenFault

_PURPOSE: Final = "redrain.api"
HOW: Final = "redrain token makes one"


class Credentials:
    """Makes and reads the credentials of all processes that have the same secret."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def mint(self, caller: Caller, *, lasts_ms: int, now_ms: int) -> str:
        """Return a credential that identifies its bearer as *caller*. Instants are real time."""
        claims = {"sub": caller.subject, "role": caller.role}
        return self._signer.sign(claims, purpose=_PURPOSE, lasts_ms=lasts_ms, now_ms=now_ms)

    def read(self, credential: str, now_ms: int) -> Caller:
        """Return the bearer of a credential. Raises Refused, with a code for each fault."""
        try:
            claims = self._signer.read(credential, purpose=_PURPOSE, now_ms=now_ms)
        except BadToken as bad:
            raise _refusal(bad.fault) from None
        try:
            return Caller.named(str(claims.get("role")), claims["sub"])
        except Refused:
            raise _refusal(TokenFault.FORGED) from None


def _refusal(fault: TokenFault) -> Refused:
    match fault:
        case TokenFault.EXPIRED:
            return Refused("credential_expired", f"has expired; {HOW}", field="Authorization")
        case TokenFault.OTHER_PURPOSE:
            return Refused("wrong_audience", f"this token is not for the API; {HOW}", field="Authorization")
        case TokenFault.FORGED:
            return Refused("bad_credential", f"not signed by this server; {HOW}", field="Authorization")
