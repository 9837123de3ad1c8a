"""Makes credentials for the API with the secret that the servers sign with."""

import time

from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from loadtest.verdict.weigh import Exit
from scripts.json_output import write_json
from server.api.credentials import Credentials
from server.app import HOW_TO_MAKE_ONE
from server.core.credential import Caller
from server.core.refusal import Refused
from server.gateway.signing import SECRET_BYTES_MIN, Signer
from server.settings import Settings

EXPIRES_S_MAX = 366 * 24 * 3600  # a secret should be changed more often than that


def run_token(role: str, subject: str, expires_s: int, json: str | None, say: Console) -> int:
    """
    Write a credential to standard output, or as JSON to a file or ``-``, and return the exit code.

    It counts from this machine's time of day; servers compare with their store's.
    """
    try:
        caller = Caller.named(role, subject)
        secret = Settings().secret.get_secret_value().encode()
    except (Refused, ValidationError) as wrong:
        say.print(f"[red]redrain:[/] {escape(str(wrong))}")
        return Exit.USAGE
    if not 0 < expires_s <= EXPIRES_S_MAX:
        say.print(f"[red]redrain:[/] expires-s: must be 1 to {EXPIRES_S_MAX}")
        return Exit.USAGE
    if len(secret) < SECRET_BYTES_MIN:
        say.print(
            f"[red]redrain:[/] secret: set REDRAIN_SECRET to what the server has: at least {SECRET_BYTES_MIN} bytes "
            f"({HOW_TO_MAKE_ONE})"
        )
        return Exit.ENVIRONMENT
    now_ms = time.time_ns() // 1_000_000
    credential = Credentials(Signer(secret)).mint(caller, lasts_ms=expires_s * 1_000, now_ms=now_ms)
    made = {"token": credential, "role": caller.role, "subject": caller.subject, "expires_s": expires_s}
    if json is None:
        print(credential)
    else:
        write_json(json, made)
    return Exit.PASS
