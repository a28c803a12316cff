"""UUIDv7 identifiers (RFC 9562): sortable by creation time, unguessable in their last 62 bits."""

import os
import time
import uuid

_RANDOM_BITS = (1 << 62) - 1
_SIZE = 10  # random bytes of one identifier
_BLOCK = 400 * _SIZE


class _Noise:
    """The system's random bytes, fetched in blocks: a system call for each identifier cost more than the rest of it."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def take(self) -> bytes:
        try:
            return self.parts.pop()  # atomic, so threads never get the same
        except IndexError:
            block = os.urandom(_BLOCK)
            self.parts.extend(block[at : at + _SIZE] for at in range(_SIZE, _BLOCK, _SIZE))
            return block[:_SIZE]

    def forget(self) -> None:
        self.parts.clear()


_noise = _Noise()
os.register_at_fork(after_in_child=_noise.forget)  # a child must not repeat its parent's identifiers


def uuid7() -> uuid.UUID:
    return uuid.UUID(int=uuid7_int(time.time_ns() // 1_000_000))


def uuid7_text() -> str:
    """The same as text, without the object: for the hot path."""
    digits = f"{uuid7_int(time.time_ns() // 1_000_000):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def uuid7_int(milliseconds: int) -> int:
    """The 128 bits of an identifier for a time in Unix milliseconds."""
    noise = int.from_bytes(_noise.take(), "big")
    return (
        (milliseconds & 0xFFFF_FFFF_FFFF) << 80
        | 0x7 << 76
        | (noise >> 62 & 0xFFF) << 64
        | 0b10 << 62
        | (noise & _RANDOM_BITS)
    )
