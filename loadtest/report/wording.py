"""Wording: the meaning of verdicts, reasons, behaviours and statuses, for readers of the report."""

from collections.abc import Mapping, Sequence
from typing import Any

from loadtest.verdict.audit import INVARIANTS

VERDICTS = {
    "pass": "Every promise to viewers and creators was kept.",
    "fail": "The server broke a promise or missed a limit.",
    "unknown": "The run cannot tell whether the server is correct.",
}
REASONS = {
    "invariant": "An invariant is violated: see the counterexample below.",
    "void": "The load generator was not healthy, or others kept the machine busy, so timing figures are invalid. "
    "Correctness was judged all the same.",
    "vacuous": "No share was won, or an event that the scenario demands did not happen: a pass would mean little.",
    "not_read": "Answers could not be read, and may be grants or refusals. Map them in [target.receipt], or mend the "
    "request if it is wrong.",
    "server_errors": "The server logged errors: see its log. The receipts and the books were judged all the same.",
    "regression": "It is slower, or does more work, than the version it was compared with.",
    "threshold": "A measured value lies beyond the limit that the scenario sets.",
    "inconclusive": "The measurement was too noisy to decide.",
    "not_verified": "Something could not be checked, such as a threshold on a figure that is not known.",
}
BEHAVIOURS = {
    "watcher": "watches and never taps",
    "eager": "taps once the packet opens, after a human reaction time",
    "early_bird": "taps before the opening, and again after it",
    "double_tapper": "taps twice",
    "two_devices": "taps from two devices with one account",
    "latecomer": "taps after the window has closed",
    "edge_tapper": "taps within 20 ms of an end of the window",
    "flaky": "drops its connection and reconnects",
    "slow_reader": "is a slow consumer: pauses reading",
    "bot": "taps at the instant of the opening",
    "commenter": "also sends comments and hearts",
}
STATUSES = {
    "granted": "won a share",
    "repeated": "had a share already, and was told the same one again",
    "exhausted": "nothing was left",
    "too_early": "before the opening",
    "too_late": "after the window",
    "voided": "the packet was voided",
    "not_found": "there is no such packet",
    "not_eligible": "not entitled",
    "rate_limited": "too many taps",
    "unavailable": "the server could not answer",
    "unknown": "no answer came, or none that could be read",
}


def headline(result: Mapping[str, Any]) -> str:
    """Return the verdict in one sentence."""
    broken = list(dict.fromkeys(violation["invariant"] for violation in result["violations"]))
    if broken:
        which = broken[0] if len(broken) == 1 else f"{', '.join(broken[:-1])} and {broken[-1]}"
        return f"{len(broken)} of {len(INVARIANTS)} invariants {'is' if len(broken) == 1 else 'are'} broken: {which}."
    granted, grabs = result["granted"], result["grabs"]
    if result["verdict"] == "pass":
        agreed = "every one agrees with the books to the fen"
        if result["lost_acks"] is None:
            agreed = "no receipt contradicts another or what was declared"
        return f"{grabs:,} taps answered, {granted:,} shares won, and {agreed}."
    if why := why_void(result):
        return f"How long things took cannot be judged: {why}."
    return VERDICTS[result["verdict"]]


def why_void(result: Mapping[str, Any]) -> str:
    """Return why the times of a run that is void say nothing, or ""."""
    if "void" not in result.get("reasons", ()):
        return ""
    machine = result.get("machine") or {"void": False, "note": ""}
    notes = [machine["note"]] if machine["void"] else result["validity"]["notes"]
    return "; ".join(notes)


def reasons_of(reasons: Sequence[str]) -> list[tuple[str, str]]:
    """Return each reason with what it means."""
    return [(reason.replace("_", " "), REASONS.get(reason, "")) for reason in reasons]


def fairness_sentence(fairness: Mapping[str, Any]) -> str:
    """Return a sentence on whether early winners got other share sizes than late ones."""
    distance, limit = fairness["share_size_ks"], fairness["share_size_ks_limit"]
    if limit >= 1:
        return "Too few random shares were claimed to compare earlier with later winners."
    verdict = "no more than chance explains" if distance <= limit else "more than chance explains"
    return (
        f"The share sizes of earlier and later winners are {distance:.3f} apart (0 is the same, 1 is completely "
        f"different; chance alone exceeds {limit:.3f} once in a hundred runs): {verdict}."
    )
