"""
The plain peer: the usual implementation with ``websockets.asyncio.serve`` and redis-py, one EVALSHA per grab.

A competent version of it: uvloop, no compression, orjson, hiredis, a pool of connections, one atomic script.
"""

import asyncio
import sys

import orjson
import uvloop
from redis.asyncio import BlockingConnectionPool, Redis
from websockets.asyncio.server import ServerConnection, serve

SCRIPT = """
local held = redis.call('HGET', KEYS[3], ARGV[1])
if held then return {'repeated', held} end
local now = tonumber(redis.call('TIME')[1])
local window = redis.call('HMGET', KEYS[1], 'opens', 'closes')
if now < tonumber(window[1]) then return {'too_early', ''} end
if now >= tonumber(window[2]) then return {'too_late', ''} end
local fen = redis.call('LPOP', KEYS[2])
if not fen then return {'exhausted', ''} end
redis.call('HSET', KEYS[3], ARGV[1], fen .. ':' .. ARGV[2])
redis.call('XADD', KEYS[4], '*', 'viewer', ARGV[1], 'fen', fen, 'request', ARGV[2])
return {'granted', fen}
"""


async def run(store_url: str) -> None:
    """Serve on a free port and print it."""
    redis = Redis.from_pool(BlockingConnectionPool.from_url(store_url, max_connections=64, protocol=3))
    script = redis.register_script(SCRIPT)

    async def room(connection: ServerConnection) -> None:
        assert connection.request is not None
        viewer = connection.request.path.partition("viewer=")[2]
        async for message in connection:
            grab = orjson.loads(message)
            packet = grab["packet_id"]
            keys = [f"packet:{packet}", f"shares:{packet}", f"claims:{packet}", "journal"]
            status, fen = await script(keys=keys, args=[viewer, grab["request_id"]])
            receipt = {
                "type": "receipt",
                "request_id": grab["request_id"],
                "packet_id": packet,
                "status": status.decode(),
                "amount_fen": fen.decode(),
            }
            await connection.send(orjson.dumps(receipt).decode())

    async with serve(room, "127.0.0.1", 0, compression=None, backlog=4096) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


if __name__ == "__main__":
    uvloop.run(run(sys.argv[1]))
