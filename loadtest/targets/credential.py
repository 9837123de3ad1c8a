"""
A credential for a server that requires one, and the file by which it reaches an engine's process.

The process removes the file: everybody can read a command line. Nothing here imports an HTTP library, so that the
command line starts without one.
"""

import os
from pathlib import Path

VARIABLE = "REDRAIN_TOKEN"
HOW = (
    f"give an admin's credential with --token or {VARIABLE}; redrain token --role admin --subject NAME makes one "
    "with the server's REDRAIN_SECRET"
)


def bearer(token: str) -> dict[str, str]:
    """Return the headers that show a credential; none for a server that asks nobody."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def leave_token(token: str, path: Path) -> Path:
    """Write a credential where only this user can read it, for a process about to start; return *path*."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(token)
    return path


def take_token(path: Path) -> str:
    """Return the credential that was left for this process, and leave nothing behind."""
    token = path.read_text("utf-8")
    path.unlink()
    return token
