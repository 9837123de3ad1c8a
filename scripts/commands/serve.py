"""Runs the server, or the bundled store alone, until it is stopped."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import uvloop
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from loadtest.verdict.weigh import Exit
from scripts.output import failed
from server.app import CannotServe, serve, set_up_logging
from server.core.rulebooks.overrides import BadRulebooks
from server.rulebook_file import load_rulebooks
from server.settings import Settings
from server.store.allocators.loading import BadAllocator
from server.store.allocators.registry import entries_for
from server.store.connection import Durability, StoreUnavailable, StoreUnfit
from server.store.embedded.folder import StoreNotStarted
from server.store.embedded.process import EmbeddedStore
from server.workers.crew import serve_with_workers


def run_server(given: dict[str, Any], ready_file: Path | None, say: Console) -> int:
    """Serve until SIGINT or SIGTERM and return the exit code. The URL is written to *ready_file* once it is ready."""
    try:
        settings = Settings(**given)
        load_rulebooks(settings.rulebooks)
        entries_for(diagnostics=settings.diagnostics, own=settings.allocator, folder=Path.cwd())
    except BadAllocator as bad:
        return failed(f"allocator: {bad}", Exit.USAGE)
    except BadRulebooks as bad:
        return failed(bad, Exit.USAGE)
    except ValidationError as error:
        for problem in error.errors():
            failed(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}", Exit.USAGE)
        return Exit.USAGE

    def ready(url: str) -> None:
        say.print(f"redrain: serving [bold]{url}[/] (API at {url}/docs); speed {settings.speed}; Ctrl-C stops it")
        if ready_file is not None:
            ready_file.write_text(url, "utf-8")

    def warn(text: str) -> None:
        say.print(f"[yellow]redrain:[/] {escape(text)}")

    set_up_logging()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            if settings.workers > 1:
                runner.run(serve_with_workers(settings, ready, warn))
            else:
                runner.run(serve(settings, ready))
    except (CannotServe, StoreNotStarted, StoreUnavailable, StoreUnfit) as error:
        return failed(error, Exit.ENVIRONMENT)
    return Exit.PASS


def run_store(port: int, durability: str, home: Path, say: Console) -> int:
    """Run the bundled store on a port until SIGINT or SIGTERM and return the exit code."""
    try:
        asked = Durability(durability)
    except ValueError:
        return failed(f"durability: must be one of {', '.join(Durability)}", Exit.USAGE)
    try:
        embedded = EmbeddedStore.start(home, durability=asked, port=port)
    except (StoreNotStarted, StoreUnavailable, StoreUnfit) as error:
        return failed(error, Exit.ENVIRONMENT)
    say.print(f"redrain: store on redis://127.0.0.1:{port} ({asked}); use it with REDRAIN_STORE_URL; Ctrl-C stops it")
    # Blocked only now: the store, started above, would have inherited the mask.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    finally:
        embedded.stop()
    return Exit.PASS
