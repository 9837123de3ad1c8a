"""Forged tokens: what a stranger would try in place of a signature."""

import base64
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any

import jwt

from server.gateway.signing import Signer

STRANGER = b"another secret of at least 32 bytes"


def forgeries(genuine: str, secret: bytes, **changes: object) -> Iterator[tuple[str, str]]:
    """Yield tokens made from a *genuine* one by somebody without the secret, each with the trick that it tries."""
    claims = jwt.decode(genuine, options={"verify_signature": False})
    header, payload, signature = genuine.split(".")
    kid = jwt.get_unverified_header(genuine)["kid"]
    tampered = part({**claims, **changes})
    yield "another key", jwt.encode(claims, STRANGER, headers={"kid": kid})
    yield "the server's other kid", jwt.encode(claims, STRANGER, headers={"kid": "0" * 8})
    for name in ("none", "None", "NONE", "nOnE"):
        yield f"alg {name}", f"{part({'alg': name, 'typ': 'JWT', 'kid': kid})}.{payload}."
        yield f"alg {name} with a signature", f"{part({'alg': name, 'typ': 'JWT', 'kid': kid})}.{payload}.{signature}"
    yield "no alg", f"{part({'typ': 'JWT', 'kid': kid})}.{payload}.{signature}"
    yield "a tampered claim", f"{header}.{tampered}.{signature}"
    yield "a tampered claim without signature", f"{header}.{tampered}."
    yield "a tampered header", f"{part({'alg': 'HS256', 'kid': kid, 'x': 1})}.{payload}.{signature}"
    yield "half a signature", f"{header}.{payload}.{signature[: len(signature) // 2]}"
    yield "no signature at all", f"{header}.{payload}"
    yield "a part too many", f"{genuine}.{signature}"
    for trick in ("../../../../dev/null", "/dev/null", "", "' OR 1=1 --", "http://127.0.0.1:1/jwks", "\x00"):
        # A server that opens its kid as a file, or asks for it, would verify with a key that the forger knows.
        for key in (b"", STRANGER):
            yield f"kid {trick!r}", sign({"alg": "HS256", "typ": "JWT", "kid": trick}, claims, key)
    for kid_of_another_type in (None, 7, [kid], {"kid": kid}):
        yield f"kid {kid_of_another_type!r}", sign({"alg": "HS256", "kid": kid_of_another_type}, claims, STRANGER)
    for more in ({"jku": "http://127.0.0.1:1/keys"}, {"jwk": {"kty": "oct", "k": b64(STRANGER)}}, {"x5u": "/dev/null"}):
        yield f"a key of its own: {more}", sign({"alg": "HS256", "kid": kid, **more}, claims, STRANGER)
    for other in ("sha384", "sha512"):
        # Even with the right key: the algorithm is ours to choose.
        yield f"alg {other}", sign({"alg": other.replace("sha", "HS"), "kid": kid}, claims, secret, other)


def with_the_secret(genuine: str, secret: bytes) -> Iterator[tuple[str, str]]:
    """Yield tokens that the secret signed, and that still are none of ours: another kid, or claims of other types."""
    claims = jwt.decode(genuine, options={"verify_signature": False})
    kid = jwt.get_unverified_header(genuine)["kid"]
    yield "no kid", jwt.encode(claims, secret)
    yield "another kid", jwt.encode(claims, secret, headers={"kid": "../" + kid})
    for name in ("sub", "exp", "aud"):
        without = {key: value for key, value in claims.items() if key != name}
        yield f"no {name}", jwt.encode(without, secret, headers={"kid": kid})
    for exp in ("9" * 20, 1e300, True, None, [1]):
        yield f"exp {exp!r}", sign({"alg": "HS256", "kid": kid}, {**claims, "exp": exp}, secret)
    for sub in (7, None, ["anna"]):
        yield f"sub {sub!r}", sign({"alg": "HS256", "kid": kid}, {**claims, "sub": sub}, secret)


def expired(secret: bytes, purpose: str, claims: Mapping[str, str]) -> str:
    """Return a token that was good until the year 2001."""
    return Signer(secret).sign(claims, purpose=purpose, lasts_ms=0, now_ms=1_000_000_000_000)


def sign(header: Mapping[str, object], claims: Mapping[str, object], key: bytes, digest: str = "sha256") -> str:
    """Sign by hand what a library would not."""
    told = f"{part(header)}.{part(claims)}"
    return f"{told}.{b64(hmac.digest(key, told.encode(), digest))}"


def part(content: Mapping[str, Any]) -> str:
    return b64(json.dumps(content).encode())


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
