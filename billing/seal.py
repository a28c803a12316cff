"""Sealing bytes at rest: AES-256-GCM under keys derived from SECRET_KEY, bound to where they belong."""

import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

# version (1 byte), which key (4), nonce (12), then the ciphertext with its tag
VERSION = b"\x01"
NAME_SIZE, NONCE_SIZE = 4, 12
HEAD = len(VERSION) + NAME_SIZE


class Unreadable(Exception):
    """Sealed bytes that no present key opens, or that were moved from where they belong."""


@lru_cache(maxsize=16)
def _derive(secret: str) -> tuple[bytes, AESGCM]:
    """A key and the name by which sealed bytes remember it."""
    material = HKDF(
        algorithm=hashes.SHA256(), length=32 + NAME_SIZE, salt=None, info=b"priostack seal v1"
    ).derive(secret.encode())
    return material[32:], AESGCM(material[:32])


def _keys() -> dict[bytes, AESGCM]:
    return dict(_derive(secret) for secret in reversed([settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]))


def seal(data: bytes, place: str) -> bytes:
    """``data`` under the newest key; only ``unseal`` with the same ``place`` (a row's id, say) opens it."""
    name, key = _derive(settings.SECRET_KEY)
    nonce = os.urandom(NONCE_SIZE)
    return VERSION + name + nonce + key.encrypt(nonce, data, place.encode())


def unseal(sealed: bytes | memoryview, place: str) -> bytes:
    raw = bytes(sealed)
    key = _keys().get(raw[len(VERSION) : HEAD]) if raw[:1] == VERSION else None
    if key is None:
        raise Unreadable("sealed under a key that is in neither SECRET_KEY nor SECRET_KEY_FALLBACKS")
    try:
        return key.decrypt(raw[HEAD : HEAD + NONCE_SIZE], raw[HEAD + NONCE_SIZE :], place.encode())
    except InvalidTag:
        raise Unreadable("changed, or moved from the place it was sealed for") from None


def is_stale(sealed: bytes | memoryview) -> bool:
    """Whether ``sealed`` waits to be sealed again under the newest key."""
    return bytes(sealed)[len(VERSION) : HEAD] != _derive(settings.SECRET_KEY)[0]


def key_name(secret: str) -> str:
    """By which sealed bytes remember the key of ``secret``; it tells nothing of the key."""
    return _derive(secret)[0].hex()


def knows_key(name: str) -> bool:
    return bytes.fromhex(name) in _keys()
