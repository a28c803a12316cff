"""Reads the sections of a core module that decide whether and how it can run; skips code and data."""

from dataclasses import dataclass, field

from bundles.wasmimports import Signature
from bundles.wasmreader import Reader, WasmError

MAX_TYPES = 10_000
MAX_FUNCTIONS = 50_000
MAX_IMPORTS = 1_000
MAX_EXPORTS = 10_000
MAX_GLOBALS = 10_000
MAX_TABLE = 10_000
MAX_LOCALS = 50_000
MAX_PARAMS = 1_000
MAX_SEGMENTS = 100_000
_KINDS = ("function", "table", "memory", "global", "tag")
# The order sections must stand in; custom sections (0) may stand anywhere.
_ORDER = {section: place for place, section in enumerate((1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11))}


@dataclass(slots=True)
class Sections:
    """What was found, as far as it matters."""

    types: list[Signature] = field(default_factory=list)
    functions: list[int] = field(default_factory=list)
    imports: list[tuple[str, str, Signature]] = field(default_factory=list)
    exports: dict[str, Signature | str] = field(default_factory=dict)
    tables: int = 0
    globals: int = 0
    memories: int = 0
    memory_min: int = 0
    memory_max: int | None = None
    bodies: int = 0
    has_start: bool = False


def read(data: bytes) -> Sections:
    """Walk the sections after the 8 head bytes; raises WasmError on anything out of order."""
    found = Sections()
    top = Reader(data, 8, len(data), "module")
    last = -1
    while top.place < top.end:
        number = top.byte()
        size = top.u32()
        start = top.skip(size)
        if number == 0:
            continue
        if number not in _ORDER:
            raise _unknown(number)
        if _ORDER[number] <= last:
            raise WasmError(f"section {number} is repeated or out of order")
        last = _ORDER[number]
        _section(number, Reader(data, start, start + size, f"section {number}"), found)
    _finish(found)
    return found


def _unknown(number: int) -> WasmError:
    if number == 13:
        return WasmError("the module uses exceptions (tags), which are not supported")
    return WasmError(f"unknown section {number}")


def _section(number: int, r: Reader, found: Sections) -> None:
    handler = _HANDLERS.get(number)
    if handler is not None:
        handler(r, found)
        r.done()


def _finish(found: Sections) -> None:
    declared = len(found.functions) - len(found.imports)
    if found.bodies != declared:
        raise WasmError(f"the module declares {declared} functions and has {found.bodies} bodies")


def _types(r: Reader, found: Sections) -> None:
    for _ in range(r.count(MAX_TYPES, "types")):
        form = r.byte()
        if form != 0x60:
            raise WasmError("the module uses garbage-collected types, which are not supported")
        params = tuple(r.value_type() for _ in range(r.count(MAX_PARAMS, "parameters")))
        results = tuple(r.value_type() for _ in range(r.count(MAX_PARAMS, "results")))
        found.types.append(Signature(params, results))


def _type_index(r: Reader, found: Sections) -> int:
    index = r.u32()
    if index >= len(found.types):
        raise r.fail(f"type {index} does not exist")
    return index


def _imports(r: Reader, found: Sections) -> None:
    for _ in range(r.count(MAX_IMPORTS, "imports")):
        module, name = r.name(), r.name()
        kind = r.byte()
        if kind != 0:
            word = _KINDS[kind] if kind < len(_KINDS) else f"kind {kind}"
            hint = "; export one instead (without --import-memory)" if kind == 2 else ""
            raise WasmError(f"import {module}.{name} is a {word}; only functions can be imported{hint}")
        index = _type_index(r, found)
        found.imports.append((module, name, found.types[index]))
        found.functions.append(index)


def _functions(r: Reader, found: Sections) -> None:
    for _ in range(r.count(MAX_FUNCTIONS, "functions")):
        found.functions.append(_type_index(r, found))


def _limits(r: Reader) -> tuple[int, int | None]:
    flags = r.byte()
    if flags & 2:
        raise WasmError("shared memory (threads) is not supported")
    if flags & 4:
        raise WasmError("64-bit memory is not supported")
    if flags & 8:
        raise WasmError("custom page sizes are not supported")
    if flags > 1:
        raise r.fail(f"unknown limits 0x{flags:02x}")
    low = r.u32()
    high = r.u32() if flags else None
    if high is not None and high < low:
        raise r.fail("a maximum is below its minimum")
    return low, high


def _tables(r: Reader, found: Sections) -> None:
    found.tables = r.count(4, "tables")
    for _ in range(found.tables):
        code = r.byte()
        if code not in (0x70, 0x6F):
            raise r.fail("only tables of functions and external references are supported")
        low, _high = _limits(r)
        if low > MAX_TABLE:
            raise WasmError(f"a table has {low} elements; the limit is {MAX_TABLE}")


def _memories(r: Reader, found: Sections) -> None:
    found.memories = r.u32()
    if found.memories > 1:
        raise WasmError(f"the module has {found.memories} memories; one is supported")
    for _ in range(found.memories):
        found.memory_min, found.memory_max = _limits(r)
        if max(found.memory_min, found.memory_max or 0) > 65_536:
            raise r.fail("a memory is larger than 4 GiB")


def _globals(r: Reader, found: Sections) -> None:
    # Initialisers are code; the compiler checks them.
    found.globals = r.count(MAX_GLOBALS, "globals")
    r.place = r.end


def _exports(r: Reader, found: Sections) -> None:
    for _ in range(r.count(MAX_EXPORTS, "exports")):
        name = r.name()
        kind, index = r.byte(), r.u32()
        if name in found.exports:
            raise WasmError(f"two exports are named {name[:100]}")
        found.exports[name] = _export(r, found, kind, index)


def _export(r: Reader, found: Sections, kind: int, index: int) -> Signature | str:
    sizes = (len(found.functions), found.tables, found.memories, found.globals)
    if kind >= len(sizes):
        raise r.fail(f"an export of kind {kind} is not supported")
    if index >= sizes[kind]:
        raise r.fail(f"an export names {_KINDS[kind]} {index}, which does not exist")
    return found.types[found.functions[index]] if kind == 0 else _KINDS[kind]


def _start(r: Reader, found: Sections) -> None:
    if r.u32() >= len(found.functions):
        raise r.fail("the start function does not exist")
    found.has_start = True


def _elements(r: Reader, found: Sections) -> None:
    r.count(MAX_SEGMENTS, "element segments")
    r.place = r.end


def _code(r: Reader, found: Sections) -> None:
    found.bodies = r.count(MAX_FUNCTIONS, "function bodies")
    for _ in range(found.bodies):
        size = r.u32()
        start = r.skip(size)
        _locals(Reader(r.data, start, start + size, "function body"))


def _locals(r: Reader) -> None:
    total = 0
    for _ in range(r.count(MAX_LOCALS, "local declarations")):
        total += r.u32()
        r.value_type()
        if total > MAX_LOCALS:
            raise WasmError(f"a function has more than {MAX_LOCALS} local variables")


def _data(r: Reader, found: Sections) -> None:
    r.count(MAX_SEGMENTS, "data segments")
    r.place = r.end


_HANDLERS = {
    1: _types,
    2: _imports,
    3: _functions,
    4: _tables,
    5: _memories,
    6: _globals,
    7: _exports,
    8: _start,
    9: _elements,
    10: _code,
    11: _data,
}
