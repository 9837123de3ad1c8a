"""The money: sources and destinations of every creator's fen, from wallet and journal."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loadtest.record.books import Books, WalletRecord
from loadtest.report.figure import Figure, colour_of
from loadtest.report.orders import (
    BUYERS,
    EXPIRED,
    HELD,
    LET_GO,
    MERCHANTS,
    NET,
    PACKETS,
    REFUNDED,
    RESIDUAL,
    SENT_BACK,
    SERVICE,
    SUBSIDIES,
    UNSETTLED,
    USED,
    claimed_ends,
    merchant_links,
)
from server.core.ids import PacketId

Node = tuple[str, str, str]
"""A node of the picture: its key, its label, its colour."""

PACKETS_MAX = 16
CREATORS_MAX = 16
COLUMN_PX = 170  # a node with its words
CLAIMED, SWEPT, VOIDED, ESCROW = "claimed by viewers", "swept back", "voided, back", "still in escrow"
ENDED, TRIMMED = "ended, back", "trimmed by an edit, back"
_ENDS = {CLAIMED: "--granted", SWEPT: "--c5", VOIDED: "--c8", ENDED: "--c4", TRIMMED: "--c6", ESCROW: "--other"}
_ENDS |= {USED: "--granted", EXPIRED: "--c5", RESIDUAL: "--c8", SENT_BACK: "--c4", LET_GO: "--c6", HELD: "--other"}
_ENDS |= {BUYERS: "--c1", SUBSIDIES: "--c6", MERCHANTS: "--c2", REFUNDED: "--c4", UNSETTLED: "--other", NET: "--c2"}
_ENDS |= {SERVICE: "--c8", PACKETS: "--granted"}
_MOVEMENTS = {"claim": CLAIMED, "sweep": SWEPT, "void": VOIDED, "end": ENDED, "trim": TRIMMED}


@dataclass(frozen=True, slots=True)
class CreatorMoney:
    """One creator in fen. ``balanced``: the wallet's available funds follow from the other figures (DY-ACC-1)."""

    creator_id: str
    wallet: WalletRecord
    claimed_fen: int
    escrow_fen: int
    balanced: bool


@dataclass(frozen=True, slots=True)
class Flow:
    """An amount of one packet with one destination."""

    creator_id: str
    packet_id: PacketId
    end: str
    amount_fen: int


def creators_of(books: Books, flows: Iterable[Flow]) -> list[CreatorMoney]:
    """Return the balances of each creator's money."""
    sums: Counter[tuple[str, str]] = Counter()
    for flow in flows:
        sums[flow.creator_id, flow.end] += flow.amount_fen
    return [
        CreatorMoney(name, creator.wallet, sums[name, CLAIMED], sums[name, ESCROW], _balanced(creator.wallet))
        for name, creator in books.creators.items()
    ]


def flows_of(books: Books) -> list[Flow]:
    """Return the destinations of each packet's money, by the journal."""
    funded: Counter[PacketId] = Counter()
    moved: Counter[tuple[PacketId, str]] = Counter()
    for entry in books.journal:
        if entry.movement in {"fund", "edit"}:
            funded[entry.packet_id] += entry.amount_fen
        elif entry.movement in _MOVEMENTS:
            moved[entry.packet_id, _MOVEMENTS[entry.movement]] += entry.amount_fen
    flows = []
    for packet_id, packet in books.packets.items():
        ends = {end: moved[packet_id, end] for end in (CLAIMED, SWEPT, VOIDED, ENDED, TRIMMED)}
        ends[ESCROW] = max(0, funded[packet_id] - sum(ends.values()))
        flows += [Flow(packet.creator_id, packet_id, end, fen) for end, fen in ends.items() if fen]
    return flows


def money_figure(flows: Sequence[Flow], books: Books) -> Figure | None:
    """
    Return the flow from creators through packets to its destinations and, if there were orders, on through these.

    Of many packets it shows creators only. None if nothing flowed.
    """
    if not flows:
        return None
    picture = _Picture()
    _draw_packets(picture, flows, books)
    ends = claimed_ends(books, sum(flow.amount_fen for flow in flows if flow.end == CLAIMED))
    if ends.keys() - {HELD}:
        for end, fen in ends.items():
            picture.link(_node(CLAIMED), _node(end), fen)
    return picture.figure("money")


def orders_figure(books: Books) -> Figure | None:
    """Return the flow from buyers, packets and subsidies to the merchants and on; None without payments."""
    links = merchant_links(books)
    if not links:
        return None
    picture = _Picture()
    for (source, target), fen in links.items():
        picture.link(_node(source), _node(target), fen)
    return picture.figure("orders")


def _draw_packets(picture: "_Picture", flows: Sequence[Flow], books: Books) -> None:
    names = {packet_id: packet.name or packet_id for packet_id, packet in books.packets.items()}
    by_packet = len({flow.packet_id for flow in flows}) <= PACKETS_MAX
    by_creator = len({flow.creator_id for flow in flows}) <= CREATORS_MAX
    packet_colours = {packet_id: colour_of(number) for number, packet_id in enumerate(books.packets)}
    for flow in flows:
        name = flow.creator_id if by_creator else "all creators"
        source: Node = (f"creator {name}", name, "--c7")
        if by_packet:
            packet: Node = (flow.packet_id, names[flow.packet_id], packet_colours[flow.packet_id])
            picture.link(source, packet, flow.amount_fen)
            source = packet
        picture.link(source, _node(flow.end), flow.amount_fen)


def _node(end: str) -> Node:
    return end, end, _ENDS.get(end, "--c7")


class _Picture:
    """A picture of flows: nodes in order of first appearance, links summed."""

    def __init__(self) -> None:
        self._nodes: dict[str, tuple[str, str]] = {}
        self._links: Counter[tuple[str, str]] = Counter()

    def link(self, source: Node, target: Node, amount_fen: int) -> None:
        """Add an amount that flows from one node to another."""
        for name, label, colour in (source, target):
            self._nodes.setdefault(name, (label, colour))
        self._links[source[0], target[0]] += amount_fen

    def figure(self, name: str) -> Figure:
        """Return the picture as a figure, as high as its fullest column needs."""
        columns = Counter(self._columns().values())
        height_px = max(240, 90 + 40 * max(columns.values()))
        margin = {"l": 8, "r": 8, "t": 12, "b": 16}
        return Figure(name, height_px, [self._trace()], {"margin": margin}, min_width_px=COLUMN_PX * len(columns))

    def _columns(self) -> dict[str, int]:
        """Return each node's column: after all of its sources."""
        columns = dict.fromkeys(self._nodes, 0)
        for _ in self._nodes:
            for source, target in self._links:
                columns[target] = max(columns[target], columns[source] + 1)
        return columns

    def _trace(self) -> dict[str, object]:
        """Return it as a trace of flows."""
        places = {node: at for at, node in enumerate(self._nodes)}
        return {
            "type": "sankey",
            "arrangement": "snap",
            "node": {
                "label": [label for label, _ in self._nodes.values()],
                "color": [colour for _, colour in self._nodes.values()],
                "pad": 16,
                "thickness": 14,
                "line": {"width": 0},
                "hovertemplate": "%{label}<br>%{value:,} fen<extra></extra>",
            },
            "link": {
                "source": [places[source] for source, _ in self._links],
                "target": [places[target] for _, target in self._links],
                "value": list(self._links.values()),
                "color": "--band",
                "hovertemplate": "%{source.label} to %{target.label}<br>%{value:,} fen<extra></extra>",
            },
            "valueformat": ",",
        }


def _balanced(wallet: WalletRecord) -> bool:
    funds = wallet.recharged_fen + wallet.returned_fen - wallet.spent_fen - wallet.withdrawn_fen
    return wallet.available_fen == funds
