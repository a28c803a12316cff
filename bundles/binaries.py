"""WASM files as rows: inspected when they arrive, one row for each content, compiled by the runtime."""

from collections.abc import Mapping
from dataclasses import dataclass

from bundles import files, wake, wasmfile
from bundles.models import Binary
from bundles.values import Problem
from bundles.wasmfile import WasmError, WasmInfo

SUFFIX = ".wasm"
COMPILE = "runtime.compile"


@dataclass(frozen=True, slots=True)
class Inspected:
    """The good modules by path, and a problem for each of the others."""

    modules: Mapping[str, WasmInfo]
    problems: tuple[Problem, ...]


def inspect(contents: Mapping[str, bytes]) -> Inspected:
    modules: dict[str, WasmInfo] = {}
    problems: list[Problem] = []
    for path in sorted(path for path in contents if path.endswith(SUFFIX)):
        try:
            modules[path] = wasmfile.inspect(contents[path])
        except WasmError as wrong:
            problems.append(Problem("error", path, 1, 1, str(wrong)))
    return Inspected(modules, tuple(problems))


def exports_of(info: WasmInfo) -> dict[str, str]:
    """Names and signatures as the row keeps them."""
    return {name: str(signature) for name, signature in info.exports.items()}


def keep(data: bytes, info: WasmInfo) -> Binary:
    """The row of a content, made when it is new; what failed to compile before is tried again."""
    sha256 = files.put(data)
    row, created = Binary.objects.get_or_create(
        sha256=sha256,
        defaults={
            "size": len(data),
            "interface": info.interface,
            "exports": exports_of(info),
            "imports": [f"{module}.{name}" for module, name, _ in info.imports],
            "permissions": list(info.permissions),
        },
    )
    failed = Binary.objects.filter(pk=sha256, state=Binary.State.FAILED)
    if created or failed.update(state=Binary.State.COMPILING, error=""):
        compile_later(sha256)
        row.refresh_from_db()
    return row


def compile_later(sha256: str) -> None:
    wake.later(COMPILE, sha256)
