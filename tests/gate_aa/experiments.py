"""The experiments with the gate: what is compared with what, on which machine, and how it must end."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SLOWER = "\n\nfrom tests.gate_aa.slower import slow_down\n\nslow_down(GrabDesk, {part})\n"
SCRIPT_PLACE = "local in_shares ="
STARVING_PLACE = "    files_max()"
SELF = ("smoke", "--base", "HEAD")
ONLY_TIME = (*SELF, "--allow", "instructions_per_grab")  # which counts a spin without any clock
SERVICES = {"http": "coupons", "websocket": "packets_ws"}


class Experiment(NamedTuple):
    """
    So many runs of a gate, and how they must end: ``least`` of each code at least, ``most`` at most.

    ``plant`` changes the head in its folder; of ``services`` the commands differ. ``hog`` is "at times" or "always".
    """

    runs: int
    least: Mapping[int, int]
    most: Mapping[int, int] = MappingProxyType({})
    plant: Callable[[Path], None] | None = None
    arguments: Sequence[str] = SELF
    services: bool = False
    hog: str = ""
    budget: float | None = None


def slower(percent: int) -> Callable[[Path], None]:
    """Return the planting of a slowdown of all the server's CPU."""

    def plant(root: Path) -> None:
        with (root / "server/gateway/grabs.py").open("a", encoding="utf-8") as file:
            file.write(SLOWER.format(part=percent / 100))

    return plant


def ask_once_more(root: Path) -> None:
    """Have the claim script ask the store once more for each claim."""
    replace_in(root / "server/store/lua/claim.lua", SCRIPT_PLACE, f"redis.call('LLEN', shares)\n{SCRIPT_PLACE}")


def starve_the_generator(root: Path) -> None:
    """Have the generator run only when nobody else wants to."""
    idle = "    __import__('os').sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))\n"
    replace_in(root / "scripts/gate/shooter.py", STARVING_PLACE, f"{idle}{STARVING_PLACE}")


def replace_in(file: Path, right: str, wrong: str) -> None:
    """Replace the only place of a text in a file."""
    text = file.read_text("utf-8")
    assert text.count(right) == 1, file
    file.write_text(text.replace(right, wrong), "utf-8")


def commands(scenario: str, base: str, head: str) -> list[str]:
    """Return the arguments of a gate on two of the example services, each named as its file ends, or ``slower``."""
    module = SERVICES[scenario]
    folder = shlex.quote(str(ROOT / "tests/examples/grab_services"))
    python = shlex.quote(sys.executable)

    def command(kind: str) -> str:
        if kind == "slower":
            return f"COUPONS_DB=$LEG_FOLDER/db exec {python} -m tests.gate_aa.slow_service 25 {module}_good $PORT"
        options = f"--log-level warning --app-dir {folder} {module}_{kind}:app --port $PORT"
        return f"COUPONS_DB=$LEG_FOLDER/db exec {python} -m uvicorn {options}"

    source = str(ROOT / f"tests/examples/{scenario}.toml")
    return [source, "--base-command", command(base), "--head-command", command(head)]


EXPERIMENTS = {
    "quiet": Experiment(30, {0: 24}, {10: 0, 11: 1, 12: 0}),
    "hog": Experiment(50, {}, {10: 0, 11: 1, 12: 0}, hog="at times"),
    "slower-10": Experiment(10, {11: 9}, plant=slower(10), arguments=ONLY_TIME, budget=5),
    "slower-25": Experiment(10, {11: 10}, plant=slower(25), arguments=ONLY_TIME, budget=5),
    "extra-command": Experiment(10, {11: 10}, plant=ask_once_more, budget=5),
    "busy": Experiment(5, {20: 5}, hog="always"),
    "starved": Experiment(5, {20: 5}, plant=starve_the_generator, hog="always"),
    **{
        f"{scenario}-{head}": Experiment(5, {code: 5}, arguments=commands(scenario, "good", head), services=True)
        for scenario in SERVICES
        for head, code in (("bad", 10), ("slower", 11), ("good", 0))
    },
}
"""Every experiment by its name."""


def build(experiment: Experiment, folder: Path) -> Path:
    """Return the root of the build that gates: a fresh clone of this one's last commit, with what is planted."""
    if experiment.services:
        return ROOT
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", "--shared", str(ROOT), str(folder)], check=True)
    if experiment.plant:
        experiment.plant(folder)
    return folder
