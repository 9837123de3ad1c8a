"""The books: the store's data for the audit."""

from collections.abc import AsyncIterator

import orjson
from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from server.api.access import allowed_to
from server.api.app_state import AppState, WithState
from server.api.errors import problems
from server.core.credential import Role
from server.store.books import export

router = APIRouter(prefix="/api", tags=["books"], dependencies=[allowed_to(Role.ADMIN)])


LINES_OF_BATCH = 500  # some 200 KB per write


@router.get("/books", response_class=StreamingResponse, responses=problems(422, 503))
async def books(state: WithState, *, final: bool = False) -> StreamingResponse:
    """
    Export the books as JSON lines (ARCHITECTURE.md says which).

    With ``final``, claims and returned shares are included. Shares and seeds of packets that may still be
    grabbed are never exported.
    """
    batches = _batches(state, final=final)
    first = await anext(batches)  # before the status is sent, so that an unavailable store is answered with 503
    return StreamingResponse(_after(first, batches), media_type="application/x-ndjson")


async def _after(first: bytes, batches: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for batch in batches:
        yield batch


async def _batches(state: AppState, *, final: bool) -> AsyncIterator[bytes]:
    """Yield the lines in batches, at least one batch."""
    batch: list[bytes] = []
    async for line in export(state.store, state.clock, final=final, rulebooks=state.rulebooks.values()):
        batch.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        if len(batch) == LINES_OF_BATCH:
            yield b"".join(batch)
            batch.clear()
    yield b"".join(batch)
