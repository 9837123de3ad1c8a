"""A storm as the command line runs it, in the process of the test: a start of Python less for each."""

import json
from pathlib import Path
from typing import Any

import pytest

from loadtest.record.run_folder import RunFolder
from scripts.cli import main
from tests.result_schema import faults_of


def storm(folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run ``redrain storm`` with its records in *folder*; return exit code and result, which has its published form."""
    with pytest.raises(SystemExit) as ended:
        main(["storm", *arguments, "--out", str(folder)])
    code = ended.value.code
    assert isinstance(code, int)
    result = RunFolder(folder).result
    assert result.exists(), code
    told: dict[str, Any] = json.loads(result.read_text("utf-8"))
    assert faults_of(told) == []
    return code, told
