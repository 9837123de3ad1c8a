"""A storm's own server, with a fresh store, as a child process."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from loadtest.engines.child_process import Build, ChildProcess, ProcessFailed
from loadtest.verdict.weigh import Exit
from server.settings import SECRET, SERVER_VARIABLES

START_TIMEOUT_S = 60.0
LOOK_EVERY_S = 0.02


class ServerProcess(ChildProcess):
    """
    A server with a fresh store of its own (or the one that REDRAIN_STORE_URL names), by default on a free port.

    It is *insecure* by default: it listens on this machine only. With a *secret*, "" included, nothing of the
    environment changes it: its store is its own. It is of another *build* if one is given.
    """

    def __init__(
        self,
        folder: Path,
        options: Sequence[str],
        rulebooks: Mapping[str, Any] | None = None,
        *,
        insecure: bool = True,
        secret: str | None = None,
        build: Build | None = None,
    ) -> None:
        """Start it; *rulebooks* has a table per platform whose limits it overrides."""
        folder.mkdir(parents=True, exist_ok=True)
        self._ready_file = folder / "server.url"
        arguments = ["serve", "--port", "0", "--home", str(folder / "home")]
        arguments += ["--ready-file", str(self._ready_file), *["--insecure"] * insecure, *options]
        if rulebooks:
            overrides = folder / "rulebooks.toml"
            overrides.write_text(toml_of(rulebooks), "utf-8")
            arguments += ["--rulebooks", str(overrides)]
        kept, given = (SERVER_VARIABLES, {}) if secret is None else ((), {SECRET: secret})
        super().__init__("server", "scripts.cli", arguments, folder / "server.log", kept=kept, given=given, build=build)

    def wait_until_ready(self) -> str:
        """Return the base URL once it answers. Raises ProcessFailed if it ends or takes too long."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._ready_file.exists() and (url := self._ready_file.read_text("utf-8")):
                return url
            self.check()
            time.sleep(LOOK_EVERY_S)
        self.stop()
        raise ProcessFailed(
            f"the server did not get ready within {START_TIMEOUT_S:.0f} s:\n{self.tail()}", Exit.ENVIRONMENT
        )


def toml_of(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Return tables of strings, integers, booleans, lists and tables as TOML."""
    lines: list[str] = []
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{field} = {_toml_value(value)}" for field, value in table.items()), ""]
    return "\n".join(lines)


def _toml_value(value: object) -> str:
    match value:
        case list() | tuple():
            return f"[{', '.join(map(_toml_value, value))}]"
        case dict():
            return f"{{ {', '.join(f'{name} = {_toml_value(one)}' for name, one in value.items())} }}"
    return json.dumps(value, ensure_ascii=False)  # TOML reads JSON's strings, numbers and booleans
