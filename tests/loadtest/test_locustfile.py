"""The locustfile as a module: what importing it loads, and whose packages it gets."""

import json
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


def test_a_worker_is_given_no_option_of_ours() -> None:
    """It takes them from its master, so that one of its own would be ignored in silence."""
    options = ["--history=there", "--scenario", "--seed", "--directed", "--max-rate"]
    code = """
import sys
import loadtest.locustfile
from locust import argument_parser
for option in sys.argv[1:]:
    sys.argv = ["locust", "--worker", option]
    try:
        argument_parser.get_parser()
    except SystemExit as ended:
        print(ended.code, flush=True)
"""
    command = [sys.executable, "-c", code, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "64\n" * len(options)
    assert done.stderr.splitlines() == [f"{each}: a worker takes it from its master; give it there" for each in options]


def test_the_web_ui_refuses_what_cannot_be_run() -> None:
    """POST /swarm with an unknown scenario or a wrong number does not succeed, and says why."""
    code = """
import sys, json
sys.argv = ["locust", "-f", "loadtest/locustfile.py"]
import loadtest.locustfile as ours
from locust import argument_parser, env, events
options = argument_parser.parse_options()
environment = env.Environment(parsed_options=options, events=events, host="http://127.0.0.1:9")
environment.create_local_runner()
web = environment.create_web_ui("127.0.0.1", 0)
ours.check_options(environment)
form = {"user_count": "1", "spawn_rate": "1", "host": "http://127.0.0.1:9", "scenario": "locust", "seed": ""}
for change in ({"scenario": "nope"}, {"seed": "many"}, {"reaction_median_ms": "-1"}, {}):
    with web.app.test_request_context("/swarm", method="POST", data={**form, **change}):
        answer = web.app.preprocess_request()
    print(json.dumps(None if answer is None else answer.get_json()))
"""
    said = [json.loads(line) for line in python(code, cwd=ROOT).splitlines() if line[0] in "{n"]
    assert [answer and answer["success"] for answer in said] == [False, False, False, None]
    for answer, told in zip(said, ("nope: no such scenario", "seed: ", "reaction_median_ms: "), strict=False):
        assert told in answer["message"]
