"""The terminal's output of a storm's result, and of verifications."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from loadtest.record.run_folder import CHECKED, REDRAIN
from loadtest.run.live_view import grabs_text, latency_text
from loadtest.run.plain_console import plain
from loadtest.verdict.audit import INVARIANTS
from loadtest.verdict.foreign import NOT_SHOWN
from loadtest.verdict.foreign.checkable import NO_BOOKS
from loadtest.verdict.machine_check import machine_sentence
from loadtest.verdict.measures import offered_and_lost
from loadtest.verdict.not_read import not_read_text, unread_count
from loadtest.verdict.thresholds import threshold_text
from loadtest.verdict.verify import Verification
from server.core.ids import PacketId

_COLOURS = {"pass": "bold green", "fail": "bold red", "unknown": "bold yellow"}
EVIDENCE_SHOWN = 4
_NOT_CHECKABLE = "not checkable"
_NO_OTHER_SHOWS = "a foreign service does not show what they need (docs/invariants.md)"
_TOLD = {"viewer_id", "viewer", "index", "claim_id", "amount_fen", "request_id", "status", "entry_id", "share_count"}
_TOLD |= {"total_fen", "given", "given_fen", "returned", "returned_fen", "count", "t_sent", "t_reply", "conn", "seq"}
_TOLD |= {"first_seq", "last_seq", "room", "type", "at_ms", "creator_id", "balance"}


def show_result(console: Console, result: Mapping[str, Any], *, left_out: str = "") -> None:
    """Show the verdict first, with what was *left_out* of what was asked for, and then its evidence."""
    colour = _COLOURS[result["verdict"]]
    reasons = f" ({', '.join(result['reasons'])})" if result["reasons"] else ""
    console.print()
    but = f"  [yellow]{plain(left_out)}[/]" if left_out else ""
    console.print(f"[{colour}]{result['verdict'].upper()}[/]{reasons}{but}  {_setting(result)}", soft_wrap=bool(but))
    console.print(Group(_packets(result["packets"]), _figures(result)))
    _show_demands(console, result)
    _show_invariants(console, result["invariants"], foreign=result["target"] != REDRAIN)
    _show_violations(console, result["violations"])


def _show_invariants(console: Console, invariants: Sequence[Mapping[str, Any]], *, foreign: bool) -> None:
    """Show each invariant's outcome, and why one was not checked, or not in full; equal reasons share a line."""
    words = {"pass": "[green]passed[/]", "violated": "[red]violated[/]", "not_checkable": "[yellow]not checkable[/]"}
    names = {outcome: [one["invariant"] for one in invariants if one["outcome"] == outcome] for outcome in words}
    found = [f"{word} {', '.join(names[outcome])}" for outcome, word in words.items() if names[outcome]]
    console.print(f"[dim]invariants[/]  {'; '.join(found)}", soft_wrap=True)
    reasons: dict[tuple[str, str], list[str]] = {}
    for one in invariants:
        if why := one["why"]:
            what = "not checked in full" if one["outcome"] == "pass" else _NOT_CHECKABLE
            if foreign and why.startswith(NOT_SHOWN.get(one["invariant"], why + "-")):
                why = _NO_OTHER_SHOWS
            reasons.setdefault((what, why), []).append(one["invariant"])
    lacking = {why: reasons.pop((_NOT_CHECKABLE, why), []) for why in (NO_BOOKS, _NO_OTHER_SHOWS)}
    together = "; ".join(f"{', '.join(which)}: {why}" for why, which in lacking.items() if which)
    told = [(_NOT_CHECKABLE, together)] if together else []
    told += [(what, f"{', '.join(which)}: {why}") for (what, why), which in reasons.items()]
    for what, line in told:
        console.print(f"[dim]{what}[/]  {plain(line)}", soft_wrap=True)


def _show_violations(console: Console, violations: Sequence[Mapping[str, Any]]) -> None:
    """Show the first violation of each invariant with its records; the result file has the others."""
    first = {violation["invariant"]: violation for violation in reversed(violations)}
    for invariant, violation in sorted(first.items(), key=lambda one: int(one[0][1:])):
        name = INVARIANTS[invariant]
        console.print(f"[bold red]{invariant}[/] [red]{name}[/]: {plain(violation['detail'])}", soft_wrap=True)
        for record in violation["evidence"][:EVIDENCE_SHOWN]:
            console.print(f"     [dim]{plain(_record(record))}[/]", soft_wrap=True)
    if len(violations) > len(first):
        console.print(f"and {len(violations) - len(first)} more violations in the result")


def _record(record: Mapping[str, Any]) -> str:
    """Return a record of books or history as one line; nested records are flattened."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        flat.update(value if isinstance(value, dict) else {name: value})
    told = (f"{name} {value}" for name, value in flat.items() if name in _TOLD and value is not None)
    return f"{record['kind']:8} {', '.join(told)}"


def _setting(result: Mapping[str, Any]) -> str:
    told = f"{result['scenario']}, {result['viewers']:,} viewers, engine {result['engine']}, seed {result['seed']}"
    if result["target"] == REDRAIN:
        told += f", speed {result['speed']}, {result['durability']}, limits {result['limits']}"
    else:
        told += f", target {result['target']}"
    return f"[dim]{plain(told)}[/]"


def _packets(packets: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("packet", no_wrap=True)
    table.add_column("name", overflow="fold")  # in a narrow terminal it takes two lines, and no figure is cut
    table.add_column("state", no_wrap=True)
    for name in ("shares", "fen", "back"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for packet in packets:
        table.add_row(
            plain(packet["packet_id"]),
            plain(packet["name"]),
            plain(packet["state"]),
            f"{packet['granted']:,} of {packet['share_count']:,}",
            _known(packet["granted_fen"]),
            _known(packet["returned_fen"]),
            "[green]sold out[/]" if packet["sold_out"] else "",
        )
    return table


def _figures(result: Mapping[str, Any]) -> Table:
    table = Table.grid(padding=(0, 3))
    latency, skew = result["grab_latency_ms"], result["fanout_skew_ms"]
    offered, lost = offered_and_lost(result["statuses"])
    lost, unread = result.get("unknown_by_design", lost), unread_count(result)
    rows = {
        "grabs": grabs_text(offered, result["grabs"], lost, unread),
        **({"offered load": offered_text(load)} if (load := result.get("offered_load")) else {}),
        "granted": f"{result['granted']:,}",
        "grab latency": _percentiles(latency) + (" from the planned tap" if latency else ""),
        "fan-out skew": _percentiles(skew),
        "issued": f"{_known(result['issued_fen'])} fen; over {_known(result['over_issued_fen'])}, "
        f"under {_known(result['under_issued_fen'])}",
        "duplicates": f"{result['duplicate_claims']:,}",
        "lost acks": _known(result["lost_acks"]),
        "generator": _generator(result),
        "machine": _machine(result.get("machine")),
    }
    for name, value in rows.items():
        table.add_row(Text(name, style="dim"), value)
    for fault in result.get("faults", ()):
        table.add_row(Text("fault", style="dim"), plain(_fault(fault)))
    for one in result.get("hostile", ()):
        table.add_row(Text("hostile", style="dim"), plain(hostile_text(one)))
    return table


def offered_text(load: Mapping[str, Any]) -> str:
    """Return what was planned, sent and answered of a model's taps, in one line."""
    told = [f"{load['planned']:,} planned", f"{load['sent']:,} sent", f"{load['answered']:,} answered"]
    if load["lasts_s"] is not None:
        rates = "planned_per_second", "sent_per_second", "answered_per_second"
        told = [f"{each} ({load[rate]:,.0f}/s)" for each, rate in zip(told, rates, strict=True)]
    return f"{load['model']}: {', '.join(told)}; {'met' if load['met'] else 'not met'}"


def _fault(fault: Mapping[str, Any]) -> str:
    spans = [("back", fault["down_ms"]), ("a share given", fault["first_answer_ms"])]
    told = [f"{what} after {span_ms:,.0f} ms" for what, span_ms in spans if span_ms is not None]
    return ", ".join([f"{fault['planned']}: {fault['outcome']}", *told])


def hostile_text(one: Mapping[str, Any]) -> str:
    """Return what a misdeed of hostile clients got, in one line."""
    got = ", ".join(f"{outcome} {count:,}" for outcome, count in one["outcomes"].items())
    told = "nothing to refuse" if one["refused"] is None else f"{one['refused']:,} refused"
    return f"{one['misdeed'].replace('_', ' ')} {one['tries']:,} times, {told}: {got or 'never'}"


def _generator(result: Mapping[str, Any]) -> str:
    valid = result["validity"]
    lag, debt = valid["generator_lag_ms"], result["send_debt_ms"]
    state = "healthy" if valid["ok"] else f"not healthy: {'; '.join(valid['notes'])}"
    return (
        f"{state}; taps sent {debt['p99']:.1f} ms late (p99), loop lag {lag['p99']:.1f} ms (p99), "
        f"{valid['generator_cpu']:.2f} cores at most, {valid['steal']:.1%} stolen"
    )


def _machine(machine: Mapping[str, Any] | None) -> str:
    told = machine_sentence(machine)
    if machine is None or not machine["note"]:
        return told
    return f"[yellow]{'busy' if machine['void'] else 'perhaps busy'} with other work[/]: {machine['note']}; {told}"


def _show_demands(console: Console, result: Mapping[str, Any]) -> None:
    """Show each threshold with its measured value, demands that never happened, and notes."""
    words = {True: "[green]met[/]", False: "[red]missed[/]", None: "[yellow]void[/]"}
    for one in result["thresholds"]:
        value = one["value"]
        told = f"{threshold_text(one)}: {_known(value, ',.6g')}"
        if why := one.get("why"):
            told += f" ({why})"
        known = None not in (value, one["limit"])
        word = words[one["met"]] if known or one["met"] is not None else "[yellow]unknown[/]"
        console.print(f"[dim]threshold[/]  {word}  {plain(told)}", soft_wrap=True)
    for name, count in result["sometimes"].items():
        if not count:
            console.print(f"[yellow]never happened[/]  {plain(name)}")
    for error in result["server_errors"]:
        console.print(f"[red]server error[/]  {plain(error)}", soft_wrap=True)
    if result["server_log"] != CHECKED:
        console.print(f"[dim]server log[/]  {plain(result['server_log'])}: the server is not this storm's own")
    if told := not_read_text(result.get("not_read", ())):
        console.print(f"[yellow]not read:[/] {plain(told)}", soft_wrap=True)
    for note in result["notes"]:
        console.print(f"[dim]note[/]  {plain(note)}", soft_wrap=True)


def _known(value: float | None, pattern: str = ",") -> str:
    return "not known" if value is None else format(value, pattern)


def _percentiles(figures: Mapping[str, float | None] | None) -> str:
    if figures is None:
        return "not measured"
    return latency_text(figures["p50"] or 0.0, figures["p99"] or 0.0, figures["max"] or 0.0)


def show_verifications(console: Console, verifications: Mapping[PacketId, Verification]) -> None:
    """Show for each packet whether its shares match its commitment."""
    for each, verification in verifications.items():
        packet_id = plain(each)
        if verification.ok and verification.shares is not None:
            shares = len(verification.shares)
            console.print(f"[green]verified[/]  {packet_id}: {shares:,} shares from the revealed seed")
        elif verification.ok:
            console.print(f"[yellow]sealed[/]    {packet_id}: its seed is not revealed yet")
        else:
            console.print(f"[red]wrong[/]     {packet_id}")
            for problem in verification.problems:
                console.print(f"          {plain(problem.detail)}", soft_wrap=True)
