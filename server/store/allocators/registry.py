"""The registry of allocators: the only place that knows their names."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from server.core.packets.capabilities import Capabilities
from server.store.allocators.context import AllocatorContext
from server.store.allocators.counter import CounterAllocator
from server.store.allocators.default import DefaultAllocator
from server.store.allocators.guard import AllocatorFailed, GuardedAllocator
from server.store.allocators.list_pop import ListPopAllocator
from server.store.allocators.loading import BadAllocator, load_class
from server.store.allocators.naive import NaiveAllocator
from server.store.allocators.port import Allocator
from server.store.allocators.watch_multi import WatchMultiAllocator

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class AllocatorEntry:
    """
    An allocator by its name. ``correct`` says whether it is so by construction; None of a user's own.

    One that is ``for_lab`` runs only in a server with diagnostics.
    """

    name: str
    summary: str
    correct: bool | None
    capabilities: Capabilities
    make: Callable[[AllocatorContext], Allocator]
    for_lab: bool = True


def _of_default(context: AllocatorContext) -> Allocator:
    return DefaultAllocator(context.store, context.clock, context.is_fresh)


BUILT_IN = {
    entry.name: entry
    for entry in (
        AllocatorEntry(
            DEFAULT,
            "One script answers hundreds of grabs in one step, and memory answers where the answer is known.",
            True,
            DefaultAllocator.capabilities,
            _of_default,
            for_lab=False,
        ),
        AllocatorEntry(
            "list-pop",
            "LPOP of a list of shares after a look at who has one: two taps that overlap get two shares.",
            False,
            ListPopAllocator.capabilities,
            ListPopAllocator,
        ),
        AllocatorEntry(
            "counter",
            "SADD lets each viewer enter once, INCR is an index into the shares.",
            True,
            CounterAllocator.capabilities,
            CounterAllocator,
        ),
        AllocatorEntry(
            "watch-multi",
            "WATCH, MULTI and EXEC, tried again until nobody was quicker: correct, and dear in a stampede.",
            True,
            WatchMultiAllocator.capabilities,
            WatchMultiAllocator,
        ),
        AllocatorEntry(
            "naive",
            "Reads a count, compares and writes one more, while others do the same: over-issues.",
            False,
            NaiveAllocator.capabilities,
            NaiveAllocator,
        ),
    )
}


def entry_of(name: str, folder: Path) -> AllocatorEntry:
    """
    Return the allocator of that name; ``package.module:Class`` is a user's own, and may be in *folder*.

    Raises BadAllocator.
    """
    if ":" not in name:
        if name not in BUILT_IN:
            known = ", ".join(BUILT_IN)
            raise BadAllocator(f"must be one of {known}, or your own as package.module:Class")
        return BUILT_IN[name]
    found = load_class(name, folder)
    summary = (found.__doc__ or "").strip().partition("\n")[0]
    return AllocatorEntry(name, summary, None, found.capabilities, partial(_guarded, name, found))


def _guarded(name: str, of: Callable[[AllocatorContext], Allocator], context: AllocatorContext) -> Allocator:
    """Make a user's allocator. Raises AllocatorFailed."""
    try:
        return GuardedAllocator(name, of(context))
    except Exception as error:
        raise AllocatorFailed(f"allocator {name} cannot be made: {type(error).__name__}: {error}") from error


def entries_for(*, diagnostics: bool, own: str, folder: Path) -> list[AllocatorEntry]:
    """Return what a server runs: with *diagnostics* those for the lab too, and a user's *own*. Raises BadAllocator."""
    if own and not diagnostics:
        raise BadAllocator(f"{own} may only run with --diagnostics")
    entries = [entry for entry in BUILT_IN.values() if diagnostics or not entry.for_lab]
    if own and own not in BUILT_IN:
        entries.append(entry_of(own, folder))
    return entries
