"""A file that another process appends lines to while it is read."""

from pathlib import Path
from typing import BinaryIO


class GrowingFile:
    """
    Reads each line once, when it is whole. The file need not exist yet.

    It is kept open: the lines written last can be read even if the file has lost its name since.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._rest = b""

    def new_lines(self) -> list[bytes]:
        """Return the whole lines written since the last call."""
        if self._file is None:
            try:
                self._file = self._path.open("rb")
            except FileNotFoundError:
                return []
        *whole, self._rest = (self._rest + self._file.read()).split(b"\n")
        return whole

    def __del__(self) -> None:
        if self._file is not None:
            self._file.close()
