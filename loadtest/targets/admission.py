"""The way into a server that asks who one is: tickets for viewers who come the first time."""

import secrets
import threading

import requests

from loadtest.targets.credential import HOW, bearer
from loadtest.targets.port import NotAdmitted

TICKETS_IN_FLIGHT_MAX = 16  # asked for at a time, by each process of an engine
TIMEOUT_S = 10.0


def what_to_do(response: requests.Response) -> str:
    """Return what helps against an answer that says who asks is not known or may not, or nothing."""
    answers = (requests.codes.unauthorized, requests.codes.forbidden)
    return f": this server asks who one is: {HOW}" if response.status_code in answers else ""


class TicketClient:
    """Asks *host* for tickets, a few at a time; for threads and for greenlets."""

    def __init__(self, host: str, token: str) -> None:
        self._host = host
        self._http = requests.Session()
        self._http.headers.update(bearer(token))
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=TICKETS_IN_FLIGHT_MAX)
        self._http.mount("http://", adapter)
        self._in_flight = threading.BoundedSemaphore(TICKETS_IN_FLIGHT_MAX)

    def ask(self, room_id: str, viewer_id: str) -> str:
        """Return a ticket for a viewer, which opens the room for a minute. Raises NotAdmitted."""
        url = f"{self._host}/api/rooms/{room_id}/tickets"
        headers = {"Idempotency-Key": secrets.token_hex(8)}
        try:
            with self._in_flight:
                response = self._http.post(url, json={"viewer_id": viewer_id}, headers=headers, timeout=TIMEOUT_S)
        except requests.RequestException as error:
            raise NotAdmitted(None, f"no ticket: {type(error).__name__}") from error
        if not response.ok:
            raise NotAdmitted(response.status_code, f"{response.status_code} no ticket{what_to_do(response)}")
        return str(response.json()["ticket"])
