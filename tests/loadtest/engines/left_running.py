"""Processes of the tests of engines: whatever a failed test leaves running is ended with it."""

import subprocess
from pathlib import Path

STARTED: list[subprocess.Popen[bytes]] = []


def started(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """Start a process whose output can be read, in *folder*."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder)
    STARTED.append(process)
    return process
