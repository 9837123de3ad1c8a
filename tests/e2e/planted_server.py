"""A server with a bug on purpose: ``python -m tests.e2e.planted_server PLANT ARGUMENT...``, then as ``redrain``."""

import hashlib
import sys

from scripts.cli import main
from server.store import connection

_LEFT_BEHIND = """    if left > 0 then
        redis.call('RENAME', shares, returned)
        redis.call('LTRIM', returned, -left, -1)
    else
        redis.call('UNLINK', shares)
    end
"""
PLANTS = {
    # The money goes back, but the packet stays open with its shares until its window closes.
    "end": [
        (_LEFT_BEHIND, ""),
        ("'state', state, ended_field, text_of(now_ms),", "ended_field, text_of(now_ms),"),
        ("    redis.call('ZREM', due, packet_id)\n", ""),
    ],
    # The money goes back and the count goes down, but the shares can still be claimed.
    "edit": [
        ("    redis.call('LTRIM', added, 0, -from_added - 1)\n", ""),
        ("    redis.call('LTRIM', shares, 0, -from_shares - 1)\n", ""),
    ],
}


def plant(script: str) -> None:
    """Have every store of this process get the script with its bug."""
    sound = connection._scripts

    def planted() -> dict[str, connection._Script]:
        scripts = sound()
        text = scripts[script].text
        for right, wrong in PLANTS[script]:
            assert text.count(right) == 1, right
            text = text.replace(right, wrong)
        return {
            **scripts,
            script: connection._Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()),
        }

    connection._scripts = planted


if __name__ == "__main__":
    plant(sys.argv[1])
    main(sys.argv[2:])
