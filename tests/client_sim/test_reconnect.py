"""Pauses double up to a limit, and are short again once the viewer was let in."""

from client_sim.reconnect import PAUSE_S, Reconnect


def test_pauses_grow_until_a_welcome() -> None:
    """Each is twice the last, give or take a half; a welcome begins anew."""
    reconnect = Reconnect(0)
    for plain_s in (0.1, 0.2, 0.4, 0.8, 1.6, PAUSE_S[1], PAUSE_S[1]):
        assert plain_s * 0.5 <= reconnect.next_pause_s() <= plain_s * 1.5
    reconnect.welcomed()
    assert reconnect.next_pause_s() <= PAUSE_S[0] * 1.5


def test_each_attempt_goes_to_the_next_host() -> None:
    """All hosts are tried in turn; with one there is no choice."""
    reconnect = Reconnect(0)
    tried = [reconnect.next_host(3) for _ in range(6)]
    assert sorted(tried[:3]) == [0, 1, 2]
    assert tried[3:] == tried[:3]
    assert reconnect.next_host(1) == 0
