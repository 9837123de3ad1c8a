"""WebSocket frames encoded by hand: every frame we send, and the simplest ones we receive."""

from typing import Final

from websockets.frames import CloseCode

try:
    from websockets.speedups import apply_mask
except ImportError:  # the library works without its C part, and so do we
    from websockets.utils import apply_mask

SERVICE_RESTART: Final = int(CloseCode.SERVICE_RESTART)  # 1012
UNSUPPORTED_DATA: Final = int(CloseCode.UNSUPPORTED_DATA)  # 1003
INVALID_DATA: Final = int(CloseCode.INVALID_DATA)  # 1007
POLICY_VIOLATION: Final = int(CloseCode.POLICY_VIOLATION)  # 1008
TOO_FAR_BEHIND: Final = 4008  # ours: reconnect and resume

PING: Final = b"\x89\x00"

_SMALL_MAX = 125
_FINAL_TEXT = 0x81
_FINAL_PONG = 0x8A
_MASKED = 0x80
_SMALL_HEADERS = tuple(bytes((_FINAL_TEXT, length)) for length in range(_SMALL_MAX + 1))
_REASON_BYTES_MAX = 123  # RFC 6455, 5.5: a control frame carries at most 125 bytes, two of them are the code


def text_frame(text: bytes) -> bytes:
    """Return *text* (UTF-8) as one final, unmasked text frame."""
    length = len(text)
    if length <= _SMALL_MAX:
        return _SMALL_HEADERS[length] + text
    if length < 1 << 16:
        return b"\x81\x7e" + length.to_bytes(2, "big") + text
    return b"\x81\x7f" + length.to_bytes(8, "big") + text


def binary_frame(payload: bytes) -> bytes:
    """Return *payload* as one final, unmasked binary frame."""
    frame = text_frame(payload)
    return b"\x82" + frame[1:]


def close_frame(code: int, reason: str) -> bytes:
    """Return a close frame; a reason that is too long is cut at a whole character."""
    body = code.to_bytes(2, "big") + reason.encode()[:_REASON_BYTES_MAX].decode(errors="ignore").encode()
    return bytes((0x88, len(body))) + body


def small_text(data: bytes) -> bytes | None:
    """
    Return the payload if *data* is exactly one final masked text frame under 126 bytes of payload, else None.

    The payload is not checked to be UTF-8. Only for a connection that is open, with nothing buffered and no fragmented
    message begun.
    """
    length = len(data) - 6  # two bytes of header, four of mask
    if not 0 <= length <= _SMALL_MAX or data[0] != _FINAL_TEXT or data[1] != _MASKED | length:
        return None
    return apply_mask(data[6:], data[2:6])


def is_small_pong(data: bytes) -> bool:
    """Return whether *data* is exactly one masked pong, as a silent viewer answers our ping."""
    length = len(data) - 6
    return 0 <= length <= _SMALL_MAX and data[0] == _FINAL_PONG and data[1] == _MASKED | length
