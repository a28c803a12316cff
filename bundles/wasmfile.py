"""What a WebAssembly module is, read from its bytes alone: exports, imports, memory, interface."""

from collections.abc import Mapping
from dataclasses import dataclass

from bundles.wasmcallable import interface_of, resolve
from bundles.wasmimports import ALLOWED, WASI_MODULE, Signature, allowed_text, permissions
from bundles.wasmreader import WasmError
from bundles.wasmsections import Sections, read

__all__ = ["MAX_BYTES", "Signature", "WasmError", "WasmInfo", "inspect", "resolve"]

MAX_BYTES = 5 * 1024 * 1024
PAGE = 65_536
MEMORY = 16 * 1024 * 1024
WASI_MEMORY = 64 * 1024 * 1024
_CORE = b"\x00asm\x01\x00\x00\x00"


@dataclass(frozen=True, slots=True)
class WasmInfo:
    """Facts about one module that was found fit to run."""

    exports: Mapping[str, Signature | str]
    imports: tuple[tuple[str, str, Signature], ...]
    memory_min: int
    memory_max: int | None
    interface: str
    permissions: tuple[str, ...]
    has_start: bool = False

    def resolve(self, function: str) -> str | None:
        """The export that `wasm:MODULE:function` runs, or None."""
        return resolve(self.exports, function)

    @property
    def functions(self) -> tuple[str, ...]:
        """Names that a target may give, as shown to people."""
        return tuple(name for name in self.exports if resolve(self.exports, name) == name)

    @property
    def waits(self) -> bool:
        """Whether the module imports a function that waits for the world outside."""
        return any(module == "priostack" and name in ("http", "call") for module, name, _ in self.imports)


def inspect(data: bytes, *, max_memory: int | None = None) -> WasmInfo:
    """Read a module; raises WasmError with the exact reason when it cannot run here. Memory is in bytes."""
    _check_head(data)
    sections = read(data)
    _check_imports(sections)
    interface = interface_of(sections.exports, [(module, name) for module, name, _ in sections.imports])
    # Ordinary libraries for WASI reserve more than 16 MiB for their stack.
    wasi = any(module == WASI_MODULE for module, _, _ in sections.imports)
    limit = max_memory or (WASI_MEMORY if wasi else MEMORY)
    _check_memory(sections, limit)
    return WasmInfo(
        exports=sections.exports,
        imports=tuple(sections.imports),
        memory_min=sections.memory_min * PAGE,
        memory_max=None if sections.memory_max is None else sections.memory_max * PAGE,
        interface=interface,
        permissions=permissions((module, name) for module, name, _ in sections.imports),
        has_start=sections.has_start,
    )


def _check_head(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise WasmError(f"the module is {len(data)} bytes; the limit is {MAX_BYTES} (5 MB)")
    if len(data) < 8 and _CORE.startswith(data[:4]):
        raise WasmError("the module is truncated: a module begins with 8 bytes")
    if data[:4] != b"\x00asm":
        raise WasmError(f"not a WebAssembly module: it does not begin with \\0asm{_looks_like(data)}")
    if data[6] == 1:
        raise WasmError(
            "this is a WebAssembly component; only core modules run here. Build a core module"
            " (for Rust: target wasm32-wasip1 or wasm32-unknown-unknown)"
        )
    if data[:8] != _CORE:
        version = int.from_bytes(data[4:8], "little")
        raise WasmError(f"WebAssembly version {version} is not known; version 1 is")


def _looks_like(data: bytes) -> str:
    if data.lstrip()[:7] == b"(module":
        return "; it is the text format: compile it with wat2wasm first"
    if data[:2] == b"PK":
        return "; it is a ZIP file"
    if data[:4] == b"\x7fELF":
        return "; it is a native program"
    return ""


def _check_imports(sections: Sections) -> None:
    wrong: list[str] = []
    for module, name, signature in sections.imports:
        if module.startswith("extism:"):
            raise WasmError(
                "this module was built with the Extism PDK, which needs its own host. Export `memory`,"
                " `alloc(size: i32) -> i32` and `handle(ptr: i32, len: i32) -> i64` instead, or build a"
                " WASI program that reads JSON from stdin and writes JSON to stdout"
            )
        expected = ALLOWED.get(module, {}).get(name)
        if expected is None:
            wrong.append(f"{module}.{name}"[:120])
        elif expected != signature:
            raise WasmError(f"import {module}.{name} has the signature {signature}; it must be {expected}")
    if wrong:
        more = f" and {len(wrong) - 10} more" if len(wrong) > 10 else ""
        raise WasmError(
            f"unknown imports: {', '.join(wrong[:10])}{more}. Allowed imports are {allowed_text()}"
        )


def _check_memory(sections: Sections, limit: int) -> None:
    if sections.memory_min * PAGE > limit:
        raise WasmError(
            f"the module asks for {sections.memory_min * PAGE} bytes of memory at start; the limit is {limit}"
            " (a linker's default stack may be the reason: -Wl,-z,stack-size=65536)"
        )
