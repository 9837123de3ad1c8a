"""A whole server outlives every state of its store, says that it is not ready meanwhile, and goes on by itself."""

import asyncio
import json
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from redis import Redis
from redis.exceptions import RedisError
from websockets.sync.client import ClientConnection, connect

from server.app import serve
from server.core.ids import CreatorId, PacketId
from server.settings import Settings
from server.store import keys
from server.store.connection import Durability
from server.store.embedded.process import EmbeddedStore
from tests.api.caller import TIMEOUT_S, Caller
from tests.conftest import free_port
from tests.waiting import until

TEN_MINUTES_MS = 600_000
ASKING = {"the clock", "the reader of feeds", "the sweeper", "the count of viewers and likes", "the count of effects"}


@contextmanager
def busy(redis: Any) -> Iterator[None]:
    """Run a script that never ends."""
    redis.config_set("busy-reply-threshold", 1)

    def never_end() -> None:
        with Redis.from_url(redis.redrain_url) as other, suppress(RedisError):
            other.eval("while true do end", 0)

    running = threading.Thread(target=never_end)
    running.start()
    try:
        yield
    finally:
        redis.script_kill()
        running.join()
        redis.config_set("busy-reply-threshold", 5_000)


@contextmanager
def configured(redis: Any, **settings: object) -> Iterator[None]:
    """Set the settings, and set them back."""
    names = {name.replace("_", "-"): value for name, value in settings.items()}
    before = {name: redis.config_get(name)[name] for name in names}
    for name, value in names.items():
        redis.config_set(name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            redis.config_set(name, value)


@contextmanager
def replica(redis: Any, *, stale: str) -> Iterator[None]:
    """Make the store a replica of a primary that does not answer."""
    with configured(redis, replica_serve_stale_data=stale):
        redis.replicaof("127.0.0.1", free_port())
        try:
            yield
        finally:
            redis.replicaof("NO", "ONE")


@contextmanager
def no_snapshot(redis: Any) -> Iterator[None]:
    """Make the store's snapshots fail: a folder stands where the file would."""
    place = Path(redis.config_get("dir")["dir"]) / redis.config_get("dbfilename")["dbfilename"]
    (place / "full").mkdir(parents=True)
    with configured(redis, save="3600 1000000"):
        redis.bgsave()
        until(lambda: bool(redis.info("persistence")["rdb_last_bgsave_status"] == "err"))
        try:
            yield
        finally:
            (place / "full").rmdir()
            place.rmdir()
            redis.bgsave()
            until(lambda: bool(redis.info("persistence")["rdb_last_bgsave_status"] == "ok"))
            until(lambda: not redis.info("persistence")["rdb_bgsave_in_progress"])


@contextmanager
def forbidden(redis: Any) -> Iterator[None]:
    """Take the permission to run scripts away."""
    redis.execute_command("ACL", "SETUSER", "default", "-eval", "-evalsha", "-subscribe")
    redis.client_kill_filter(_type="pubsub")
    try:
        yield
    finally:
        redis.execute_command("ACL", "SETUSER", "default", "+@all")


@contextmanager
def broken(redis: Any) -> Iterator[None]:
    """Put text where a hash is expected: an error reply, and one that is about the data."""
    kept = redis.dump(keys.CREATORS)
    redis.set(keys.CREATORS, "no set")
    try:
        yield
    finally:
        redis.restore(keys.CREATORS, 0, kept, replace=True)


STATES: dict[str, Callable[[Any], Any]] = {
    "BUSY": busy,
    "OOM": lambda redis: configured(redis, maxmemory=1),
    "NOREPLICAS": lambda redis: configured(redis, min_replicas_to_write=1),
    "READONLY": lambda redis: replica(redis, stale="yes"),
    "MASTERDOWN": lambda redis: replica(redis, stale="no"),
    "MISCONF": no_snapshot,
    "NOPERM": forbidden,
    "WRONGTYPE": broken,
}


@pytest.fixture(scope="module")
def redis(embedded: EmbeddedStore) -> Iterator[Any]:
    """Open a connection to the store of the tests, emptied."""
    with Redis.from_url(embedded.url, decode_responses=False) as connected:
        connected.flushall()
        connected.redrain_url = embedded.url
        yield connected


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(redis: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Caller]:
    """Run one server in this process for all states."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)
    ready: asyncio.Future[str] = loop.create_future()
    settings = Settings(
        port=0,
        home=tmp_path_factory.mktemp("states"),
        insecure=True,
        durability=Durability.RELAXED,
        store_url=redis.redrain_url,
    )
    running = asyncio.create_task(serve(settings, ready.set_result))
    try:
        with await asyncio.to_thread(Caller, await asyncio.wait_for(ready, 60)) as caller:
            yield caller
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(running, 60)


def failures(api: Caller) -> dict[str, float]:
    """Return how often each task has failed, as /metrics says."""
    prefix = 'redrain_task_failures_total{task="'
    lines = api.ask("GET", "/metrics").text.splitlines()
    found = [line.removeprefix(prefix).partition('"} ') for line in lines if line.startswith(prefix)]
    return {task: float(count) for task, _, count in found}


def goes_on(api: Caller, redis: Any, ann: ClientConnection, names: tuple[str, str, str]) -> None:
    """Assert that a packet opens and is settled, a comment is heard, and effects and viewers are counted."""
    creator_id, room_id, packet_id = names
    body = {"room_id": room_id, "mode": "manual", "claim_window_ms": TEN_MINUTES_MS}
    api.post(f"/api/packets/{packet_id}/launch", body)
    ann.send('{"type":"comment","text":"back"}')
    awaited = {"open", "comments"}
    while awaited:
        message = json.loads(ann.recv(TIMEOUT_S))
        awaited -= (
            {message["type"]} if message["type"] == "comments" or message.get("packet_id") == packet_id else set()
        )
    assert api.grab(room_id, packet_id, "bob")["status"] == "granted"
    until(lambda: bool(api.get(f"/api/packets/{packet_id}/effects")["grab_attempts"] == 1))
    redis.hset(keys.packet(PacketId(packet_id)), "claim_end_at_ms", api.get("/api/clock")["room_ms"])
    redis.zadd(keys.due(CreatorId(creator_id)), {packet_id: 1})
    until(lambda: bool(api.get(f"/api/packets/{packet_id}")["state"] == "settled"))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("state", STATES)
async def test_a_server_outlives_its_store(
    state: str, redis: Any, api: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the store answers: not ready and 503 meanwhile, ready again afterwards, and every part works."""
    caplog.set_level(logging.WARNING, "redrain")
    await asyncio.to_thread(goes_through, api, redis, state)
    assert "works again" in caplog.text


def goes_through(api: Caller, redis: Any, state: str) -> None:
    """Put the store into a state and out of it, with a viewer in a room where a packet is open."""
    creator_id, room_id, _ = api.on_air(TEN_MINUTES_MS)
    api.post(f"/api/creators/{creator_id}/recharge", {"amount_fen": 100})
    draft = api.packet(creator_id, share_count=1, total_fen=100)
    address = f"{api.url.replace('http', 'ws')}/ws/rooms/{room_id}?viewer=ann"
    with connect(address, compression=None, proxy=None) as ann:
        before = sum(failures(api).values())
        with STATES[state](redis):
            until(lambda: api.ask("GET", "/readyz").status_code == 503)
            until(lambda: sum(failures(api).values()) > before)
            if state == "BUSY":
                until(lambda: failures(api).keys() >= ASKING)
            if state != "WRONGTYPE":
                answer = api.ask("POST", f"/api/creators/{creator_id}/recharge", raw='{"amount_fen": 5}', key="k")
                assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
                assert int(answer.headers["Retry-After"]) >= 1
        until(lambda: api.ask("GET", "/readyz").ok)
        goes_on(api, redis, ann, (creator_id, room_id, draft))


@pytest.mark.asyncio(loop_scope="module")
async def test_a_clock_that_another_process_moved_is_adopted(redis: Any, api: Caller) -> None:
    """A server that did not notice the step itself has the moved record within seconds, and /readyz says why."""

    def adopts() -> None:
        creator_id, before = api.creator(100), api.get("/api/clock")
        assert api.get("/readyz") == {"status": "ready"}
        moved_ms = redis.hincrby(keys.CLOCK, "started_ms", -60_000)
        until(lambda: "went back by 60000 ms" in api.get("/readyz").get("notes", ""))
        assert api.get("/api/clock")["started_ms"] == moved_ms == before["started_ms"] - 60_000
        until(lambda: int(redis.hget(keys.clock_of(CreatorId(creator_id)), "started_ms")) == moved_ms)

    await asyncio.to_thread(adopts)
