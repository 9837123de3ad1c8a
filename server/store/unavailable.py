"""An error reply is about the store, which may be well again later, or about what was asked of it."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import (
    ConnectionError,  # noqa: A004 - the library's own, distinct from Python's by OSError below
    InvalidResponse,
    ResponseError,
    TimeoutError,  # noqa: A004
)

_OUT_OF_REACH = (ConnectionError, TimeoutError, InvalidResponse, OSError)
_OF_THE_COMMAND = frozenset({"ERR", "WRONGTYPE", "CROSSSLOT", "NOSCRIPT", "EXECABORT", "BROKEN"})  # the last is ours
_CODE = re.compile(r"(?:Command # .* of pipeline caused error: \(['\"])?([A-Z]+) ", re.DOTALL)


class StoreUnavailable(Exception):  # noqa: N818 - the word callers answer with
    """The store was not reached, did not answer in time, or cannot work; a command's outcome may be unknown."""


class BooksBehind(StoreUnavailable):
    """The store lacks what was acknowledged: nothing that moves money is asked of it. The text says what is missing."""


def told_of(text: str) -> str:
    """Return an error's text, which calls a full disk so."""
    return f"disk full ({text})" if os.strerror(errno.ENOSPC) in text or os.strerror(errno.EDQUOT) in text else text


@contextmanager
def unavailable_as_ours() -> Iterator[None]:
    """
    Convert redis-py's errors about a store that is unreachable or cannot work to StoreUnavailable.

    Error replies begin with a code. A few codes are about the command or its data; every other, whatever it is (BUSY,
    LOADING, READONLY, one that a later version invents), is about the state of the store.
    """
    try:
        yield
    except _OUT_OF_REACH as error:
        raise StoreUnavailable(told_of(str(error) or type(error).__name__)) from error
    except ResponseError as error:
        if code_of(error) in _OF_THE_COMMAND:
            raise
        raise StoreUnavailable(told_of(str(error) or type(error).__name__)) from error


def code_of(error: ResponseError) -> str:
    """Return the code that an error reply began with."""
    code: str | None = error.status_code
    if code is None and (found := _CODE.match(str(error))):
        code = found[1]
    return code or "ERR"
