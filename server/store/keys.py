"""The names of all keys of the store (ARCHITECTURE.md has the table of their contents)."""

from collections.abc import Callable

from server.core.ids import CreatorId, OrderId, PacketId, RoomId, ViewerId, creator_of

CLOCK = "redrain:clock"
ROOMS = "redrain:rooms"
CREATORS = "redrain:creators"
BELL = "redrain:bell"
EPOCH = "redrain:epoch"
SHARED_SECRET = "redrain:secret"  # noqa: S105 - the name of a key, not its value
CHATTER = "redrain:chatter"
TRAILS = "redrain:trails"
ISVS = "redrain:isvs"
PRODUCTS = "redrain:products"
REVOKED = "redrain:revoked"
ISVS_ENDED = "{redrain:isvs}:ended"  # in the slot of ISVS
PRESENT = "{redrain}:present"  # these two are one script's: one slot
LIKES = "{redrain}:likes"
CHANNELS = (BELL, CHATTER, TRAILS)
COMMANDS = (
    *("EVAL", "EVALSHA", "EXEC", "INFO", "MULTI", "PING", "TIME"),
    *("EXISTS", "GET", "SET", "LINDEX", "LRANGE", "SADD", "SCARD", "SMEMBERS", "SREM", "XADD", "XRANGE", "XREVRANGE"),
    *("HDEL", "HEXISTS", "HGET", "HGETALL", "HINCRBY", "HMGET", "HSCAN", "HSET", "HSETNX"),
    *("ZADD", "ZRANGE", "ZRANGEBYSCORE", "ZREVRANGE", "ZREVRANK", "ZCARD", "ZCOUNT", "ZPOPMIN", "ZREMRANGEBYRANK"),
)
"""The commands that are sent one by one, beside those of the scripts."""

OfCreator = Callable[[CreatorId], str]
OfPacket = Callable[[PacketId], str]
OfRoom = Callable[[CreatorId, RoomId], str]


def _of_creator(name: str) -> OfCreator:
    return lambda creator_id: f"{{{creator_id}}}:{name}"


def _of_packet(name: str) -> OfPacket:
    return lambda packet_id: f"{{{creator_of(packet_id)}}}:{name}:{packet_id}"


def _of_room(name: str) -> OfRoom:
    return lambda creator_id, room_id: f"{{{creator_id}}}:{name}:{room_id}"


# Of a creator: all keys that one script writes carry the creator's tag, which keeps them in one slot.
clock_of = _of_creator("clock")  # the copy of the room clock that the creator's scripts read
creator = _of_creator("creator")  # the creator's permissions
wallet = _of_creator("wallet")  # the creator's balances
transfers = _of_creator("transfers")  # the outcomes of all transfers, by transfer id
journal = _of_creator("journal")  # the stream of every movement of the creator's money
withdrawals = _of_creator("withdrawals")  # the creator's withdrawals, by room time of their request
coupon_budgets = _of_creator("coupon_budgets")  # the creator's coupon budgets, by room time of their funding
invoices = _of_creator("invoices")  # the periods of the creator's invoices, by their start
opening = _of_creator("opening")  # the opening balances of the journal, which its dropped prefix left
retired = _of_creator("retired")  # the dropped packets that are still in the journal, by the ms of its last entry then
packets = _of_creator("packets")  # the creator's packets, by room time of creation
due = _of_creator("due")  # the launched packets, by the end of their claim window
stagings = _of_creator("stagings")  # the packets with staged shares, by the start of staging
expiring = _of_creator("expiring")  # the packets with shares that will expire, by the next expiry
reversals = _of_creator("reversals")  # the money on its way back to the creator, by its arrival (DY-REV-8)
orders = _of_creator("orders")  # the orders whose home is the creator, by room time of creation
orders_due = _of_creator("orders_due")  # the orders, by the time of the sweeper's next step
effects = _of_creator("effects")  # the running totals of orders with the creator's packets

# Of a packet, under its creator's tag
packet = _of_packet("packet")  # the packet's own record
shares = _of_packet("shares")  # the shares that are not yet granted, the next one first
added = _of_packet("added")  # the shares that an edit has added, to be granted after the others
returned = _of_packet("returned")  # the shares that went back to the creator
staging = _of_packet("staging")  # the staged shares
staged = _of_packet("staged")  # the running count and sum of the staged shares
claims = _of_packet("claims")  # the packet's claims, by viewer
owners = _of_packet("owners")  # the owners of the packet's shares and their claim times, in the order of the claims
assets = _of_packet("assets")  # the shares that orders hold or that have expired, by index; other claims are available
effects_of = _of_packet("effects")  # a packet's running totals of exposure, grabs and orders
exposed = _of_packet("exposed")  # the viewers who have seen the packet; they expire by themselves

# Of a room, under its creator's tag
room = _of_room("room")  # the room's own record
feed = _of_room("feed")  # the room's stream of facts
cues = _of_room("cues")  # the cues published in the room, with their numbers
on_air = _of_room("onair")  # the packets launched into the room, by warm-up


JOURNAL_SUFFIX = ":journal"
PACKET_INFIX = "}:packet:"


def creator_in(name: str) -> CreatorId:
    """Return the creator whose tag the key *name* carries."""
    return CreatorId(name[1 : name.index("}")])


def packet_in(name: str) -> PacketId:
    """Return the packet whose record the key *name* is."""
    return PacketId(name.partition(PACKET_INFIX)[2])


def record_of(creator_id: CreatorId, packet_id: PacketId) -> str:
    """Name the record of a packet under a creator's tag; "" is a packet that there is not."""
    return f"{{{creator_id}{PACKET_INFIX}{packet_id}"


def withdrawal(creator_id: CreatorId, withdrawal_id: str) -> str:
    """Name the withdrawal's own record."""
    return f"{{{creator_id}}}:withdrawal:{withdrawal_id}"


def coupon_budget(creator_id: CreatorId, budget_id: str) -> str:
    """Name the coupon budget's own record."""
    return f"{{{creator_id}}}:coupon_budget:{budget_id}"


def invoice(creator_id: CreatorId, number: int) -> str:
    """Name the invoice's own record."""
    return f"{{{creator_id}}}:invoice:{number}"


def order(creator_id: CreatorId, order_id: OrderId) -> str:
    """Name the order's record under a creator's tag: its home's, or the part that the platform has of it."""
    return f"{{{creator_id}}}:order:{order_id}"


def trail(order_id: OrderId) -> str:
    """Name the record of a trail: the order's buyer and room."""
    return f"{{{order_id}}}:trail"


def trail_events(order_id: OrderId) -> str:
    """Name the events of an order, by event id."""
    return f"{{{order_id}}}:trail_events"


def trail_told(order_id: OrderId) -> str:
    """Name the steps of an order that its buyer was told."""
    return f"{{{order_id}}}:trail_told"


def product(product_id: str) -> str:
    """Name the product's own record, in the slot of PRODUCTS."""
    return f"{{{PRODUCTS}}}:{product_id}"


def used_ticket(ticket_id: str) -> str:
    """Name the note that a ticket was used; it expires with the ticket."""
    return f"redrain:ticket:{ticket_id}"


def isv_waiting(isv_id: str) -> str:
    """Name the orders with reports of an ISV that were not shown because it was not integrated."""
    return f"redrain:isv_waiting:{isv_id}"


def trails_of(viewer_id: ViewerId) -> str:
    """Name the orders of a buyer that have a trail, by room time of opening."""
    return f"{{{viewer_id}}}:trails"


def messages(viewer_id: ViewerId) -> str:
    """Name a viewer's inbox: its service messages, by the room time at which they came."""
    return f"{{{viewer_id}}}:messages"


def messages_read(viewer_id: ViewerId) -> str:
    """Name the room time until which a viewer has read its inbox."""
    return f"{{{viewer_id}}}:messages_read"
