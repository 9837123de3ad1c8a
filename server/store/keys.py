"""The names of all keys of the store (ARCHITECTURE.md has the table of their contents)."""

from server.core.ids import CreatorId, OrderId, PacketId, RoomId, ViewerId, creator_of

CLOCK = "redrain:clock"
ROOMS = "redrain:rooms"
CREATORS = "redrain:creators"
BELL = "redrain:bell"
SHARED_SECRET = "redrain:secret"  # noqa: S105 - the name of a key, not its value
CHATTER = "redrain:chatter"
TRAILS = "redrain:trails"
ISVS = "redrain:isvs"
PRESENT = "{redrain}:present"  # these two are one script's: one slot
LIKES = "{redrain}:likes"
CHANNELS = (BELL, CHATTER, TRAILS)
COMMANDS = (
    *("EVAL", "EVALSHA", "EXEC", "INFO", "MULTI", "PING", "TIME"),
    *("EXISTS", "GET", "SET", "LINDEX", "LRANGE", "SADD", "SCARD", "SMEMBERS", "SREM", "XADD", "XRANGE", "XREVRANGE"),
    *("HDEL", "HEXISTS", "HGET", "HGETALL", "HINCRBY", "HMGET", "HSCAN", "HSET", "HSETNX"),
    *("ZADD", "ZRANGE", "ZRANGEBYSCORE", "ZREVRANGE"),
)
"""The commands that are sent one by one, beside those of the scripts."""


def clock_of(creator_id: CreatorId) -> str:
    """Name the copy of the room clock that the scripts of this creator read."""
    return f"{{{creator_id}}}:clock"


def creator(creator_id: CreatorId) -> str:
    """Name the creator's permissions."""
    return f"{{{creator_id}}}:creator"


def wallet(creator_id: CreatorId) -> str:
    """Name the creator's balances."""
    return f"{{{creator_id}}}:wallet"


def transfers(creator_id: CreatorId) -> str:
    """Name the outcomes of all transfers, by transfer id."""
    return f"{{{creator_id}}}:transfers"


def journal(creator_id: CreatorId) -> str:
    """Name the stream of every movement of the creator's money."""
    return f"{{{creator_id}}}:journal"


def withdrawals(creator_id: CreatorId) -> str:
    """Name the creator's withdrawals, by room time of their request."""
    return f"{{{creator_id}}}:withdrawals"


def withdrawal(creator_id: CreatorId, withdrawal_id: str) -> str:
    """Name the withdrawal's own record."""
    return f"{{{creator_id}}}:withdrawal:{withdrawal_id}"


def opening(creator_id: CreatorId) -> str:
    """Name the opening balances of the journal, which its dropped prefix left."""
    return f"{{{creator_id}}}:opening"


def retired(creator_id: CreatorId) -> str:
    """Name the dropped packets that are still in the journal, by the ms of its last entry then."""
    return f"{{{creator_id}}}:retired"


def packets(creator_id: CreatorId) -> str:
    """Name the creator's packets, by room time of creation."""
    return f"{{{creator_id}}}:packets"


def due(creator_id: CreatorId) -> str:
    """Name the launched packets, by the end of their claim window."""
    return f"{{{creator_id}}}:due"


def packet(packet_id: PacketId) -> str:
    """Name the packet's own record."""
    return f"{{{creator_of(packet_id)}}}:packet:{packet_id}"


def shares(packet_id: PacketId) -> str:
    """Name the shares that are not yet granted, the next one first."""
    return f"{{{creator_of(packet_id)}}}:shares:{packet_id}"


def added(packet_id: PacketId) -> str:
    """Name the shares that an edit has added, to be granted after the others."""
    return f"{{{creator_of(packet_id)}}}:added:{packet_id}"


def returned(packet_id: PacketId) -> str:
    """Name the shares that went back to the creator."""
    return f"{{{creator_of(packet_id)}}}:returned:{packet_id}"


def staging(packet_id: PacketId) -> str:
    """Name the staged shares."""
    return f"{{{creator_of(packet_id)}}}:staging:{packet_id}"


def staged(packet_id: PacketId) -> str:
    """Name the running count and sum of the staged shares."""
    return f"{{{creator_of(packet_id)}}}:staged:{packet_id}"


def stagings(creator_id: CreatorId) -> str:
    """Name the packets with staged shares, by the start of staging."""
    return f"{{{creator_id}}}:stagings"


def claims(packet_id: PacketId) -> str:
    """Name the packet's claims, by viewer."""
    return f"{{{creator_of(packet_id)}}}:claims:{packet_id}"


def owners(packet_id: PacketId) -> str:
    """Name the owners of the packet's shares and their claim times, in the order of the claims."""
    return f"{{{creator_of(packet_id)}}}:owners:{packet_id}"


def assets(packet_id: PacketId) -> str:
    """Name the packet's shares that orders hold or that have expired, by index; all other claims are available."""
    return f"{{{creator_of(packet_id)}}}:assets:{packet_id}"


def expiring(creator_id: CreatorId) -> str:
    """Name the packets with shares that will expire, by the next expiry."""
    return f"{{{creator_id}}}:expiring"


def reversals(creator_id: CreatorId) -> str:
    """Name the money on its way back to the creator, by its arrival (DY-REV-8)."""
    return f"{{{creator_id}}}:reversals"


def room(creator_id: CreatorId, room_id: RoomId) -> str:
    """Name the room's own record."""
    return f"{{{creator_id}}}:room:{room_id}"


def feed(creator_id: CreatorId, room_id: RoomId) -> str:
    """Name the room's stream of facts."""
    return f"{{{creator_id}}}:feed:{room_id}"


def cues(creator_id: CreatorId, room_id: RoomId) -> str:
    """Name the cues published in the room, with their numbers."""
    return f"{{{creator_id}}}:cues:{room_id}"


def on_air(creator_id: CreatorId, room_id: RoomId) -> str:
    """Name the packets launched into the room, by warm-up."""
    return f"{{{creator_id}}}:onair:{room_id}"


def order(creator_id: CreatorId, order_id: OrderId) -> str:
    """Name the order's record under a creator's tag: its home's, or the part that the platform has of it."""
    return f"{{{creator_id}}}:order:{order_id}"


def orders(creator_id: CreatorId) -> str:
    """Name the orders whose home is the creator, by room time of creation."""
    return f"{{{creator_id}}}:orders"


def orders_due(creator_id: CreatorId) -> str:
    """Name the orders, by the time of the sweeper's next step."""
    return f"{{{creator_id}}}:orders_due"


def effects(creator_id: CreatorId) -> str:
    """Name the running totals of orders with the creator's packets."""
    return f"{{{creator_id}}}:effects"


def effects_of(packet_id: PacketId) -> str:
    """Name a packet's running totals of exposure, grabs and orders."""
    return f"{{{creator_of(packet_id)}}}:effects:{packet_id}"


def trail(order_id: OrderId) -> str:
    """Name the record of a trail: the order's buyer and room."""
    return f"{{{order_id}}}:trail"


def trail_events(order_id: OrderId) -> str:
    """Name the events of an order, by event id."""
    return f"{{{order_id}}}:trail_events"


def trails_of(viewer_id: ViewerId) -> str:
    """Name the orders of a buyer that have a trail, by room time of opening."""
    return f"{{{viewer_id}}}:trails"
