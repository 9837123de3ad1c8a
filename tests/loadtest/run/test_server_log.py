"""Lines of level error and tracebacks in a server's log are found; warnings are not."""

from datetime import datetime, timedelta

from loadtest.run.server_log import ERRORS_MAX, server_errors, store_absences

AT = "2026-01-02 03:04:05,678"
TRACEBACK = 'Traceback (most recent call last):\n  File "x.py", line 1, in f\n    f()\n'


def test_a_quiet_log_has_no_errors() -> None:
    """An absence of the store is a warning, and a name such as uvicorn.error is no level."""
    log = f"redrain: serving http://x\n{AT} WARNING redrain: the clock does not work: ERROR 7\n"
    assert server_errors(log + f"{AT} INFO uvicorn.error: started\n") == []
    assert server_errors("") == []


def test_each_kind_of_error_is_found_once() -> None:
    """A line of level error with its traceback is one finding; one without, a bare traceback and an allocator's too."""
    log = (
        f"{AT} ERROR asyncio: the sweeper failed, and is started again\n{TRACEBACK}KeyError: 'x'\n"
        f"{AT} ERROR asyncio: the sweeper failed, and is started again\n{TRACEBACK}KeyError: 'x'\n"
        f"{AT} CRITICAL other: no memory\n{AT} WARNING redrain: so so\n"
        f"{TRACEBACK}\n  another line\nValueError: y\n"
        "redrain: allocator mine:Mine failed to claim: KeyError: 'k' (mine.py, line 3)\n"
    )
    assert server_errors(log) == [
        "asyncio: the sweeper failed, and is started again: KeyError: 'x'",
        "other: no memory",
        "ValueError: y",
        "allocator mine:Mine failed to claim: KeyError: 'k' (mine.py, line 3)",
    ]


def test_a_log_that_ends_in_an_error_says_so() -> None:
    """A server that was killed while it wrote leaves a line without an end."""
    assert server_errors(f"{AT} ERROR asyncio: it broke") == ["asyncio: it broke"]
    assert server_errors(TRACEBACK) == ["a traceback that is cut off"]


def test_a_log_full_of_errors_is_cut() -> None:
    """The result stays readable."""
    assert len(server_errors("".join(f"{AT} ERROR asyncio: number {n}\n" for n in range(1000)))) == ERRORS_MAX


def test_absences_of_the_store_are_read_from_what_the_parts_of_the_server_say() -> None:
    """One lasts from the first part that is without the store until all work again; other troubles are none."""
    begun = datetime(2026, 11, 27, 20, 49, 42).astimezone()
    log = "\n".join(
        f"{begun + timedelta(milliseconds=at_ms):%Y-%m-%d %H:%M:%S},{at_ms:03} WARNING redrain: {said}"
        for at_ms, said in (
            (100, "the sweeper does not work: the store is unavailable (refused); it keeps trying"),
            (110, "the reader of feeds does not work: the store is unavailable (refused); it keeps trying"),
            (120, "the clock does not work: the disk is full; it keeps trying"),
            (150, "the reader of feeds works again, after 1 failures in all"),
            (200, "the sweeper works again, after 1 failures in all"),
            (300, "the sweeper does not work: the store is unavailable (refused); it keeps trying"),
        )
    )
    base_ns = round(begun.timestamp() * 1e9)
    assert store_absences(log, base_ns) == [[100_000_000, 200_000_000], [300_000_000, None]]
