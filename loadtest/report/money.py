"""The money: where every creator's fen came from and went, from wallet and journal."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from loadtest.books import Books, WalletRecord
from loadtest.report.figure import Figure, colour_of
from server.core.ids import PacketId

PACKETS_MAX = 16
CREATORS_MAX = 16
CLAIMED, SWEPT, VOIDED, ESCROW = "claimed by viewers", "swept back", "voided, back", "still in escrow"
ENDED, TRIMMED = "ended, back", "trimmed by an edit, back"
_ENDS = {CLAIMED: "--granted", SWEPT: "--c5", VOIDED: "--c8", ENDED: "--c4", TRIMMED: "--c6", ESCROW: "--other"}
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
    """So many fen of one packet that came to one end."""

    creator_id: str
    packet_id: PacketId
    end: str
    amount_fen: int


def creators_of(books: Books, flows: Iterable[Flow]) -> list[CreatorMoney]:
    """Return what became of each creator's money."""
    sums: Counter[tuple[str, str]] = Counter()
    for flow in flows:
        sums[flow.creator_id, flow.end] += flow.amount_fen
    return [
        CreatorMoney(name, creator.wallet, sums[name, CLAIMED], sums[name, ESCROW], _balanced(creator.wallet))
        for name, creator in books.creators.items()
    ]


def flows_of(books: Books) -> list[Flow]:
    """Return where the money of each packet went, by the journal."""
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
    """Return the flow from creators through packets to where it ended; of many packets, creators only; None if none."""
    if not flows:
        return None
    names = {packet_id: packet.name or packet_id for packet_id, packet in books.packets.items()}
    by_packet = len({flow.packet_id for flow in flows}) <= PACKETS_MAX
    by_creator = len({flow.creator_id for flow in flows}) <= CREATORS_MAX
    links: Counter[tuple[str, str]] = Counter()
    labels: dict[str, tuple[str, str]] = {}
    packet_colours = {packet_id: colour_of(number) for number, packet_id in enumerate(books.packets)}
    for flow in flows:
        source = f"creator {flow.creator_id}" if by_creator else "creators"
        labels.setdefault(source, (flow.creator_id if by_creator else "all creators", "--c7"))
        if by_packet:
            labels.setdefault(flow.packet_id, (names[flow.packet_id], packet_colours[flow.packet_id]))
            links[source, flow.packet_id] += flow.amount_fen
            source = flow.packet_id
        labels.setdefault(flow.end, (flow.end, _ENDS[flow.end]))
        links[source, flow.end] += flow.amount_fen
    middle = len({flow.packet_id for flow in flows}) if by_packet else len(labels)
    margin = {"l": 8, "r": 8, "t": 12, "b": 16}
    return Figure("money", max(240, 90 + 40 * middle), [_sankey(links, labels)], {"margin": margin})


def _balanced(wallet: WalletRecord) -> bool:
    funds = wallet.recharged_fen + wallet.returned_fen - wallet.spent_fen - wallet.withdrawn_fen
    return wallet.available_fen == funds


def _sankey(links: Mapping[tuple[str, str], int], labels: Mapping[str, tuple[str, str]]) -> dict[str, object]:
    places = {node: at for at, node in enumerate(labels)}
    return {
        "type": "sankey",
        "arrangement": "snap",
        "node": {
            "label": [label for label, _ in labels.values()],
            "color": [colour for _, colour in labels.values()],
            "pad": 16,
            "thickness": 14,
            "line": {"width": 0},
            "hovertemplate": "%{label}<br>%{value:,} fen<extra></extra>",
        },
        "link": {
            "source": [places[source] for source, _ in links],
            "target": [places[target] for _, target in links],
            "value": list(links.values()),
            "color": "--band",
            "hovertemplate": "%{source.label} to %{target.label}<br>%{value:,} fen<extra></extra>",
        },
        "valueformat": ",",
    }
