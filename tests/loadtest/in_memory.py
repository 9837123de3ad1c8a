"""Histories and sales whose lines were written by a test, without a file."""

from collections.abc import Iterable

from loadtest.record.history import History, read_process
from loadtest.record.sales import Sales, sales_of
from loadtest.record.shape import Line


def history_from(*processes: Iterable[Line], foreign: bool = False) -> History:
    """Read one iterable of lines per process."""
    history = History()
    for process, lines in enumerate(processes):
        name = f"history-{process}"
        read_process(history, enumerate(map(dict, lines), start=1), name, process, foreign=foreign)
    return history


def sales_from(lines: Iterable[Line]) -> Sales:
    """Read the lines of one file."""
    return sales_of(enumerate(map(dict, lines), start=1), "orders")
