"""A command in the process of the test."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.cli import main

Redrain = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def redrain(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Redrain:
    """Carry out a command, if asked in a *folder* and with an environment, as its process would: a start less."""

    def carry_out(
        *arguments: str, folder: Path | None = None, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        capsys.readouterr()
        with monkeypatch.context() as patch:
            for name, value in {"COLUMNS": "200", **environment}.items():
                patch.setenv(name, value)
            if folder is not None:
                patch.chdir(folder)
            with pytest.raises(SystemExit) as ended:
                main(arguments)
        code, said = ended.value.code, capsys.readouterr()
        assert isinstance(code, int)
        return subprocess.CompletedProcess(arguments, code, said.out, said.err)

    return carry_out
