"""The body of an answer from outside, counted before and after decompression."""

import zlib
from collections.abc import Iterator

PIECE = 65_536


class EgressFailed(Exception):
    """The request was allowed but did not end well. `reason` is fit to be shown."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Body:
    """Counts what arrives and what it decodes to; never holds more than one piece of either."""

    def __init__(self, encoding: str, max_bytes: int) -> None:
        self._encoding = encoding.strip().lower()
        if self._encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise EgressFailed("the answer has a content encoding that was not asked for")
        self._max = max_bytes
        self._arrived = self._decoded = 0
        self._inflater = None if self._encoding in ("", "identity") else self._new_inflater()

    def take(self, part: bytes) -> Iterator[bytes]:
        self._arrived = self._count(self._arrived, part)
        if self._inflater is None:
            yield part
            return
        while part:
            piece, part = self._inflate(part)
            self._decoded = self._count(self._decoded, piece)
            if piece:
                yield piece

    def finish(self) -> None:
        if self._inflater is not None and self._arrived and not self._inflater.eof:
            raise EgressFailed("the compressed answer ends too early")

    def _count(self, so_far: int, part: bytes) -> int:
        if so_far + len(part) > self._max:
            raise EgressFailed(f"the answer is larger than {self._max} bytes")
        return so_far + len(part)

    def _inflate(self, part: bytes) -> tuple[bytes, bytes]:
        """One bounded piece and what is left of `part`."""
        assert self._inflater is not None
        if self._inflater.eof:
            self._inflater = self._new_inflater()  # gzip may be written in several members
        try:
            piece = self._inflater.decompress(part, PIECE)
        except zlib.error:
            raise EgressFailed("the compressed answer is damaged") from None
        return piece, self._inflater.unused_data if self._inflater.eof else self._inflater.unconsumed_tail

    def _new_inflater(self) -> "zlib._Decompress":
        return zlib.decompressobj(15 if self._encoding == "deflate" else 31)
