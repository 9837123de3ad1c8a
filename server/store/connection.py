"""The connection to the store: its fitness is checked, each transition is one script, no command is sent twice."""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Self
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoPermissionError, NoScriptError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig

from server.store import keys
from server.store.books_gate import BooksGate
from server.store.fitness import (
    Durability,
    StoreUnfit,
    not_permitted,
    unfit_mode,
    unfitness,
    wrong_address,
)
from server.store.supervision import Supervisor
from server.store.unavailable import StoreUnavailable, code_of, unavailable_as_ours
from server.store.wire import OURS, driver_info

__all__ = ["Durability", "Store", "StoreUnavailable", "StoreUnfit", "unavailable_as_ours"]

CONNECTIONS_MAX = 32  # per process; further callers wait, so that a stampede does not open a socket per grab
CONNECT_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 5.0  # longer than the slowest honest disk; after it the outcome is unknown
_SCHEMES = {"valkey": "redis", "valkeys": "rediss", "redis": "redis", "rediss": "rediss", "unix": "unix"}
_JOURNALS = "'XADD', journal"  # so a script that moves money begins to write what it has moved
_COMMANDS = re.compile(r"redis\.p?call\('(\w+)'")
_RETURNING = frozenset({"sweep", "void", "end", "edit", "expire", "coupon_return"})
"""The scripts by which money goes back to its creator."""


@dataclass(frozen=True, slots=True)
class _Script:
    text: str
    sha: str


class Store:
    """One process's client of the store; ``supervisor`` keeps this process's tasks that need the store."""

    def __init__(self, redis: "StoreClient", scripts: dict[str, _Script], gate: BooksGate) -> None:
        self.supervisor = Supervisor()
        self.gate = gate
        self._redis = redis
        self._scripts = scripts
        self._journaling = frozenset(stem for stem, script in scripts.items() if _JOURNALS in script.text)

    @classmethod
    async def connect(
        cls, url: str, *, durability: Durability = Durability.DURABLE, cluster_node: bool = False
    ) -> Self:
        """
        Connect to the store at *url* and make sure that it may be used.

        Takes redis://, rediss://, valkey://, valkeys:// and unix://. A *cluster_node* must have all slots. Raises
        StoreUnavailable if it does not answer, StoreUnfit if it is too old, evicts, keeps less than *durability*
        promises, or does not permit what is needed; the text says what to do.
        """
        gate = BooksGate()
        store = cls(client_for(url, on_connect=gate.on_connect), _scripts(), gate)
        try:
            reason = await store._unfitness(durability, cluster_node=cluster_node)
        except StoreUnavailable as error:
            await store.close()
            if reason := _refused_at_start(error.__cause__):
                raise StoreUnfit(f"the store at {shown(url)} {reason}") from error
            raise StoreUnavailable(
                f"the store at {shown(url)} does not answer ({error}): start it, or correct REDRAIN_STORE_URL"
            ) from error
        except ResponseError as error:
            await store.close()
            raise StoreUnfit(f"the store at {shown(url)} {_refused_at_start(error)}") from error
        if reason:
            await store.close()
            raise StoreUnfit(f"the store at {shown(url)} {reason}")
        return store

    async def _unfitness(self, durability: Durability, *, cluster_node: bool) -> str:
        """Return why the store is not fit for use, or ""."""
        server: dict[str, Any] = await self._redis.info("server")
        reason = unfitness(server, await _configuration(self._redis), durability)
        if reason or (reason := "" if cluster_node else unfit_mode(server)):
            return reason
        commands = sorted({name for script in self._scripts.values() for name in _COMMANDS.findall(script.text)})
        channels = [self.channel(name) for name in keys.CHANNELS]
        asked = [" ".join(dict.fromkeys([*commands, *keys.COMMANDS])), " ".join(channels)]
        try:
            refused = await self.run("permitted", [], asked)
        except StoreUnavailable as error:
            if not isinstance(error.__cause__, ResponseError) or isinstance(error.__cause__, NoPermissionError):
                raise
            return ""  # it runs no script just now, for want of memory say, which is no lack of rights
        return not_permitted(", ".join(name.decode() for name in refused)) if refused else ""

    def channel(self, name: str) -> str:
        """
        Return the pub/sub channel *name* of this database.

        Pub/sub knows no database: without its number in the names, the servers on two databases would hear each other.
        """
        database: int = self._redis.connection_pool.connection_kwargs.get("db") or 0
        return f"{name}:{database}" if database else name

    @property
    def redis(self) -> "StoreClient":
        """Return the client for single commands; its errors are StoreUnavailable too."""
        return self._redis

    async def run(self, script: str, keys: Sequence[str], args: Sequence[str | bytes | int]) -> Any:
        """
        Run the script *script* (the stem of a file in ``lua/``) and return its reply.

        Raises StoreUnavailable when the outcome is unknown, BooksBehind if it was not sent. The whole text is sent only
        after the store said NOSCRIPT, which it says before anything ran. Cancelling the caller does not cancel the
        script.
        """
        with self.gate.passing(script):
            reply = await self._redis.to_its_end(self._evaluate(self._scripts[script], keys, args))
        if script in self._journaling:
            self.gate.note(keys)
        return reply

    async def _evaluate(self, script: _Script, keys: Sequence[str], args: Sequence[str | bytes | int]) -> Any:
        try:
            return await self._redis.ask("EVALSHA", script.sha, len(keys), *keys, *args)
        except NoScriptError:
            return await self._redis.ask("EVAL", script.text, len(keys), *keys, *args)

    def apart(self) -> "Store":
        """Return a store of its own connection to the same address, with a gate that is always open."""
        pool = self._redis.connection_pool
        options = {**pool.connection_kwargs, "redis_connect_func": None}
        own = BlockingConnectionPool(
            connection_class=pool.connection_class, max_connections=1, timeout=ANSWER_TIMEOUT_S, **options
        )
        client = StoreClient.from_pool(own)
        assert isinstance(client, StoreClient)
        return Store(client, self._scripts, BooksGate())

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


def client_for(url: str, on_connect: Callable[[Any], Awaitable[None]] | None = None) -> "StoreClient":
    """
    Return a client that uses RESP3 and never repeats a command, because only the caller knows if that is safe.

    *on_connect* greets the store on each new connection instead of the library. Raises StoreUnfit if *url* is
    not valid.
    """
    scheme, _, rest = url.partition("://")
    if scheme in _SCHEMES and (wrong := wrong_address(url)):
        raise StoreUnfit(f"{shown(url)!r} is not a store's address: {wrong}")
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
            redis_connect_func=on_connect,
            driver_info=driver_info(),
        )
        pool.connection_class = OURS[pool.connection_class]
    except (KeyError, ValueError) as error:
        raise StoreUnfit(f"{shown(url)!r} is not a store's address: write redis://HOST:PORT or unix:///PATH") from error
    client = StoreClient.from_pool(pool)
    assert isinstance(client, StoreClient)
    return client


def shown(url: str) -> str:
    """Return *url* without its password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _refused_at_start(error: BaseException | None) -> str:
    """Return the reason for a store that answered one of the first commands with *error*, "" if it did not answer."""
    if isinstance(error, NoPermissionError):
        return not_permitted(str(error))
    if "DB index" in str(error):
        return (
            "has no database of that number: use a lower one in REDRAIN_STORE_URL, "
            "or raise databases in the store's configuration file and restart it"
        )
    if isinstance(error, ResponseError) and code_of(error) == "ERR":
        return f"refuses what is needed ({error}): use Valkey, or Redis 7.2 or later, without renamed commands"
    return ""


async def _configuration(redis: "StoreClient") -> dict[str, str]:
    try:
        answer = await redis.config_get("maxmemory-policy", "appendonly", "appendfsync", "no-appendfsync-on-rewrite")
    except ResponseError:
        return {}
    except StoreUnavailable as error:
        if isinstance(error.__cause__, NoPermissionError):
            return {}
        raise
    return {str(name): str(value) for name, value in answer.items()}


def _scripts() -> dict[str, _Script]:
    """Return every script by its stem, each with the shared code inserted after its first line."""
    return dict(_scripts_read())


@cache
def _scripts_read() -> Mapping[str, _Script]:
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
