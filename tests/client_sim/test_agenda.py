"""An agenda: planning, aiming and giving up taps."""

from client_sim.agenda import Agenda, PacketPlan
from client_sim.countdown import Countdown
from server.core.ids import PacketId, RequestId
from tests.client_sim.room_talk import MS, NOON_MS, PACKET, on_screen


def an_agenda() -> tuple[Agenda, PacketPlan, Countdown]:
    agenda = Agenda()
    plan = agenda.add_packet(on_screen(grab_in_ms=1_000), 0)
    assert plan is not None
    return agenda, plan, Countdown(NOON_MS, 0, speed=1)


def test_a_packet_is_heard_of_once() -> None:
    """The welcome after a reconnect lists packets that are planned already."""
    agenda, _, _ = an_agenda()
    assert agenda.add_packet(on_screen(grab_in_ms=1_000), 5) is None


def test_taps_come_in_order_of_time() -> None:
    """Only those that are due are taken, the earlier first."""
    agenda, plan, countdown = an_agenda()
    for offset_ms in (30, 10, 500):
        agenda.expect(plan, countdown, room_ms=plan.grab_at_ms, offset_ns=offset_ms * MS)
    assert agenda.next_ns() == 1_010 * MS
    assert [due.due_ns for due in agenda.take_ready(1_100 * MS)] == [1_010 * MS, 1_030 * MS]
    assert agenda.next_ns() == 1_500 * MS


def test_aiming_moves_what_is_planned_but_not_what_is_tried_again() -> None:
    """A retry is due when it is due; a planned tap follows the clock."""
    agenda, plan, countdown = an_agenda()
    agenda.expect(plan, countdown, room_ms=plan.grab_at_ms, offset_ns=0)
    (due,) = agenda.take_ready(1_000 * MS)
    agenda.expect_again(due, 1_200 * MS)
    agenda.expect(plan, countdown, room_ms=plan.grab_at_ms, offset_ns=0)
    agenda.aim(Countdown(NOON_MS, 300 * MS, speed=1))
    assert [each.due_ns for each in agenda.take_ready(9_000 * MS)] == [1_200 * MS, 1_300 * MS]


def test_nobody_means_to_tap_before_having_heard() -> None:
    """An early bird that meets a packet which is open already taps on hearing of it, not in the past."""
    agenda = Agenda()
    plan = agenda.add_packet(on_screen(grab_in_ms=-50), 70 * MS)
    assert plan is not None
    agenda.expect(plan, Countdown(NOON_MS, 0, speed=1), room_ms=plan.grab_at_ms, offset_ns=-300 * MS)
    assert agenda.next_ns() == 70 * MS


def test_dropping_a_packet_keeps_what_is_unknown() -> None:
    """A tap whose outcome nobody knows is asked for even if the packet is gone."""
    agenda, plan, countdown = an_agenda()
    agenda.expect(plan, countdown, room_ms=plan.grab_at_ms, offset_ns=0)
    (due,) = agenda.take_ready(1_000 * MS)
    due.request_id = RequestId("0-0")
    agenda.expect_again(due, 1_200 * MS)
    agenda.expect(plan, countdown, room_ms=plan.grab_at_ms, offset_ns=0)
    agenda.drop(PacketId("anna.2"))
    agenda.drop(PACKET)
    assert agenda.next_ns() == 1_200 * MS
    agenda.drop_attempts(RequestId("0-0"))
    assert agenda.next_ns() is None
