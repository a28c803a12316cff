"""Who sends a token that is not a key of ours: signed ones (JWT) with the algorithm pinned, and fixed ones."""

import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jwt
import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

LONGEST = 8 * 1024
LEEWAY_S = 5.0  # that clocks may differ
SHORTEST_KEY = 32  # bytes of a shared key (RFC 7518 §3.2)
SMALLEST_RSA = 2048
KNOWN = 200  # verified tokens of one endpoint that are remembered …
KNOWN_SIZE = 1_024  # … none longer than this …
KNOWN_S = 30.0  # … and for so long at most
PEM = b"-----BEGIN"


class Unfit(ValueError):
    """The secret cannot verify anything; the message says why, and never the secret."""


class Proof(NamedTuple):
    """Who it is: for the history, for counting and keeping, and what the token says."""

    caller: str
    identity: str
    claims: dict[str, Any]


Verify = Callable[[str], Proof | None]


class Fixed:
    """One token for all; compared in constant time."""

    def __init__(self, name: str, expected: bytes) -> None:
        if len(expected) < 16:
            raise Unfit("a fixed token has at least 16 characters")
        self.wanted = hashlib.sha256(expected).digest()
        self.proof = Proof(f"token:{name}", f"token:{name}", {})

    def __call__(self, token: str) -> Proof | None:
        given = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        return self.proof if hmac.compare_digest(given, self.wanted) else None


class Signed:
    """The algorithm comes from the bundle, never from the token; exp is required, nbf, iat, aud and iss are checked."""

    def __init__(self, algorithm: str, key: bytes, *, audience: str | None, issuer: str | None) -> None:
        self.algorithm, self.audience, self.issuer = algorithm, audience, issuer
        self.key: Any = shared(key) if algorithm == "HS256" else public(key)
        self.known: dict[str, tuple[float, Proof]] = {}

    def __call__(self, token: str) -> Proof | None:
        found = self.known.get(token)
        if found is not None and found[0] > time.time():
            return found[1]
        proof = self.verified(token) if len(token) <= LONGEST else None
        if proof is not None and len(token) <= KNOWN_SIZE:
            self.remember(token, proof)
        return proof

    def verified(self, token: str) -> Proof | None:
        try:
            claims = jwt.decode(
                token,
                self.key,
                algorithms=[self.algorithm],
                audience=self.audience,
                issuer=self.issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp"]},
            )
            orjson.dumps(claims)  # functions and expressions are told them
        except (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError):
            return None
        return proven(claims, token)

    def remember(self, token: str, proof: Proof) -> None:
        if len(self.known) >= KNOWN:
            self.known.clear()
        self.known[token] = (min(float(proof.claims["exp"]), time.time() + KNOWN_S), proof)


def proven(claims: dict[str, Any], token: str) -> Proof:
    """Tokens without a subject are callers of their own each."""
    subject = claims.get("sub")
    if isinstance(subject, str) and subject:
        identity = f"jwt:{orjson.dumps([claims.get('iss'), subject]).decode()}"
        return Proof("jwt:" + "".join(map(printable, subject[:96])), identity, claims)
    return Proof("jwt", "jwt#" + hashlib.sha256(token.encode()).hexdigest(), claims)


def printable(letter: str) -> str:
    """Nobody writes lines of his own into logs."""
    return letter if letter.isprintable() else "\ufffd"


def shared(key: bytes) -> bytes:
    if key.lstrip().startswith(PEM):
        raise Unfit("HS256 needs a shared key, and the secret is a key file: with it anybody could sign")
    if len(key) < SHORTEST_KEY:
        raise Unfit(f"a shared key for HS256 has at least {SHORTEST_KEY} bytes")
    return key


def public(key: bytes) -> RSAPublicKey:
    try:
        found = load_pem_public_key(key)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Unfit("RS256 needs a public key in PEM") from None
    if not isinstance(found, RSAPublicKey) or found.key_size < SMALLEST_RSA:
        raise Unfit(f"RS256 needs an RSA key of at least {SMALLEST_RSA} bits")
    return found
