"""Makes credentials for the API with the secret that the servers sign with."""

import time

from pydantic import ValidationError

from loadtest.verdict.weigh import Exit
from scripts.output import failed, write_json
from server.api.credentials import Credentials
from server.app import HOW_TO_MAKE_ONE
from server.core.credential import Caller
from server.core.refusal import Refused
from server.gateway.signing import Signer, weakness
from server.settings import Settings

EXPIRES_S_MAX = 366 * 24 * 3600  # secrets should be rotated more often


def run_token(role: str, subject: str, expires_s: int, json: str | None) -> int:
    """
    Write a credential to standard output, or as JSON to a file or ``-``, and return the exit code.

    The validity starts at this machine's time of day; servers compare it with their store's.
    """
    try:
        caller = Caller.named(role, subject)
        secret = Settings().secret.get_secret_value().encode()
    except (Refused, ValidationError) as wrong:
        return failed(wrong, Exit.USAGE)
    if not 0 < expires_s <= EXPIRES_S_MAX:
        return failed(f"expires-s: must be 1 to {EXPIRES_S_MAX}", Exit.USAGE)
    if why := weakness(secret):
        return failed(
            f"secret: REDRAIN_SECRET {why}; set it to what the server has ({HOW_TO_MAKE_ONE})",
            Exit.ENVIRONMENT,
        )
    now_ms = time.time_ns() // 1_000_000
    credential = Credentials(Signer(secret)).mint(caller, lasts_ms=expires_s * 1_000, now_ms=now_ms)
    made = {"token": credential, "role": caller.role, "subject": caller.subject, "expires_s": expires_s}
    if json is None:
        print(credential)
    else:
        write_json(json, made)
    return Exit.PASS
