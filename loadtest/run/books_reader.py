"""Takes the books of a server of ours over HTTP."""

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from loadtest.record.run_folder import RunFolder
from loadtest.record.snapshots import SnapshotWriter
from loadtest.targets.access import Access
from loadtest.targets.admission import what_to_do
from loadtest.targets.requester import AWAY_MAX_S, SetUpFailed

LOOK_EVERY_S = 0.1
BOOKS_TIMEOUT_S = 120.0
SNAPSHOT_EVERY_S = 3.0


class BooksOutOfReach(SetUpFailed):
    """The store was away, or went away while the books were read."""


@dataclass(frozen=True, slots=True)
class BooksReader:
    """Where the books are had, and the way in."""

    url: str
    access: Access

    def take_at_last(self, path: Path) -> None:
        """Take the final books, if need be when a store that is away has come back."""
        deadline = time.monotonic() + AWAY_MAX_S
        while time.monotonic() < deadline:
            with suppress(BooksOutOfReach):
                return self.take(path, final=True)
            time.sleep(LOOK_EVERY_S)
        return self.take(path, final=True)

    def take(self, path: Path, *, final: bool) -> None:
        """Take the books as they are now."""
        url, query = f"{self.url}/api/books", {"final": str(final).lower()}
        partly = path.with_suffix(".part")  # books that were cut off have no place among the snapshots
        asked_ns = time.time_ns()
        try:
            response = self.access.session().get(url, params=query, timeout=BOOKS_TIMEOUT_S, stream=True)
        except requests.ConnectionError as error:
            raise BooksOutOfReach(f"the books cannot be had: {error}") from error
        with response:
            if not response.ok:
                problem = f"the books cannot be had: {response.status_code} {response.text}{what_to_do(response)}"
                away = response.status_code == requests.codes.service_unavailable
                raise BooksOutOfReach(problem) if away else SetUpFailed(problem)
            try:
                with partly.open("wb") as file:
                    for chunk in response.iter_content(1 << 16):
                        file.write(chunk)
            except requests.exceptions.ChunkedEncodingError as error:
                partly.unlink()
                raise BooksOutOfReach(f"the books were cut off: {error}") from error
        os.utime(partly, ns=(asked_ns, asked_ns))  # a receipt from before then must be in them (loadtest/watch/)
        partly.rename(path)


class Snapshots:
    """The books as they are during a run, taken now and then while the store is in reach."""

    def __init__(self, folder: RunFolder, books: BooksReader) -> None:
        self._folder = folder
        self._books = books
        self._writer = SnapshotWriter()
        self._next = time.monotonic() + SNAPSHOT_EVERY_S

    def take_if_due(self) -> None:
        """Take the books if the last ones are old enough."""
        if time.monotonic() < self._next:
            return
        with suppress(BooksOutOfReach):  # the store is away; the next ones will be had
            export = self._folder.path / "snapshot.whole"
            self._books.take(export, final=False)
            self._writer.keep(export, self._folder.snapshot(len(self._folder.snapshots())))
        self._next = time.monotonic() + SNAPSHOT_EVERY_S
