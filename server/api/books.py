"""The books: what the store says, for the audit."""

from collections.abc import AsyncIterator

import orjson
from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from server.api.parts import Parts, WithParts
from server.store.books import export

router = APIRouter(prefix="/api", tags=["books"])


@router.get("/books", response_class=StreamingResponse)
async def books(parts: WithParts, *, final: bool = False) -> StreamingResponse:
    """
    Export the books as JSON lines (ARCHITECTURE.md says which).

    With ``final`` the claims and the shares that went back come too. Shares and seeds of packets that may still be
    grabbed are never exported.
    """
    return StreamingResponse(_lines(parts, final=final), media_type="application/x-ndjson")


async def _lines(parts: Parts, *, final: bool) -> AsyncIterator[bytes]:
    batch: list[bytes] = []
    async for line in export(parts.store, parts.clock, final=final):
        batch.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        if len(batch) == 500:
            yield b"".join(batch)
            batch.clear()
    yield b"".join(batch)
