"""Error replies are about the store unless their code says that they are about the command or its data."""

import pytest
from redis.exceptions import (
    BusyLoadingError,
    ConnectionError,  # noqa: A004 - the library's own
    NoPermissionError,
    ReadOnlyError,
    ResponseError,
)

from server.store.unavailable import StoreUnavailable, unavailable_as_ours

OF_THE_STORE = [
    ResponseError("BUSY Valkey is busy running a script."),
    ResponseError("Command # 1 (GET a) of pipeline caused error: ('BUSY Valkey is busy running a script.',)"),
    ResponseError("MISCONF Valkey is configured to save RDB snapshots"),
    ResponseError("Command # 2 (SET a...) of pipeline caused error: ('MISCONF Errors writing to the AOF file: disk',)"),
    ResponseError('Command # 1 (HSET a\nb) of pipeline caused error: ("MISCONF Valkey can\'t write",)'),
    ResponseError("NOREPLICAS Not enough good replicas to write."),
    ResponseError("UNKILLABLE Sorry the script already executed write commands"),
    ResponseError("LATERCODE that no version knows yet"),
    ReadOnlyError("You can't write against a read only replica.", status_code="READONLY"),
    NoPermissionError("User u has no permissions to run the 'get' command", status_code="NOPERM"),
    BusyLoadingError("Valkey is loading the dataset in memory", status_code="LOADING"),
    ConnectionError("gone"),
    OSError("no route"),
]
OF_THE_COMMAND = [
    ResponseError("wrong number of arguments for 'hmget' command", status_code="ERR"),
    ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"),
    ResponseError("Command # 1 (HGET a b) of pipeline caused error: ('WRONGTYPE Operation against a key',)"),
    ResponseError("BROKEN wallet script: 1234, on @user_script:1."),
    ResponseError("Keys in request don't hash to the same slot", status_code="CROSSSLOT"),
]


@pytest.mark.parametrize("error", OF_THE_STORE, ids=str)
def test_every_other_code_means_that_the_store_is_unavailable(error: Exception) -> None:
    """Codes of states need no list: one that comes next is of the store too."""
    with pytest.raises(StoreUnavailable), unavailable_as_ours():
        raise error


@pytest.mark.parametrize("error", OF_THE_COMMAND, ids=str)
def test_a_mistake_of_ours_stays_one(error: ResponseError) -> None:
    """Waiting does not mend it."""
    with pytest.raises(type(error)) as caught, unavailable_as_ours():
        raise error
    assert caught.value is error


def test_a_full_disk_is_called_so() -> None:
    """The store's words for it, in a pipeline too, and the kernel's."""
    for error in (
        ResponseError("MISCONF Errors writing to the AOF file: No space left on device"),
        ResponseError("Command # 1 (PING) of pipeline caused error: ('MISCONF Errors: No space left on device',)"),
        OSError(28, "No space left on device"),
        OSError(122, "Disk quota exceeded"),
    ):
        with pytest.raises(StoreUnavailable, match=r"^disk full \("), unavailable_as_ours():
            raise error
