"""Runs a storm and judges it, judges a recorded run again, and verifies packets: all with words for a person."""

import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from loadtest.director import SetUpFailed
from loadtest.judge import judge
from loadtest.processes import ProcessFailed
from loadtest.record import BadRecord
from loadtest.scenario import BadScenario, Scenario, load_scenario, scenario_text
from loadtest.storm import Plan, Run, perform
from loadtest.terminal import LiveView, show_result, show_verifications
from loadtest.verdict import Exit
