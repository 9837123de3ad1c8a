"""Siblings: the worker processes of one server on one port; the one that gets a request queries the others."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import orjson

from server.core.ids import RoomId
from server.gateway.gateway import Gateway
from server.gateway.metrics import Metrics
from server.store.connection import Store, StoreUnavailable

ANSWER_WITHIN_S = 1.0  # callers are probes with short timeouts
LINE_BYTES_MAX = 65_536


class Siblings:
    """
    This worker's link to its siblings: it listens on *socket* and queries the *others*; a single process has neither.

    A question is one JSON line, ``[what, of]``, and so is the answer.
    """

    def __init__(
        self, gateway: Gateway, store: Store, *, socket: Path | None = None, others: Sequence[Path] = ()
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._socket = socket
        self._others = others
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen to the siblings."""
        if self._socket is not None:
            self._socket.unlink(missing_ok=True)  # a worker that was killed leaves its own behind
            self._server = await asyncio.start_unix_server(self._serve, self._socket, limit=LINE_BYTES_MAX)

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None and self._socket is not None:
            self._server.close()
            self._socket.unlink(missing_ok=True)

    async def metrics(self) -> tuple[Metrics, int]:
        """Return the summed counters of all workers that answer, and their number."""
        total = _plain(self._gateway.metrics)
        answers = [answer for answer in await self._ask_others("metrics") if answer is not None]
        for answer in answers:
            _add(total, answer)
        return Metrics(**total), 1 + len(answers)

    async def audience(self, room_id: RoomId) -> int:
        """Return the number of all workers' connections in a room."""
        others = await self._ask_others("audience", room_id)
        return self._gateway.audience(room_id) + sum(answer or 0 for answer in others)

    async def check_ready(self) -> None:
        """Raise StoreUnavailable unless every worker answers, its store answers it, and its tasks work."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._store.redis.ping()
        except TimeoutError:
            raise StoreUnavailable(f"the store has not answered for {ANSWER_WITHIN_S:.0f} s") from None
        except StoreUnavailable as error:
            raise StoreUnavailable(self._store.supervisor.told_of(error)) from error
        self._store.gate.check()
        if failing := self._store.supervisor.failing:
            raise StoreUnavailable("; ".join(failing))
        answers = await self._ask_others("ready")
        if not all(answers):
            raise StoreUnavailable(f"{answers.count(True) + 1} of {len(answers) + 1} workers are ready")

    async def _ask_others(self, what: str, of: str = "") -> list[Any]:
        """Return each sibling's answer, None from one that does not answer."""
        return list(await asyncio.gather(*(_ask(other, what, of) for other in self._others)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            what, of = orjson.loads(await reader.readline())
            writer.write(orjson.dumps(await self._answer(what, of), option=orjson.OPT_NON_STR_KEYS) + b"\n")
            await writer.drain()
        except (OSError, ValueError):
            pass  # it has gone, or is none of ours
        finally:
            writer.close()

    async def _answer(self, what: str, of: str) -> Any:
        match what:
            case "metrics":
                return _plain(self._gateway.metrics)
            case "audience":
                return self._gateway.audience(RoomId(of))
            case "ready":
                with contextlib.suppress(StoreUnavailable):
                    self._store.gate.check()
                    return bool(await self._store.redis.ping()) and not self._store.supervisor.failing
                return False
        return None


async def _ask(other: Path, what: str, of: str) -> Any:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            reader, writer = await asyncio.open_unix_connection(other, limit=LINE_BYTES_MAX)
            try:
                writer.write(orjson.dumps([what, of]) + b"\n")
                return orjson.loads(await reader.readline())
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        return None


def _plain(metrics: Metrics) -> dict[str, Any]:
    return asdict(metrics)


def _add(total: dict[str, Any], more: dict[str, Any]) -> None:
    for each in fields(Metrics):
        if isinstance(total[each.name], dict):
            for key, count in more[each.name].items():
                total[each.name][key] = total[each.name].get(key, 0) + count
        else:
            total[each.name] += more[each.name]
