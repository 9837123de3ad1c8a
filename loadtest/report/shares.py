"""The sizes of the shares: claimed ones beside those that each packet committed to before it opened."""

from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.record.books import Books, PacketRecord
from loadtest.report.figure import Figure, Trace
from loadtest.verdict.measures import claims_of
from loadtest.verdict.verify import VerifyProblem, verify_packet
from server.core.packets.packet import Denomination

PACKETS_MAX = 12
BINS = 24


@dataclass(frozen=True, slots=True)
class Sizes:
    """
    One packet: its shares recomputed from the revealed seed (None while sealed), and those that were claimed, in fen.

    ``problems`` are the differences between the two.
    """

    number: int
    packet: PacketRecord
    committed: tuple[int, ...] | None
    claimed: list[int]
    problems: tuple[VerifyProblem, ...]


def sizes_of(books: Books) -> list[Sizes]:
    """Return the sizes of every packet, recomputed."""
    sizes = []
    for number, (packet_id, packet) in enumerate(books.packets.items()):
        of_packet = claims_of(books, packet_id)
        verification = verify_packet(packet, of_packet, books.left.get(packet_id))
        amounts = [claim.amount_fen for claim in of_packet]
        sizes.append(Sizes(number, packet, verification.shares, amounts, verification.problems))
    return sizes


def share_figures(sizes: Sequence[Sizes]) -> list[tuple[Sizes, Figure]]:
    """Return a figure for each random packet of which something was claimed; of many, those with the most shares."""
    random = [one for one in sizes if one.packet.denomination is Denomination.RANDOM and one.claimed]
    largest = sorted(random, key=lambda one: -one.packet.share_count)[:PACKETS_MAX]
    return [(one, _figure(one)) for one in sorted(largest, key=lambda one: one.number)]


def _figure(sizes: Sizes) -> Figure:
    everything = [*sizes.claimed, *(sizes.committed or ())]
    low, high = min(everything), max(everything)
    width = -(-(high - low + 1) // BINS)
    bins = -(-(high - low + 1) // width)
    traces = []
    if sizes.committed is not None:
        traces.append(_outline(sizes.committed, low, width, bins))
    traces.append(_filled(sizes.claimed, low, width, bins))
    mean = sizes.packet.total_fen / sizes.packet.share_count
    layout = {
        "barmode": "overlay",
        "bargap": 0.12,
        "xaxis": {"title": {"text": "fen"}},
        "yaxis": {"title": {"text": "shares"}},
        "shapes": [
            {
                "type": "line", "yref": "y domain", "x0": mean, "x1": mean, "y0": 0, "y1": 1,
                "line": {"color": "--faint", "width": 1, "dash": "dash"},
            }
        ],
        "annotations": [
            {
                "x": mean, "yref": "y domain", "y": 1, "text": f"mean {mean:,.0f}", "showarrow": False,
                "xanchor": "left", "yanchor": "top", "xshift": 4, "font": {"size": 11, "color": "--faint"},
            }
        ],
    }  # fmt: skip
    return Figure(f"shares-{sizes.number}", 250, traces, layout)


def _counts(amounts: Sequence[int], low: int, width: int, bins: int) -> list[int]:
    counts = [0] * bins
    for amount in amounts:
        counts[(amount - low) // width] += 1
    return counts


def _filled(amounts: Sequence[int], low: int, width: int, bins: int) -> Trace:
    return {
        "type": "bar",
        "name": "claimed",
        "x": [low + width * (number + 0.5) for number in range(bins)],
        "y": _counts(amounts, low, width, bins),
        "width": width * 0.88,
        "customdata": _labels(low, width, bins),
        "marker": {"color": "--c1", "opacity": 0.75},
        "hovertemplate": "%{y:,} claimed of %{customdata} fen<extra></extra>",
    }


def _outline(amounts: Sequence[int], low: int, width: int, bins: int) -> Trace:
    counts = _counts(amounts, low, width, bins)
    edges = [low + width * number for number in range(bins + 1)]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "committed",
        "x": [edges[0], *edges, edges[-1]],
        "y": [0, *counts, counts[-1], 0],
        "line": {"color": "--c2", "width": 2, "shape": "hv"},
        "customdata": ["", *_labels(low, width, bins), "", ""],
        "hovertemplate": "%{y:,} committed of %{customdata} fen<extra></extra>",
    }


def _labels(low: int, width: int, bins: int) -> list[str]:
    starts = range(low, low + width * bins, width)
    return [f"{start:,}" if width == 1 else f"{start:,} to {start + width - 1:,}" for start in starts]
