"""The way into a server over HTTP: every request of a run is made here, so that its surroundings do not change it."""

import ssl
from dataclasses import dataclass, field

import requests

from loadtest.targets.credential import bearer


def http_session(ca_file: str | None = None) -> requests.Session:
    """
    Return a session without the proxies of the environment and without ``~/.netrc``, which would replace a credential.

    TLS is verified, by *ca_file* or by the system's authorities.
    """
    session = requests.Session()
    session.trust_env = False
    system = ssl.get_default_verify_paths()
    session.verify = ca_file or system.cafile or system.capath or True
    return session


@dataclass(frozen=True, slots=True)
class Access:
    """The credential that a server is shown, or "", and the file of the authorities that vouch for its certificate."""

    token: str = field(default="", repr=False)
    ca_file: str | None = None

    def session(self) -> requests.Session:
        """Return a session that shows the credential."""
        session = http_session(self.ca_file)
        session.headers.update(bearer(self.token))
        return session


NOBODY = Access()
"""For a server that asks nobody, such as a storm's own."""
