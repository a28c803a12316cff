"""A bounded cursor over WebAssembly bytes; every read is checked, every count has a limit."""


class WasmError(Exception):
    """The bytes are not a module that can run here; the text says why and what to do."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


VALUE_TYPES = {
    0x7F: "i32",
    0x7E: "i64",
    0x7D: "f32",
    0x7C: "f64",
    0x7B: "v128",
    0x70: "funcref",
    0x6F: "externref",
}


class Reader:
    """Reads numbers, names and types between two offsets of one buffer."""

    __slots__ = ("data", "end", "place", "what")

    def __init__(self, data: bytes, place: int, end: int, what: str) -> None:
        self.data = data
        self.place = place
        self.end = end
        self.what = what

    def fail(self, problem: str) -> WasmError:
        return WasmError(f"{self.what}: {problem} at byte {self.place}")

    def byte(self) -> int:
        if self.place >= self.end:
            raise self.fail("the module is truncated")
        value = self.data[self.place]
        self.place += 1
        return value

    def u32(self) -> int:
        return self._unsigned(32)

    def u64(self) -> int:
        return self._unsigned(64)

    def _unsigned(self, bits: int) -> int:
        value = 0
        for shift in range(0, bits, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value >> bits:
                    break
                return value
        raise self.fail("a number is too large")

    def count(self, limit: int, noun: str) -> int:
        """A vector's length: no more than `limit`, nor than the bytes that are left."""
        found = self.u32()
        if found > limit:
            raise WasmError(f"too many {noun}: {found}, the limit is {limit}")
        if found > self.end - self.place:
            raise self.fail("the module is truncated")
        return found

    def skip(self, size: int) -> int:
        """Step over `size` bytes; returns where they began."""
        start = self.place
        if size > self.end - start:
            raise self.fail("the module is truncated")
        self.place = start + size
        return start

    def name(self) -> str:
        size = self.u32()
        if size > 1024:
            raise self.fail("a name is longer than 1024 bytes")
        start = self.skip(size)
        try:
            return self.data[start : start + size].decode("utf-8")
        except UnicodeDecodeError:
            raise self.fail("a name is not UTF-8")

    def value_type(self) -> str:
        code = self.byte()
        if code not in VALUE_TYPES:
            raise self.fail(f"value type 0x{code:02x} is not supported (garbage collection, exceptions)")
        return VALUE_TYPES[code]

    def done(self) -> None:
        if self.place != self.end:
            raise self.fail("the section is longer than its contents")
