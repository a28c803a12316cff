"""Which exports a target may call, under which spellings, and by which convention."""

import re
from collections.abc import Iterable, Mapping

from bundles import names
from bundles.target import SPACE, spellings
from bundles.wasmimports import WASI_MODULE, Signature

Exports = Mapping[str, Signature | str]

# Plumbing of the guest's own toolchain; never a function that a tenant declares.
_PLUMBING = frozenset(
    {"memory", "alloc", "free", "malloc", "calloc", "realloc", "dealloc", "_start", "_initialize"}
)
# What compilers make of main() beside `_start`.
_OF_PROGRAMS = frozenset({"main", "_main"})
_PLUMBING_PREFIXES = ("__", "cabi_", "canonical_abi_", "asyncify_", "wasi_", "emscripten_")
# What a program may be told as its argument: never something that looks like an option.
_ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,99}\Z")
_NUMBERS = frozenset({"i32", "i64", "f32", "f64"})
MAX_NUMBERS = 32
_PAIR = ("i32", "i32")


def resolve(exports: Exports, function: str) -> str | None:
    """FUNCTION itself, then handle_FUNCTION, then kebab, camel and snake spellings; else a program's start."""
    if names.fault(function) or SPACE.search(function) or is_plumbing(function):
        return None
    program = is_command(exports)
    for name in spellings(function):
        if convention(exports, name) is not None and not (program and name in _OF_PROGRAMS):
            return name
    return "_start" if program and _ARGUMENT.match(function) else None


def is_plumbing(name: str) -> bool:
    return name in _PLUMBING or name.startswith(_PLUMBING_PREFIXES)


def convention(exports: Exports, name: str) -> str | None:
    """How an export is called: plain-i64, plain-i32, assemblyscript, numeric; None when it cannot be."""
    signature = exports.get(name)
    if not isinstance(signature, Signature) or is_plumbing(name):
        return None
    params, results = signature
    if params == _PAIR and _has_alloc(exports):
        if results == ("i64",):
            return "plain-i64"
        if results == ("i32",):
            return "plain-i32"
    if params == ("i32",) and results == ("i32",) and _has_strings(exports):
        return "assemblyscript"
    few = len(params) <= MAX_NUMBERS and len(results) <= 1
    if few and _NUMBERS.issuperset(params) and _NUMBERS.issuperset(results):
        return "numeric"
    return None


def interface_of(exports: Exports, imports: Iterable[tuple[str, str]]) -> str:
    """The one word for a module: the strongest convention among its exports."""
    program = is_command(exports)
    if program and any(module == WASI_MODULE for module, _ in imports):
        return "wasi"
    found = {convention(exports, name) for name in exports}
    for word in ("plain-i64", "plain-i32", "assemblyscript"):
        if word in found:
            return word
    return "wasi" if program and not found - {None} else "numeric"


def is_command(exports: Exports) -> bool:
    """Whether it is a program: something with a start and a standard output."""
    return exports.get("_start") == Signature((), ())


def _has_alloc(exports: Exports) -> bool:
    return exports.get("memory") == "memory" and exports.get("alloc") == Signature(("i32",), ("i32",))


def _has_strings(exports: Exports) -> bool:
    return (
        exports.get("memory") == "memory"
        and exports.get("__new") == Signature(_PAIR, ("i32",))
        and exports.get("__pin") == Signature(("i32",), ("i32",))
    )
