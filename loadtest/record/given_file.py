"""
Files of folders that strangers may have made: only plain ones are read, within bounds, and none is written through.

The bounds are those of docs/limits.md.
"""

import gzip
import io
import os
import secrets
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

RUN_BYTES_MAX: Final = 1 << 30  # of all files of a run, unpacked
RUN_LINES_MAX: Final = 10_000_000
LINE_BYTES_MAX: Final = 1 << 24  # one lists the shares of a packet that nobody took
_CHUNK: Final = 1 << 16
FILE_BYTES_MAX: Final = 1 << 24  # of a file that is read at once: run.json, scenario.toml


class NotTaken(Exception):  # noqa: N818 - said to a person
    """A file is no plain file, or larger than what is read. The text names the file and the bound."""


def open_given(path: Path) -> BinaryIO:
    """Open a plain file for reading; a link, a pipe or a device is none. Raises NotTaken and OSError."""
    if path.is_symlink():
        raise NotTaken(f"{path}: is a link; only plain files are read")
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotTaken(f"{path}: is no plain file")
    return open(descriptor, "rb")


def read_given(path: Path, bytes_max: int = FILE_BYTES_MAX) -> bytes:
    """Return the bytes of a plain file. Raises NotTaken and OSError."""
    with open_given(path) as file:
        return _within(path, file, bytes_max)


def read_bounded(path: Path, bytes_max: int) -> bytes:
    """Return the bytes of a file that the user has named, also a pipe or a link. Raises NotTaken and OSError."""
    with path.open("rb") as file:
        return _within(path, file, bytes_max)


def _within(path: Path, file: BinaryIO, bytes_max: int) -> bytes:
    content = file.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise NotTaken(f"{path}: has more than {bytes_max:,} bytes")
    return content


@dataclass(slots=True)
class Allowance:
    """Bounds what is read of one run, in bytes, unpacked, and lines; a file that is read again does not count again."""

    bytes_max: int = RUN_BYTES_MAX
    lines_max: int = RUN_LINES_MAX
    read: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def lines(self, path: Path) -> Iterator[bytes]:
        """
        Yield the lines of a file of the run; ``.gz`` is unpacked.

        Raises NotTaken, OSError, and for a broken archive EOFError and zlib.error.
        """
        before = [counts for each, counts in self.read.items() if each != path]
        bytes_left = self.bytes_max - sum(counts[0] for counts in before)
        lines_left = self.lines_max - sum(counts[1] for counts in before)
        taken = lines = 0
        with open_given(path) as plain, _unpacked(path, plain) as file:
            while line := file.readline(LINE_BYTES_MAX + 1):
                taken += len(line)
                lines += 1
                if len(line) > LINE_BYTES_MAX:
                    raise NotTaken(f"{path}:{lines}: has more than {LINE_BYTES_MAX:,} bytes in a line")
                if taken > bytes_left or lines > lines_left:
                    raise NotTaken(
                        f"{path}: a run may have {self.bytes_max:,} bytes and {self.lines_max:,} lines, unpacked"
                    )
                yield line
        self.read[path] = taken, lines


def _unpacked(path: Path, plain: BinaryIO) -> BinaryIO:
    return io.BufferedReader(gzip.GzipFile(fileobj=plain), _CHUNK) if path.suffix == ".gz" else plain


BROKEN: Final = (EOFError, gzip.BadGzipFile, zlib.error)
"""The errors of ``Allowance.lines`` for an archive that is cut off or broken."""


def replace_file(path: Path, content: bytes) -> None:
    """Write *content* in place of the file at *path*: whatever a link there leads to stays as it is. Raises OSError."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with open(os.open(draft, flags, 0o666), "wb") as file:
            file.write(content)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
