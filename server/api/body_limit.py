"""A limit on the bodies of requests."""

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES_MAX = 64 * 1024  # no request of ours comes near it


class BodyLimit:
    """Stops reading a body that passes the limit; the request is then answered as any other that is refused."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on with its body counted."""
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > BODY_BYTES_MAX:
                raise HTTPException(413, f"a body may have {BODY_BYTES_MAX} bytes")
            return message

        await self._app(scope, counted, send)
