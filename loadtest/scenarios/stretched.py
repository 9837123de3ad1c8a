"""Stretched scenarios: the same programme for longer, with more copies of its packets (``--duration``)."""

import re

from loadtest.scenarios.crowd_scenario import BadScenario, toml_table

DURATION_S_MAX = 12 * 3_600  # a night; the record of a longer run could not be read at once
_UNITS = {"s": 1, "m": 60, "h": 3_600}
_HEADING = re.compile(r"^\s*(\[\[?[^\]]+\]\]?)")
_KEY = re.compile(r"^(\s*(copies|lasts_ms)\s*=\s*)[\d_]+(.*)$", re.DOTALL)


def duration_s(text: str) -> float:
    """Return the seconds of a duration such as ``90s``, ``30m`` or ``1.5h``. Raises BadScenario."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text.strip())
    if found is None or not 1 <= (seconds := float(found[1]) * _UNITS[found[2]]) <= DURATION_S_MAX:
        raise BadScenario(f"duration: must be like 90s, 30m or 2h, from 1s to {DURATION_S_MAX // 3_600}h")
    return seconds


def stretched(text: str, source: str, seconds: float) -> str:
    """
    Return the TOML text of a scenario so that it goes on for so many real seconds.

    Every packet that has copies gets as many as fit, and ``[taps]`` last so long; what happens once stays where it is.
    Raises BadScenario if there is neither.
    """
    table = toml_table(source, text)
    speed, packets = table.get("speed", 1), table.get("packets")
    every_ms = iter([each.get("every_ms") for each in packets] if isinstance(packets, list) else [])
    heading, apart_ms, changed = "", None, False
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        if found := _HEADING.match(line):
            heading = found[1].replace(" ", "")
            apart_ms = next(every_ms, None) if heading == "[[packets]]" else None
        count = None
        if (key := _KEY.match(line)) and (heading, key[2]) == ("[taps]", "lasts_ms"):
            count = int(seconds * 1000)
        elif key and key[2] == "copies" and apart_ms:
            count = max(2, int(seconds * 1000 * speed / apart_ms))
        changed = changed or count is not None
        lines.append(line if key is None or count is None else f"{key[1]}{count}{key[3]}")
    if not changed:
        raise BadScenario(
            f"duration: {source} has no packets with copies and no [taps] that last, in tables of their own"
        )
    return "".join(lines)
