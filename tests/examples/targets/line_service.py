"""A grab service that speaks lines: HELLO name; GRAB packet id -> WON or AGAIN packet id fen claim, GONE packet id."""

import asyncio
import sys

SHARES, FEN = 10, 100


class Desk:
    """One loop answers one line after the other, so nobody comes in between."""

    def __init__(self) -> None:
        self.owners: dict[str, dict[str, int]] = {}

    def answer(self, user: str, packet: str, request: str) -> str:
        owners = self.owners.setdefault(packet, {})
        if user in owners:
            return f"AGAIN {packet} {request} {FEN} {packet}-{owners[user]}"
        if len(owners) >= SHARES:
            return f"GONE {packet} {request}"
        owners[user] = len(owners)
        return f"WON {packet} {request} {FEN} {packet}-{owners[user]}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        user = ""
        while line := await reader.readline():
            match line.decode().split():
                case ["HELLO", user]:
                    writer.write(b"WELCOME\n")
                case ["GRAB", packet, request] if user:
                    writer.write(self.answer(user, packet, request).encode() + b"\n")
                case _:
                    writer.write(b"WHAT\n")
            await writer.drain()
        writer.close()


async def main(port: int) -> None:
    async with await asyncio.start_server(Desk().serve, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
