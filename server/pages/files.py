"""The files of the pages: read once, compressed once, and named by what they hold, so that a browser may keep them."""

import gzip
import hashlib
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata, resources
from importlib.resources.abc import Traversable

PLOTLY = "plotly.min.js"
"""The path of the plots' library, which comes inside the plotly package."""

_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json"}


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file as it is sent: its media type, its bytes and the same bytes compressed by gzip."""

    media_type: str
    content: bytes
    zipped: bytes


class PageFiles:
    """The files below ``static``, by their path; ``version`` changes with any byte of any of them."""

    def __init__(self, folder: Traversable | None = None) -> None:
        folder = folder or resources.files("server.pages") / "static"
        self._files = {path: _read(path, file) for path, file in sorted(_walk(folder, ""))}
        told = hashlib.sha256(metadata.version("plotly").encode())
        for path, file in self._files.items():
            told.update(f"{path}\0{len(file.content)}\0".encode())
            told.update(file.content)
        self.version = told.hexdigest()[:16]

    def get(self, path: str) -> PageFile | None:
        """
        Return a file by its path below the folder, or None: only what was read at the start is ever sent.

        ``PLOTLY`` is read at its first use, which takes a moment: few servers ever show a plot.
        """
        return self._plotly if path == PLOTLY else self._files.get(path)

    @cached_property
    def _plotly(self) -> PageFile:
        return _read(PLOTLY, resources.files("plotly") / "package_data" / PLOTLY)

    def __iter__(self) -> Iterator[str]:
        """Go through the paths."""
        return iter(self._files)


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry


def _read(path: str, file: Traversable) -> PageFile:
    content = file.read_bytes()
    suffix = path[path.rfind(".") :]
    media_type = _TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    return PageFile(media_type, content, gzip.compress(content, mtime=0))
