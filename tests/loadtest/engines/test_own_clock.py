"""The name of the monotonic clock: equal within a host, another one in a time namespace of its own."""

import shutil
import subprocess
import sys

from loadtest.engines.own_clock import own_clock

CODE = "from loadtest.engines.own_clock import own_clock; print(own_clock())"


def test_processes_of_one_host_name_the_same_clock() -> None:
    """The name says nothing of the process."""
    said = subprocess.run([sys.executable, "-c", CODE], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert said.strip() == own_clock() != ""


def test_another_time_namespace_is_another_clock() -> None:
    """A container may have a clock of its own on the same boot of the same host."""
    command = ["unshare", "--user", "--map-root-user", "--time", "--monotonic", "1000", sys.executable, "-c", CODE]
    done = subprocess.run(command, capture_output=True, text=True, check=False) if shutil.which("unshare") else None
    if done is None or done.returncode:
        print(f"no time namespace here: {done and done.stderr}")
        return
    assert done.stdout.strip() != own_clock()
