"""Runs the demo: starts what people look at, says where it is and what happens there, and leaves nothing behind."""

import io
import secrets
import signal
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import segno
from rich.console import Console
from rich.text import Text

from loadtest.demo.lan import is_own, lan_address
from loadtest.demo.lines import LANGUAGES, named
from loadtest.demo.programme import programme_text
from loadtest.demo.stage import DemoPlan, carry_out
from loadtest.engines.child_process import ProcessFailed
from loadtest.scenarios.scenario import Scenario
from loadtest.targets.requester import SetUpFailed
from loadtest.verdict.weigh import Exit
from loadtest.watch.site import WatchSite
from scripts.output import console, failed, told_of, too_full
from server.api.credentials import Credentials
from server.core.credential import Caller, Role
from server.gateway.signing import Signer
from server.signals import on_signals

TOKEN_LASTS_MS = 7 * 24 * 3_600_000  # longer than anybody shows a demo


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """The options of the command, by their names."""

    port: int
    viewers: int
    speed: int
    rooms: int
    lang: str
    lan: bool
    lan_address: str
    once: bool

    def wrong(self) -> str:
        """Return what is wrong with the options, or ""."""
        if self.lang not in LANGUAGES:
            return f"lang: must be one of {', '.join(LANGUAGES)}"
        if self.lan_address and not is_own(self.lan_address):
            return f"lan-address: {self.lan_address} is not an address of this machine"
        return ""


def run_demo(options: DemoOptions) -> int:
    """Run the demo until it is over or a signal comes, and return the exit code."""
    if wrong := options.wrong():
        return failed(wrong, Exit.USAGE)
    on_lan = options.lan or bool(options.lan_address)
    address = options.lan_address or (lan_address() if on_lan else "127.0.0.1")
    if address is None:
        return failed(
            "lan: this machine is on no network; connect it, name its address with --lan-address, or leave --lan out",
            Exit.ENVIRONMENT,
        )
    if full := too_full(Path(tempfile.gettempdir())):
        return failed(full, Exit.ENVIRONMENT)
    say = console(None)
    told_to_end = threading.Event()
    with (
        on_signals(told_to_end.set, signal.SIGINT, signal.SIGTERM, signal.SIGHUP),
        tempfile.TemporaryDirectory(prefix="redrain-demo-", ignore_cleanup_errors=True) as folder,
    ):
        try:
            with closing(_site(address, options.port)) as site:
                plan = _plan(options, Path(folder), address, site, secret=secrets.token_hex(32) if on_lan else "")
                missing = carry_out(
                    plan,
                    ready=lambda url, scenario: _welcome(say, plan, url, scenario),
                    say=lambda text: say.print(text, markup=False, soft_wrap=True),
                    stopped=told_to_end.is_set,
                )
        except ProcessFailed as error:
            return failed(error, error.exit_code)
        except (SetUpFailed, OSError) as error:
            return failed(told_of(error, Path(folder)), Exit.ENVIRONMENT)
    if told_to_end.is_set():
        say.print("redrain: stopped; nothing is left running")
        return int(Exit.INTERRUPTED if options.once else Exit.PASS)
    if missing:
        return failed(f"not everything was shown: {'; '.join(missing)}", Exit.INVARIANT)
    say.print("redrain: everything was shown once")
    return int(Exit.PASS)


def _site(address: str, port: int) -> WatchSite:
    """Return the site of the dashboard: on the next port, or on any if that is taken."""
    try:
        return WatchSite(host=address, port=port and port + 1)
    except (OSError, OverflowError):
        return WatchSite(host=address)


def _plan(options: DemoOptions, folder: Path, address: str, site: WatchSite, *, secret: str) -> DemoPlan:
    token = ""
    if secret:
        now_ms = time.time_ns() // 1_000_000
        admin = Caller(Role.ADMIN, "demo")
        token = Credentials(Signer(secret.encode())).mint(admin, lasts_ms=TOKEN_LASTS_MS, now_ms=now_ms)
    return DemoPlan(
        folder=folder,
        text=programme_text(options.rooms),
        viewers=options.viewers,
        speed=options.speed,
        language=options.lang,
        address=address,
        port=options.port,
        site=site,
        secret=secret,
        token=token,
        once=options.once,
    )


def _welcome(say: Console, plan: DemoPlan, url: str, scenario: Scenario) -> None:
    """Say where to look, and with a token how to let phones in."""
    first, token = scenario.rooms[0], plan.token
    phone = f"{url}/live/{first.room_id}"
    fragment = f"#token={token}" if token else ""
    words = _WORDS[plan.language]
    places = {
        "phone": phone,
        "console": f"{url}/console?creator={first.creator_id}{fragment}",
        "dashboard": f"{plan.site.url}{fragment}",
    }
    say.print()
    for label, where in places.items():
        say.print(f"  {words[label]}  [bold]{where}[/]", soft_wrap=True)
    others = [f"{named(room.title, plan.language)} {url}/live/{room.room_id}" for room in scenario.rooms[1:]]
    if others:
        say.print(f"  {words['others']}  {'   '.join(others)}", soft_wrap=True)
    if token:
        drawn = io.StringIO()
        segno.make(phone, error="m").terminal(drawn, border=2, compact=True)
        say.print(f"\n  {words['scan']}")
        say.print(Text(drawn.getvalue(), style="white on black"))
        say.print(f"  {words['token']}  {token}", soft_wrap=True)
    say.print(f"  {words['end']}\n")


_WORDS = {
    "en": {
        "phone": "watch and grab:",
        "console": "host's console:",
        "dashboard": "big screen:    ",
        "others": "other rooms:   ",
        "scan": "Scan this with a phone on the same network. Who has no token can look and play, and change nothing.",
        "token": "token for console and dashboard:",
        "end": "Ctrl-C ends it and leaves nothing behind.",
    },
    "zh": {
        "phone": "观看和抢红包:",
        "console": "直播中控台:  ",
        "dashboard": "数据大屏:    ",
        "others": "其他直播间:  ",
        "scan": "用同一网络里的手机扫码。没有令牌只能观看和抢红包,不能更改。",
        "token": "中控台和大屏的令牌:",
        "end": "按 Ctrl-C 结束,不留下任何东西。",
    },
}
