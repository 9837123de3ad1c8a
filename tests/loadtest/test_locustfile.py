"""The locustfile as a module: what importing it loads, and whose packages it gets."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
LOCUSTFILE = ROOT / "loadtest" / "locustfile.py"


def python(code: str, *arguments: str, cwd: Path) -> str:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=cwd, check=True).stdout


def test_gevent_and_asyncio_never_meet() -> None:
    """A fresh process that imports the locustfile has loaded no asyncio, and nothing that would bring it."""
    code = "import sys, loadtest.locustfile; print(sorted({'asyncio', 'uvloop', 'redis', 'fastapi'} & {*sys.modules}))"
    assert python(code, cwd=ROOT) == "[]\n"


def test_our_packages_come_before_those_of_the_working_directory(tmp_path: Path) -> None:
    """Our names are common words: a server/ where Locust was started is not taken for ours."""
    for name in ("server", "loadtest", "client_sim"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('not ours')")
    code = (
        "import sys; sys.path.insert(0, '.'); from locust.util.load_locustfile import load_locustfile;"
        "users, _ = load_locustfile(sys.argv[1]); print(*users)"
    )
    assert python(code, str(LOCUSTFILE), cwd=tmp_path) == "ViewerUser\n"
