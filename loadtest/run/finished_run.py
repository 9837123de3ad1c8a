"""A finished run, read again: from its folder, or from a result file alone."""

from pathlib import Path
from typing import Any

import orjson

from loadtest.record.given_file import NotTaken, read_given
from loadtest.record.run_folder import RunFolder
from loadtest.record.run_history import RunSummary, append
from loadtest.record.shape import BadRecord
from loadtest.verdict.run_summary import summary_of
from loadtest.verdict.samples import answered_taps

RESULT_BYTES_MAX = 1 << 26  # one may list all violations of a run


def summary_at(path: Path) -> RunSummary:
    """Return the summary of the run in the folder *path*, or of the result file. Raises BadRecord."""
    return summary_of(_name_of(path), _result_at(path))


def remember(history: Path, run: Path, result: Any) -> None:
    """Add the *result* of the run in the folder *run* to the file *history*."""
    append(history, summary_of(_name_of(run), result))


def latencies_at(path: Path) -> list[int] | None:
    """Return in order the ns from planned tap to answer, or None where there is no history. Raises BadRecord."""
    if not path.is_dir() or not any(path.glob("history-*.jsonl*")):
        return None
    folder = RunFolder(path)
    history = folder.read_history(foreign=folder.facts().foreign)
    return sorted(t_reply - tap.t_intended for tap, t_reply in answered_taps(history.grabs))


def _name_of(path: Path) -> str:
    name = path.resolve().name[-100:]
    return "".join(each if each.isprintable() else "?" for each in name)


def _result_at(path: Path) -> Any:
    file = RunFolder(path).result if path.is_dir() else path
    try:
        return orjson.loads(read_given(file, RESULT_BYTES_MAX))
    except NotTaken as error:
        raise BadRecord(str(error)) from None
    except FileNotFoundError:
        hint = f"; `redrain audit {path}` judges a recorded run" if path.is_dir() else ""
        raise BadRecord(f"{file}: is missing{hint}") from None
    except OSError as error:
        raise BadRecord(f"{file}: cannot be read: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise BadRecord(f"{file}: is not JSON ({error})") from None
