"""The process that shows a run: serves the dashboard of the run in a folder until it is told to end."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from loadtest.record.run_folder import RunFolder
from loadtest.verdict.weigh import Exit
from loadtest.watch.run_source import RunSource
from loadtest.watch.site import WatchSite

URL_FILE = "watch.url"
NICENESS = 10  # what is watched comes first


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the dashboard of a run; return the exit code."""
    parser = argparse.ArgumentParser(prog="watching", description=__doc__)
    parser.add_argument("folder", type=Path, help="The folder of the run.")
    parser.add_argument("--port", type=int, required=True, help="Port on 127.0.0.1; 0 takes any free one.")
    options = parser.parse_args(arguments)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    os.nice(NICENESS)
    folder = RunFolder(options.folder)
    try:
        site = WatchSite(port=options.port, report=folder.report)
    except OSError as error:
        sys.stderr.write(f"watch-port: 127.0.0.1:{options.port} cannot be had ({error.strerror}); choose another\n")
        return Exit.ENVIRONMENT
    site.start(RunSource(folder))
    partly = folder.path / f"{URL_FILE}.part"
    partly.write_text(site.url, "utf-8")
    partly.rename(folder.path / URL_FILE)
    over.wait()
    site.close()
    return Exit.PASS


if __name__ == "__main__":
    sys.exit(main())
