"""Writes a scenario and a workflow into somebody else's repository, by answers and its service's description."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import requests
from rich.console import Console
from rich.markup import escape
from rich.prompt import Prompt

from loadtest.scenarios.crowd_scenario import BadScenario, toml_table, validated
from loadtest.scenarios.target_scenario import TargetScenario
from loadtest.targets.access import http_session
from loadtest.targets.port import BadTarget
from loadtest.targets.registry import target_of
from loadtest.verdict.weigh import Exit
from scripts.adoption.drafts import SCENARIO
from scripts.adoption.openapi import Described, first_server
from scripts.adoption.questions import KINDS, Ask, adoption_of, edits
from scripts.gate.options import GateOptions
from scripts.output import console, failed, no_folder

ANSWER_WITHIN_S = 10.0
DOCUMENT_BYTES_MAX = 32 * 2**20


class BadDocument(Exception):  # noqa: N818 - shown to the user
    """A service's description cannot be used; the text says why."""


def run_init(options: GateOptions, openapi: str, kind: str, *, yes: bool) -> int:
    """Ask, write into the folder that stands where a gate has its scenario, and return the exit code."""
    folder = Path(options.scenario)
    if options.given:
        also = " and ".join(options.given)
        return failed(f"init: gates nothing: it goes with a folder, --openapi, --kind, --yes, not {also}", Exit.USAGE)
    if kind and kind not in KINDS:
        return failed(f"kind: must be {' or '.join(KINDS)}", Exit.USAGE)
    if openapi and kind == "websocket":
        return failed("openapi: describes HTTP; leave it out for a websocket service", Exit.USAGE)
    if not folder.is_dir() or no_folder(folder):
        return failed(no_folder(folder) or f"init: there is no folder {folder}", Exit.USAGE)
    if not (yes or sys.stdin.isatty()):
        return failed("init: asks questions, and there is no terminal; --yes takes every default", Exit.USAGE)
    say = console(None)
    ask: Ask = (lambda _, default: default) if yes else (lambda question, default: _asked(say, question, default))
    try:
        adoption = adoption_of(ask, kind, described_at(openapi) if openapi else None)
        files = adoption.files()
        check_scenario(adoption.named.files()[SCENARIO], folder)
    except BadDocument as error:
        return failed(error, Exit.ENVIRONMENT)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if not openapi:
            raise
        return failed(f"openapi: {openapi} is not as OpenAPI 3 has it: {error!r}", Exit.ENVIRONMENT)
    except (BadScenario, BadTarget) as error:
        return failed(f"nothing is written; the answers do not make a scenario: {error}", Exit.USAGE)
    for path, text in files.items():
        if _write(folder / path, text, ask):
            say.print(f"[green]written[/]  {escape(str(folder / path))}", soft_wrap=True)
        else:
            say.print(f"[yellow]kept[/]     {escape(str(folder / path))}, which was there before", soft_wrap=True)
    say.print("edit next:", *(f"  {each}" for each in edits(adoption)), sep="\n", soft_wrap=True, markup=False)
    say.print(f"then start the service, and try: redrain storm {folder / SCENARIO}", soft_wrap=True, markup=False)
    return int(Exit.PASS)


def described_at(where: str) -> Described:
    """Return the service that an OpenAPI document in a file or at a URL describes. Raises BadDocument."""
    try:
        if where.startswith(("http://", "https://")):
            answer = http_session().get(where, timeout=ANSWER_WITHIN_S)
            answer.raise_for_status()
            content = answer.content
        else:
            content = Path(where).read_bytes()
        document: Any = orjson.loads(content)
    except (OSError, requests.RequestException) as error:
        raise BadDocument(f"openapi: {where} cannot be read: {error}") from None
    except ValueError:
        raise BadDocument(f"openapi: {where} is no JSON; a document in YAML has to be written as JSON first") from None
    if not isinstance(document, Mapping) or not str(document.get("openapi", "")).startswith("3."):
        raise BadDocument(f"openapi: {where} is no OpenAPI 3 document")
    return Described(_with_server(document, where))


def check_scenario(text: str, folder: Path) -> None:
    """Read a scenario as a storm would. Raises BadScenario or BadTarget."""
    scenario = validated(TargetScenario, toml_table(SCENARIO, text), source=SCENARIO, text=text)
    target_of(scenario, host="", folder=folder)


def _with_server(document: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Return the document with an absolute address of its service: most tools write none, or a path."""
    url = first_server(document)
    if "://" in url or not where.startswith("http"):
        return document
    scheme, _, rest = where.partition("://")
    return {**document, "servers": [{"url": f"{scheme}://{rest.partition('/')[0]}{url}"}]}


def _asked(say: Console, question: str, default: str) -> str:
    return Prompt.ask(escape(question), console=say, default=default).strip()


def _write(path: Path, text: str, ask: Ask) -> bool:
    """Write a file; one that is there is only replaced if that is wanted."""
    if path.exists() and ask(f"{path} is there already. Replace it, yes or no?", "no").lower() not in ("y", "yes"):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return True
