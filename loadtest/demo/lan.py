"""The local network: by which address other devices reach this machine."""

import ipaddress
import socket

_ELSEWHERE = ("192.0.2.1", 9)  # documentation only (RFC 5737): routed like any other, and nothing is sent there


def lan_address() -> str | None:
    """Return this machine's address on the network that leads elsewhere, or None without one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:
            return None
        address: str = probe.getsockname()[0]
    return None if ipaddress.ip_address(address).is_loopback else address


def is_own(address: str) -> bool:
    """Return whether *address* is one of this machine, which it can listen on."""
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
        with socket.socket(family) as probe:
            probe.bind((address, 0))
    except (ValueError, OSError):
        return False
    return not ipaddress.ip_address(address).is_unspecified
