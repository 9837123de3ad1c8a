"""The director: sets up a scenario's creators and rooms over the HTTP API, and carries out its programme on time."""

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from client_sim.creator import CreatorStep, PlannedEdit, PlannedPacket, programme
from loadtest.engines.progress import LivePacket
from loadtest.scenarios.scenario import Scenario
from loadtest.targets.access import NOBODY, Access
from loadtest.targets.requester import Requester, SetUpFailed, WasRefused
from server.core.ids import PacketId

LOOK_EVERY_S = 0.1
_WORKED_OUT = {"share_count", "shares_per_viewer", "total_fen", "mean_share_fen", "edits"}
_WORKED_OUT |= {"expect", "expect_void", "expect_end", "copies", "every_ms"}
_OF_PACKET = ["creator_id", "name", "platform", "denomination", "share_count", "total_fen"]
_OF_PACKET += ["min_share_fen", "max_share_fen"]
_DONE = {"launch": "launched", "edit": "edited", "void": "voided", "end": "ended"}
_RACED = frozenset({"below_claimed", "edit_raced"})  # refusals of an edit that came too late, as in any live room


@dataclass(frozen=True, slots=True)
class Happening:
    """
    An action of a creator: its planned time (room ms after the programme's start), the action, and its packet.

    ``outcome`` is launched, edited, voided, ended, or ``refused`` and the rule that refused it (for an edit that raced:
    the refusal's code); ``rule`` and ``detail`` are those of the server's refusal. ``room_ms`` is the room time of the
    answer.
    """

    at_ms: int
    action: str
    packet_name: str
    packet_id: str
    outcome: str
    room_ms: int
    rule: str = ""
    detail: str = ""


class Director:
    """
    Runs one programme against one server, for any engine.

    *access* is the way into a server that asks who one is. Unless it is *alone*, others act for the same creators: then
    whatever is refused is noted, and the programme goes on. Call ``set_up()`` once, then ``perform(stopped)``. Both
    block; under gevent they yield.
    """

    def __init__(
        self,
        host: str,
        scenario: Scenario,
        viewers: int,
        say: Callable[[str], None],
        *,
        allocator: str | None = None,
        access: Access = NOBODY,
        alone: bool = True,
    ) -> None:
        self.happenings: list[Happening] = []
        self.packet_ids: dict[int, str] = {}
        self.packets: dict[PacketId, LivePacket] = {}
        self._requester = Requester(host, access)
        self._scenario = scenario
        self._viewers = viewers
        self._say = say
        self._allocator = allocator
        self._alone = alone
        self._run = secrets.token_hex(4)
        self._curtain: _Start | None = None

    def instant_s(self, room_ms: int) -> float | None:
        """Return when it is *room_ms* (room time), on CLOCK_MONOTONIC in seconds; None before the curtain."""
        curtain = self._curtain
        return None if curtain is None else curtain.at + (room_ms - curtain.room_ms) / 1000 / curtain.speed

    def instant_of(self, at_ms: int) -> float | None:
        """Return the same for *at_ms* room milliseconds after the curtain."""
        return None if self._curtain is None else self._curtain.at + at_ms / 1000 / self._curtain.speed

    def at_ms(self, instant_s: float) -> int:
        """Return how many room milliseconds after the curtain an instant of CLOCK_MONOTONIC is; 0 before it."""
        curtain = self._curtain
        return 0 if curtain is None else round((instant_s - curtain.at) * 1000 * curtain.speed)

    def room_ms(self, instant_s: float) -> int | None:
        """Return the room time at an instant of CLOCK_MONOTONIC; None before the curtain."""
        curtain = self._curtain
        return None if curtain is None else curtain.room_ms + self.at_ms(instant_s)

    def packet_named(self, name: str) -> str | None:
        """Return the id of the packet that the programme calls *name*, once it is created."""
        names = [packet.name for packet in self._scenario.packets]
        return self.packet_ids.get(names.index(name))

    def set_up(self) -> None:
        """Create the creators, recharge their wallets and open the rooms. Raises SetUpFailed."""
        for creator in self._scenario.creators:
            self._post(
                f"/api/creators/{creator.creator_id}/recharge",
                {"amount_fen": creator.recharge_fen, "channel": creator.channel, "platform": creator.platform},
                key=f"recharge-{creator.creator_id}",
            )
        for room in self._scenario.rooms:
            self._post(
                "/api/rooms",
                {"room_id": room.room_id, "creator_id": room.creator_id, "title": room.title},
                key=f"room-{room.room_id}",
            )
        self._say(f"{len(self._scenario.creators)} creators, {len(self._scenario.rooms)} rooms")

    def perform(self, stopped: Callable[[], bool]) -> None:
        """
        Start the programme: create the packets, launch, edit, void and end them when due, and wait until all are over.

        A step with an expected rule must be refused by that rule. A packet that was not launched is voided at the end,
        so that its money is returned. With ``loop_ms`` in the scenario the programme repeats until *stopped()*. Raises
        SetUpFailed.
        """
        lap = 0
        while True:
            started = time.monotonic()
            self._perform_once(lap, stopped)
            loop_ms = self._scenario.loop_ms
            if loop_ms is None or stopped():
                return
            self._sleep_until(started + loop_ms / 1000 / self._scenario.speed, stopped)
            lap += 1

    def call_off(self) -> None:
        """Void in the platform's name what is not over, so that it is in nobody's way; leave what cannot be voided."""
        for number, packet_id in self.packet_ids.items():
            with suppress(WasRefused):
                self._void(packet_id, "platform", key=f"call-off-{number}")

    def call_off_and_wait(self, stopped: Callable[[], bool]) -> None:
        """Call the programme off, and wait until its packets are over, so that the books are final."""
        self.call_off()
        self._wait_until_over(stopped)

    def _perform_once(self, lap: int, stopped: Callable[[], bool]) -> None:
        packets = planned_packets(self._scenario, self._viewers)
        begin_ms = self._begin_ms()
        ids = {packet.number: self._create(packet, begin_ms, lap) for packet in packets}
        self.packet_ids.update(ids)
        self.packets = {PacketId(ids[each.number]): LivePacket(each.name, each.share_count) for each in packets}
        start = self._curtain = self._start()
        for step in programme(packets):
            self._sleep_until(start.at + step.at_ms / 1000 / start.speed, stopped)
            if stopped():
                return
            self._carry_out(step, ids[step.packet.number], start.room_ms, lap)
        self._return_drafts(packets, ids, lap)
        self._wait_until_over(stopped)

    def _wait_until_over(self, stopped: Callable[[], bool]) -> None:
        while not stopped() and not self._all_settled(list(self.packet_ids.values())):
            time.sleep(LOOK_EVERY_S)

    def _return_drafts(self, packets: list[PlannedPacket], ids: dict[int, str], lap: int) -> None:
        """Void the packets that were not launched; another may have launched or voided them, if one is not alone."""
        launched = {each.packet_id for each in self.happenings if each.outcome == _DONE["launch"]}
        for packet in packets:
            if ids[packet.number] not in launched:
                with suppress(*(() if self._alone else (WasRefused,))):
                    self._void(ids[packet.number], "creator", key=f"return-{lap}-{packet.number}")

    def _start(self) -> "_Start":
        """Return the start of the programme's times: the scenario's origin, or now."""
        clock = self._get("/api/clock")
        now = _Start(int(clock["room_ms"]), time.monotonic(), int(clock["speed"]))
        origin_ms = self._scenario.origin_ms
        if origin_ms is None:
            return now
        if (clock["origin_ms"], now.speed) != (origin_ms, self._scenario.speed):
            raise SetUpFailed(
                f"origin: {self._scenario.name} needs a fresh server, started with "
                f"--origin-ms {origin_ms} --speed {self._scenario.speed}"
            )
        return _Start(origin_ms, now.at - (now.room_ms - origin_ms) / 1000 / now.speed, now.speed)

    def _begin_ms(self) -> int:
        """Return the room instant from which absolute validities count: the scenario's origin, or now."""
        origin_ms = self._scenario.origin_ms
        return int(self._get("/api/clock")["room_ms"]) if origin_ms is None else origin_ms

    def _create(self, packet: PlannedPacket, begin_ms: int, lap: int) -> str:
        made = self._post(
            "/api/packets",
            {
                **{name: getattr(packet, name) for name in _OF_PACKET},
                **({} if self._allocator is None else {"allocator": self._allocator}),
                **_validity(packet, begin_ms),
            },
            key=f"create-{lap}-{packet.number}",
        )
        return str(made["packet_id"])

    def _carry_out(self, step: CreatorStep, packet_id: str, start_room_ms: int, lap: int) -> None:
        try:
            self._ask_for(step, packet_id, start_room_ms, lap)
        except WasRefused as refused:
            if step.action == "edit" and not step.expected_rule and refused.code in _RACED:
                self._note(step, packet_id, f"refused {refused.code}", refused.rule, refused.detail)
                return
            if self._alone and (not refused.rule or refused.rule != step.expected_rule):
                raise SetUpFailed(f"{_planned(step)}: {refused}; {_expectation(step)}") from None
            outcome = f"refused {refused.rule or refused.code}"
            self._note(step, packet_id, outcome, refused.rule, refused.detail)
            return
        if step.expected_rule and self._alone:
            raise SetUpFailed(f"{_planned(step)}: carried out; {_expectation(step)}")
        self._note(step, packet_id, _DONE[step.action])

    def _ask_for(self, step: CreatorStep, packet_id: str, start_room_ms: int, lap: int) -> None:
        key = f"{step.action}-{lap}-{step.packet.number}"
        match step.action:
            case "launch":
                self._post(f"/api/packets/{packet_id}/launch", _launch_body(step.packet, start_room_ms), key=key)
            case "edit":
                assert step.edit is not None
                body = {"share_count": step.edit.share_count}
                self._post(f"/api/packets/{packet_id}/issuance", body, key=f"{key}-{step.at_ms}")
            case "void":
                self._void(packet_id, step.packet.void_by, key=key)
            case "end":
                self._post(f"/api/packets/{packet_id}/end", {}, key=key)

    def _void(self, packet_id: str, by: str, *, key: str) -> None:
        self._post(f"/api/packets/{packet_id}/void", {"by": by}, key=key)

    def _note(self, step: CreatorStep, packet_id: str, outcome: str, rule: str = "", detail: str = "") -> None:
        room_ms = self.room_ms(time.monotonic())
        assert room_ms is not None
        name = step.packet.name
        self.happenings.append(Happening(step.at_ms, step.action, name, packet_id, outcome, room_ms, rule, detail))
        packet = self.packets[PacketId(packet_id)]._replace(outcome=outcome)
        if step.edit is not None and outcome == _DONE["edit"]:
            packet = packet._replace(share_count=step.edit.share_count)
        self.packets[PacketId(packet_id)] = packet
        self._say(f"{step.packet.name}: {outcome}")

    def _all_settled(self, packet_ids: list[str]) -> bool:
        return all(self._get(f"/api/packets/{each}")["state"] in ("settled", "voided") for each in packet_ids)

    @staticmethod
    def _sleep_until(instant: float, stopped: Callable[[], bool]) -> None:
        while not stopped() and (left := instant - time.monotonic()) > 0:
            time.sleep(min(left, LOOK_EVERY_S))

    def _get(self, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._requester.get(path)
        return answer

    def _post(self, path: str, body: dict[str, Any], *, key: str) -> dict[str, Any]:
        return self._requester.post(path, body, key=f"{self._run}-{key}")


@dataclass(frozen=True, slots=True)
class _Start:
    """The start of a programme's times, by the room's clock and by the local one (s), and the room's speed."""

    room_ms: int
    at: float
    speed: int


def _validity(packet: PlannedPacket, begin_ms: int) -> dict[str, Any]:
    """Return the fields of a packet's use validity that it sets."""
    given: dict[str, Any] = {"use_for_ms": packet.use_for_ms}
    given["use_start_at_ms"] = None if packet.use_start_at_ms is None else begin_ms + packet.use_start_at_ms
    given["use_end_at_ms"] = None if packet.use_end_at_ms is None else begin_ms + packet.use_end_at_ms
    given["product_ids"] = packet.product_ids if packet.product_ids is None else list(packet.product_ids)
    return {name: value for name, value in given.items() if value is not None}


def _launch_body(packet: PlannedPacket, start_room_ms: int) -> dict[str, Any]:
    body: dict[str, Any] = {"room_id": packet.room_id, "mode": packet.mode}
    if packet.delay_ms is not None:
        body["delay_ms"] = packet.delay_ms
    if packet.warmup_at_ms is not None:
        body["warmup_at_ms"] = start_room_ms + packet.warmup_at_ms
    if packet.grab_at_ms is not None:
        # An exact launch opens on a whole second (DY-LAU-4).
        body["grab_at_ms"] = -(-(start_room_ms + packet.grab_at_ms) // 1000) * 1000
    if packet.claim_window_ms is not None:
        body["claim_window_ms"] = packet.claim_window_ms
    return body


def _planned(step: CreatorStep) -> str:
    return f"{step.action} of {step.packet.name}, planned {step.at_ms} ms after the start"


def _expectation(step: CreatorStep) -> str:
    return f"expected a refusal by {step.expected_rule}" if step.expected_rule else "expected success"


def planned_packets(scenario: Scenario, viewers: int) -> list[PlannedPacket]:
    """Return a scenario's packets as their creators plan them before an audience of *viewers*."""
    return [
        PlannedPacket(
            number=number,
            share_count=packet.shares_for(viewers),
            total_fen=packet.sum_for(viewers),
            expect=_rule(packet.expect),
            expect_void=_rule(packet.expect_void),
            expect_end=_rule(packet.expect_end),
            edits=tuple(
                PlannedEdit(edit.at_ms, edit.shares_of(packet.shares_for(viewers)), _rule(edit.expect))
                for edit in packet.edits
            ),
            **packet.model_dump(exclude=_WORKED_OUT),
        )
        for number, packet in enumerate(scenario.packets)
    ]


def _rule(expected: str | None) -> str:
    """Return the rule that a scenario's ``refused:RULE`` names, or nothing."""
    return "" if expected is None else expected.removeprefix("refused:")
