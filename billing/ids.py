"""UUIDv7 identifiers (RFC 9562): sortable by creation time, unguessable in their last 62 bits."""

import os
import time
import uuid

_DIGITS = 19  # random hexadecimal digits of one identifier
_COUNT = 400
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def _tails() -> list[str]:
    """What follows the time in identifiers: version, variant and random bits."""
    text = os.urandom(_COUNT * _DIGITS // 2).hex()
    return [
        f"7{text[at : at + 3]}-{_VARIANT[text[at + 3]]}{text[at + 4 : at + 7]}-{text[at + 7 : at + 19]}"
        for at in range(0, _COUNT * _DIGITS, _DIGITS)
    ]


class _Noise:
    """The system's random bytes, fetched in blocks: a system call for each identifier cost more than the rest of it."""

    def __init__(self) -> None:
        self.tails: list[str] = []

    def take(self) -> str:
        try:
            return self.tails.pop()  # atomic, so threads never get the same
        except IndexError:
            first, *others = _tails()
            self.tails.extend(others)
            return first

    def forget(self) -> None:
        self.tails.clear()


_noise = _Noise()
os.register_at_fork(after_in_child=_noise.forget)  # a child must not repeat its parent's identifiers


def uuid7() -> uuid.UUID:
    return uuid.UUID(uuid7_text())


def uuid7_text() -> str:
    """The same as text, without the object: for the hot path."""
    stamp = f"{time.time_ns() // 1_000_000:012x}"
    return f"{stamp[:8]}-{stamp[8:]}-{_noise.take()}"
