"""Wording: what a verdict and its reasons mean, in words for somebody who was not there."""

from collections.abc import Mapping, Sequence
from typing import Any

VERDICTS = {
    "pass": "Everything that was promised to viewers and creators was kept.",
    "fail": "Something that must not happen did happen.",
    "unknown": "The run cannot tell whether the server is right.",
}
REASONS = {
    "invariant": "An invariant is broken: the counterexample stands below.",
    "void": "The generator was not healthy, so the timing says nothing. Correctness was judged all the same.",
    "vacuous": "No share was won, or something that the scenario demands did not happen: a pass would say little.",
    "regression": "It is slower, or does more work, than the version it was compared with.",
    "threshold": "A measured value lies beyond the limit that the scenario sets.",
    "inconclusive": "The measurement was too noisy to decide.",
    "not_verified": "Something could not be checked: a threshold speaks of a number that nobody knows.",
}
BEHAVIOURS = {
    "watcher": "watches and never taps",
    "eager": "taps once the packet opens, as quickly as people do",
    "early_bird": "taps before the opening, and again after it",
    "double_tapper": "taps twice",
    "two_devices": "taps from two devices with one account",
    "latecomer": "taps after the window has closed",
    "flaky": "drops its connection and comes back",
    "slow_reader": "reads slowly what it is sent",
    "bot": "taps in the very moment of the opening",
    "commenter": "writes comments besides",
}
STATUSES = {
    "granted": "won a share",
    "repeated": "had a share already, and was told the same one again",
    "exhausted": "nothing was left",
    "too_early": "before the opening",
    "too_late": "after the window",
    "voided": "the packet was called off",
    "not_found": "there is no such packet",
    "not_eligible": "not entitled",
    "rate_limited": "too many taps",
    "unavailable": "the server could not answer",
    "unknown": "no answer came",
}


def headline(result: Mapping[str, Any]) -> str:
    """Return the verdict in one sentence."""
    broken = list(dict.fromkeys(violation["invariant"] for violation in result["violations"]))
    if broken:
        which = broken[0] if len(broken) == 1 else f"{', '.join(broken[:-1])} and {broken[-1]}"
        return f"{len(broken)} of 10 invariants {'is' if len(broken) == 1 else 'are'} broken: {which}."
    granted, grabs = result["granted"], result["grabs"]
    if result["verdict"] == "pass":
        agreed = "every one agrees with the books to the fen"
        if result["lost_acks"] is None:
            agreed = "no receipt contradicts another or what was declared"
        return f"{grabs:,} taps answered, {granted:,} shares won, and {agreed}."
    return VERDICTS[result["verdict"]]


def reasons_of(reasons: Sequence[str]) -> list[tuple[str, str]]:
    """Return each reason with what it means."""
    return [(reason.replace("_", " "), REASONS.get(reason, "")) for reason in reasons]


def fairness_sentence(fairness: Mapping[str, Any]) -> str:
    """Return in words whether the early winners got other shares than the late ones."""
    distance, limit = fairness["share_size_ks"], fairness["share_size_ks_limit"]
    if limit >= 1:
        return "Too few random shares were claimed to compare the earlier with the later winners."
    verdict = "no more than chance explains" if distance <= limit else "more than chance explains"
    return (
        f"The sizes of the shares of earlier and later winners lie {distance:.3f} apart (0 is alike, 1 is wholly "
        f"different; chance alone exceeds {limit:.3f} once in a hundred runs): {verdict}."
    )
