"""Much of the store read at once: one script for each creator, where a command for each key costs many times that."""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from server.store.connection import Store

Command = tuple[str | int, ...]

_READ = """redis.setresp(3)
local found = {}
for number, command in ipairs(cjson.decode(ARGV[1])) do
  found[number] = redis.call(unpack(command)) or false
end
return found"""


async def read_all(store: Store, groups: Iterable[Iterable[Command]]) -> Iterator[Any]:
    """
    Carry out commands that only read, and return what they found, one after another.

    All keys of a group are of one creator. What is not there is False or empty.
    """
    async with store.redis.pipeline(transaction=False) as together:
        for group in groups:
            together.eval(_READ, 0, orjson.dumps(tuple(group)))
        found = await together.execute()
    return (each for group in found for each in group)
