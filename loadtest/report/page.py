"""The page: report.html of a run folder, one file that opens from disk and needs no network."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Template

from loadtest.record.books import Books
from loadtest.record.declared import declarations_from
from loadtest.record.given_file import replace_file
from loadtest.record.history import History
from loadtest.record.run_folder import REDRAIN, Resources, RunFolder
from loadtest.report.claims import claims_figure, runs_of
from loadtest.report.comparing import change_text, conclusion_word, leg_text
from loadtest.report.fanout import ROOMS_MAX, fanout_figure, hearings_of, room_skews
from loadtest.report.findings import counterexamples_of, invariants_of
from loadtest.report.gate_view import busy_sentence, gate_sentence, left_out_of
from loadtest.report.happenings import ROWS_MAX, happenings_of
from loadtest.report.inlined import inlined, templates
from loadtest.report.money import creators_of, flows_of, money_figure, orders_figure
from loadtest.report.orders import orders_of
from loadtest.report.over_time import over_time_figure
from loadtest.report.pair_plots import pair_figures, yardstick_figure
from loadtest.report.resources import resource_rows, resources_figure
from loadtest.report.shares import Sizes, share_figures, sizes_of
from loadtest.report.spacetime import WIDTH, Glyph, placed, scenes_of
from loadtest.report.spectrum import spectrum_figure
from loadtest.report.timebase import Timebase, shanghai, timebase_of
from loadtest.report.wording import BEHAVIOURS, STATUSES, fairness_sentence, headline, reasons_of
from loadtest.run.judge_run import packets_of_other_runs
from loadtest.verdict.machine_check import machine_sentence
from loadtest.verdict.metrics import METRICS
from loadtest.verdict.not_read import not_read_text

TABLE_ROWS_MAX = 200
PAGE_BYTES_MAX = 3 * 1024 * 1024 // 2


def write_report(folder: RunFolder, result: dict[str, Any]) -> Path:
    """Write the page of a judged run beside its result and return its path. Raises BadRecord."""
    facts = folder.facts()
    books, history = folder.books_or_none(), folder.read_history(foreign=facts.foreign)
    books = books.without(packets_of_other_runs(books, history, facts.packet_ids))
    page = render(result, facts.allocator, books, history, facts.declared, resources=facts.resources)
    replace_file(folder.report, page.encode("utf-8", "replace"))
    return folder.report


def render(
    result: Mapping[str, Any],
    allocator: str,
    books: Books,
    history: History,
    declared: Sequence[Mapping[str, Any]] = (),
    *,
    resources: Resources | None = None,
) -> str:
    """
    Return the page as HTML; its size hardly grows with the crowd, because only sums and samples go in.

    A foreign run has *declared* packets and empty books: the sections that need books are left out.
    """
    foreign = result["target"] != REDRAIN
    timebase = timebase_of(books, history)
    sizes = sizes_of(books)
    hearings = hearings_of(history)
    rooms = room_skews(hearings)
    flows = flows_of(books)
    shares = share_figures(sizes)
    happenings = happenings_of(books, history, result["happenings"], timebase)
    figures = {
        "over_time": over_time_figure(books, history, timebase, happenings),
        "spectrum": spectrum_figure(history),
        "claims": claims_figure(runs_of(books)),
        "fanout": fanout_figure(hearings, rooms, books),
        "money": money_figure(flows, books),
        "orders": orders_figure(books),
        "resources": resources_figure(resources or {}),
    }
    gate = _gate(result)
    figures |= {figure.name: figure for _, figure in gate["plots"]} | {"yardstick": gate["yardstick"]} if gate else {}
    return _template().render(
        result=result,
        allocator=allocator,
        foreign=foreign,
        gate=gate,
        **_verdict(result, gate),
        metrics=METRICS,
        **_machine(result),
        **_findings(result, timebase),
        **_scenes(result, history, None if foreign else books, declared),
        packets=[] if foreign else _packets(result["packets"], books, sizes)[:TABLE_ROWS_MAX],
        declared=_declared(result["packets"], declared, timebase)[:TABLE_ROWS_MAX] if foreign else [],
        names={packet_id: packet.name or packet_id for packet_id, packet in books.packets.items()},
        day=_day(books, timebase),
        figures=figures,
        shares=shares,
        resource_rows=resource_rows(result) if figures["resources"] else [],
        **_first("rooms", rooms, ROOMS_MAX),
        creators=creators_of(books, flows)[:TABLE_ROWS_MAX],
        creators_orders=orders_of(books)[:TABLE_ROWS_MAX],
        **_first("happenings", happenings, ROWS_MAX),
        statuses=_statuses(result["statuses"]),
        behaviour_words=BEHAVIOURS,
        status_words=STATUSES,
        fairness_sentence=fairness_sentence(result["fairness"]),
        **inlined([*(each for each in figures.values() if each), *(figure for _, figure in shares)]),
    )


def _packets(packets: Sequence[Mapping[str, Any]], books: Books, sizes: Sequence[Sizes]) -> list[dict[str, Any]]:
    """Return the packets of the result, in order of opening, with their schedule and the verification of their seed."""
    by_id = {one.packet.packet_id: one for one in sizes}
    lines = []
    for packet in packets:
        one = by_id[packet["packet_id"]]
        lines.append({**packet, "record": one.packet, "sealed": one.committed is None, "problems": one.problems})
    never = 1 << 62
    return sorted(lines, key=lambda line: never if line["record"].grab_at_ms is None else line["record"].grab_at_ms)


def _findings(result: Mapping[str, Any], timebase: Timebase) -> dict[str, Any]:
    """Return the table of invariants and the counterexamples, as far as they are shown."""
    firsts, others = counterexamples_of(result["violations"], timebase)
    return {
        "invariants": invariants_of(result["invariants"], result["violations"], foreign=result["target"] != REDRAIN),
        "counterexamples": firsts,
        "counterexamples_more": others,
        "violations_left": len(result["violations"]) - len(firsts) - len(others),
    }


def _scenes(
    result: Mapping[str, Any], history: History, books: Books | None, declared: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the space-time diagram of the first violation of each invariant, by its name, and what draws them."""
    violations = result["violations"]
    scenes = scenes_of(violations, history, books, declarations_from(map(dict, declared))) if violations else []
    return {"scenes": {scene.invariant: placed(scene) for scene in scenes}, "width": WIDTH, "Glyph": Glyph}


def _first(name: str, rows: Sequence[Any], most: int) -> dict[str, Any]:
    """Return the rows that are shown, and how many are left."""
    return {name: rows[:most], f"{name}_left": len(rows) - most}


def _verdict(result: Mapping[str, Any], gate: Mapping[str, Any]) -> dict[str, Any]:
    """Return the verdict in a sentence, its reasons, and whether there were books to judge by."""
    return {
        "headline": (gate_sentence(result) if gate else "") or headline(result),
        "reasons": reasons_of(result["reasons"]),
        "not_read": not_read_text(result.get("not_read", ())),
        "booked": result["lost_acks"] is not None,
    }


def _machine(result: Mapping[str, Any]) -> dict[str, str]:
    """Return how busy the machine was, and what is to be said of it."""
    machine = result.get("machine")
    return {"machine": machine_sentence(machine), "machine_note": machine["note"] if machine else ""}


def _gate(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page shows of a gate beside its storm; nothing of a storm alone."""
    gate = result.get("gate")
    if not gate:
        return {}
    compared = gate["comparison"]
    return {
        **{name: gate[name] for name in ("base", "head", "counters", "alone")},
        "compared": compared,
        "plots": pair_figures(compared) if compared else [],
        "yardstick": yardstick_figure(compared) if compared else None,
        "busy": busy_sentence(compared) if compared else "",
        "left_out": left_out_of(result),
    }


def _declared(
    packets: Sequence[Mapping[str, Any]], declared: Sequence[Mapping[str, Any]], timebase: Timebase
) -> list[dict[str, Any]]:
    """Return the packets of a foreign result with their windows on the axis, as far as those are known."""
    by_id = {each["packet_id"]: each for each in declared}
    lines = []
    for packet in packets:
        window = {name: by_id[packet["packet_id"]].get(f"{name}_ns") for name in ("opens", "closes")}
        lines.append({
            **packet,
            **{f"{name}_s": None if at_ns is None else timebase.seconds(at_ns) for name, at_ns in window.items()},
        })  # fmt: skip
    return lines


def _day(books: Books, timebase: Timebase) -> str:
    opening = min((p.grab_at_ms for p in books.packets.values() if p.grab_at_ms is not None), default=None)
    return shanghai(timebase.clock.origin_ms if opening is None else opening, "%-d %B %Y")


def _statuses(statuses: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """Return the table of behaviours by statuses, with sums and the largest cell."""
    found = {status for counts in statuses.values() for status in counts}
    columns = [status for status in STATUSES if status in found] + sorted(found - STATUSES.keys())
    return {
        "columns": columns,
        "rows": {behaviour: [counts.get(each, 0) for each in columns] for behaviour, counts in statuses.items()},
        "sums": [sum(counts.get(each, 0) for counts in statuses.values()) for each in columns],
        "most": max((count for counts in statuses.values() for count in counts.values()), default=1),
    }


@cache
def _template() -> Template:
    environment = templates()
    environment.filters["number"] = lambda value: "not known" if value is None else f"{value:,}"
    environment.filters["ms"] = _milliseconds
    environment.filters["yuan"] = lambda fen: f"¥{fen / 100:,.2f}"
    environment.filters["percent"] = lambda share: f"{100 * share:.1f} %"
    environment.filters["wall"] = lambda room_ms: "" if room_ms is None else shanghai(room_ms)
    environment.filters["seconds"] = lambda at: "" if at is None else f"{at:,.2f}"
    environment.filters["zip"] = zip
    environment.globals |= {each.__name__: each for each in (change_text, conclusion_word, leg_text)}
    environment.filters["words"] = lambda name: str(name).replace("_", " ")
    return environment.get_template("page.html")


def _milliseconds(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 10 else f"{value:,.2f}"
