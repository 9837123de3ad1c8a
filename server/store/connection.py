"""The connection to the store: its fitness is checked, each transition is one script, no command is sent twice."""

import asyncio
import hashlib
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Self
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig

from server.store.fitness import Durability, StoreUnfit, unfitness
from server.store.supervision import Supervisor
from server.store.unavailable import StoreUnavailable, unavailable_as_ours

__all__ = ["Durability", "Store", "StoreUnavailable", "StoreUnfit", "unavailable_as_ours"]

CONNECTIONS_MAX = 32  # per process; further callers wait, so that a stampede does not open a socket per grab
CONNECT_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 5.0  # longer than the slowest honest disk; after it the outcome is unknown
_SCHEMES = {"valkey": "redis", "valkeys": "rediss", "redis": "redis", "rediss": "rediss", "unix": "unix"}
_RETURNING = frozenset({"sweep", "void", "end", "edit", "expire"})  # scripts by which money goes back to its creator


@dataclass(frozen=True, slots=True)
class _Script:
    text: str
    sha: str


class Store:
    """One process's client of the store; ``supervisor`` keeps this process's tasks that need the store."""

    def __init__(self, redis: "StoreClient", scripts: dict[str, _Script]) -> None:
        self.supervisor = Supervisor()
        self._redis = redis
        self._scripts = scripts

    @classmethod
    async def connect(cls, url: str, *, durability: Durability = Durability.DURABLE) -> Self:
        """
        Connect to the store at *url* and make sure that it may be used.

        Takes redis://, rediss://, valkey://, valkeys:// and unix://. Raises StoreUnavailable if it does not answer,
        StoreUnfit if it is too old, evicts, or keeps less than *durability* promises; the text says what to do.
        """
        redis = client_for(url)
        try:
            with unavailable_as_ours():
                server: dict[str, Any] = await redis.info("server")
                reason = unfitness(server, await _configuration(redis), durability)
        except StoreUnavailable as error:
            await redis.aclose()
            raise StoreUnavailable(
                f"the store at {shown(url)} does not answer ({error}): start it, or correct REDRAIN_STORE_URL"
            ) from error
        if reason:
            await redis.aclose()
            raise StoreUnfit(f"the store at {shown(url)} {reason}")
        return cls(redis, _scripts())

    @property
    def redis(self) -> "StoreClient":
        """Return the client for single commands; its errors are StoreUnavailable too."""
        return self._redis

    async def run(self, script: str, keys: Sequence[str], args: Sequence[str | bytes | int]) -> Any:
        """
        Run the script *script* (the stem of a file in ``lua/``) and return its reply.

        Raises StoreUnavailable when the outcome is unknown. The whole text is sent only after the store said
        NOSCRIPT, which it says before anything ran. Cancelling the caller does not cancel the script.
        """
        return await self._redis.to_its_end(self._evaluate(self._scripts[script], keys, args))

    async def _evaluate(self, script: _Script, keys: Sequence[str], args: Sequence[str | bytes | int]) -> Any:
        try:
            return await self._redis.ask("EVALSHA", script.sha, len(keys), *keys, *args)
        except NoScriptError:
            return await self._redis.ask("EVAL", script.text, len(keys), *keys, *args)

    async def close(self) -> None:
        """Wait for the commands in flight and close all connections."""
        await self._redis.aclose()


class _Pipeline(Pipeline):
    async def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        with unavailable_as_ours():
            return await super().immediate_execute_command(*args, **options)  # type: ignore[no-untyped-call]

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        with unavailable_as_ours():
            return await super().execute(raise_on_error)


class StoreClient(Redis):
    """
    The library's client, which raises StoreUnavailable for every connection error.

    Cancelling a caller never cancels a command: it runs to its end and its reply is read, so that no connection is
    out of step with what is asked on it next (F03), and the library, which on Python 3.11 may swallow a cancel while
    it sends, never sees one. A pipeline that is cancelled loses its connection.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._in_flight: set[asyncio.Task[Any]] = set()

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        return await self.to_its_end(self.ask(*args, **options))

    async def ask(self, *args: Any, **options: Any) -> Any:
        """Send one command and wait for its reply, in a task that is never cancelled."""
        with unavailable_as_ours():
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    async def to_its_end(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Wait for *work*, which continues if the caller is cancelled."""
        task = asyncio.create_task(work)
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)
        return await asyncio.shield(task)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> _Pipeline:
        return _Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        await asyncio.gather(*self._in_flight, return_exceptions=True)
        await super().aclose(close_connection_pool)


def client_for(url: str) -> "StoreClient":
    """
    Return a client that uses RESP3 and never repeats a command, because only the caller knows if that is safe.

    Raises StoreUnfit if *url* is not valid.
    """
    scheme, _, rest = url.partition("://")
    try:
        pool = BlockingConnectionPool.from_url(
            f"{_SCHEMES[scheme]}://{rest}",
            max_connections=CONNECTIONS_MAX,
            timeout=ANSWER_TIMEOUT_S,
            protocol=3,
            decode_responses=False,
            retry=Retry(NoBackoff(), 0),
            retry_on_error=[],
            socket_timeout=ANSWER_TIMEOUT_S,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
        )
    except (KeyError, ValueError) as error:
        raise StoreUnfit(f"{shown(url)!r} is not a store's address: write redis://HOST:PORT or unix:///PATH") from error
    client = StoreClient.from_pool(pool)
    assert isinstance(client, StoreClient)
    return client


def shown(url: str) -> str:
    """Return *url* without its password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


async def _configuration(redis: "StoreClient") -> dict[str, str]:
    try:
        answer = await redis.config_get("maxmemory-policy", "appendonly", "appendfsync", "no-appendfsync-on-rewrite")
    except ResponseError:
        return {}
    return {str(name): str(value) for name, value in answer.items()}


def _scripts() -> dict[str, _Script]:
    """Return every script by its stem, each with the shared code inserted after its first line."""
    files = {
        entry.name.removesuffix(".lua"): entry.read_text(encoding="utf-8")
        for entry in (resources.files("server.store") / "lua").iterdir()
        if entry.name.endswith(".lua")
    }
    head, returning = (files.pop(shared).partition("\n")[2] for shared in ("head", "returning"))
    texts = {
        stem: text.replace("\n", f"\n{head}{returning if stem in _RETURNING else ''}", 1)
        for stem, text in files.items()
    }
    return {
        stem: _Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
        for stem, text in texts.items()
    }
