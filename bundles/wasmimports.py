"""The functions a module may import, their signatures, and what each means to the person who installs it."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

_LETTERS = {"i": "i32", "I": "i64", "f": "f32", "F": "f64"}


class Signature(NamedTuple):
    """Parameter and result types of one function, by their WebAssembly names."""

    params: tuple[str, ...]
    results: tuple[str, ...]

    def __str__(self) -> str:
        result = ", ".join(self.results) if self.results else "nothing"
        return f"({', '.join(self.params)}) -> {result}"


def signature_of(text: str) -> Signature | str:
    """What `str` made of a signature, read again; the kind of an export that is no function as it is."""
    params, arrow, result = text.partition(") -> ")
    if not arrow:
        return text
    given = tuple(params.removeprefix("(").split(", ")) if params != "(" else ()
    return Signature(given, () if result == "nothing" else tuple(result.split(", ")))


def _signature(short: str) -> Signature:
    params, _, results = short.partition(":")
    return Signature(tuple(_LETTERS[c] for c in params), tuple(_LETTERS[c] for c in results))


def _table(short: Mapping[str, str]) -> dict[str, Signature]:
    return {name: _signature(text) for name, text in short.items()}


PRIOSTACK = _table(
    {
        "log": "iii:",
        "signal": "iiF:i",
        "fire": "iiii:i",
        "kv_get": "ii:I",
        "kv_set": "iiii:i",
        "kv_delete": "ii:i",
        "kv_list": "ii:I",
        "secret": "ii:I",
        "now_ms": ":I",
        "random": ":I",
        "http": "ii:I",
        "call": "iiii:I",
    }
)
# AssemblyScript's own imports; asc writes them by itself.
CONSOLE = ("debug", "info", "log", "warn", "error")
ENV = _table(
    {"abort": "iiii:", "trace": "iiFFFFF:", "seed": ":F", "Date.now": ":F", "performance.now": ":F"}
    | {f"console.{name}": "i:" for name in CONSOLE}
)
WASI = _table(
    {
        "args_get": "ii:i",
        "args_sizes_get": "ii:i",
        "environ_get": "ii:i",
        "environ_sizes_get": "ii:i",
        "clock_res_get": "ii:i",
        "clock_time_get": "iIi:i",
        "fd_advise": "iIIi:i",
        "fd_allocate": "iII:i",
        "fd_close": "i:i",
        "fd_datasync": "i:i",
        "fd_fdstat_get": "ii:i",
        "fd_fdstat_set_flags": "ii:i",
        "fd_fdstat_set_rights": "iII:i",
        "fd_filestat_get": "ii:i",
        "fd_filestat_set_size": "iI:i",
        "fd_filestat_set_times": "iIIi:i",
        "fd_pread": "iiiIi:i",
        "fd_prestat_get": "ii:i",
        "fd_prestat_dir_name": "iii:i",
        "fd_pwrite": "iiiIi:i",
        "fd_read": "iiii:i",
        "fd_readdir": "iiiIi:i",
        "fd_renumber": "ii:i",
        "fd_seek": "iIii:i",
        "fd_sync": "i:i",
        "fd_tell": "ii:i",
        "fd_write": "iiii:i",
        "path_create_directory": "iii:i",
        "path_filestat_get": "iiiii:i",
        "path_filestat_set_times": "iiiiIIi:i",
        "path_link": "iiiiiii:i",
        "path_open": "iiiiiIIii:i",
        "path_readlink": "iiiiii:i",
        "path_remove_directory": "iii:i",
        "path_rename": "iiiiii:i",
        "path_symlink": "iiiii:i",
        "path_unlink_file": "iii:i",
        "poll_oneoff": "iiii:i",
        "proc_exit": "i:",
        "proc_raise": "i:i",
        "random_get": "ii:i",
        "sched_yield": ":i",
        "sock_accept": "iii:i",
        "sock_recv": "iiiiii:i",
        "sock_send": "iiiii:i",
        "sock_shutdown": "ii:i",
    }
)
WASI_MODULE = "wasi_snapshot_preview1"
ALLOWED: Mapping[str, Mapping[str, Signature]] = {"priostack": PRIOSTACK, "env": ENV, WASI_MODULE: WASI}

# Functions that can wait for the world outside; a module that imports one of these goes to a fiber.
WAITING = frozenset({"http", "call"})

_SENTENCES = {
    "log": "Writes lines to the log of its run.",
    "signal": "Reports figures that goals are measured by.",
    "fire": "Fires sensors of its own bundle.",
    "kv_get": "Reads stored values of its own bundle.",
    "kv_set": "Changes stored values of its own bundle.",
    "kv_delete": "Deletes stored values of its own bundle.",
    "kv_list": "Lists stored keys of its own bundle.",
    "secret": "Reads the secrets that the bundle was granted.",
    "now_ms": "Reads the time at which its run began.",
    "random": "Draws random numbers.",
    "http": "Sends requests to the hosts that the bundle was granted.",
    "call": "Calls other services of the same tenant.",
}


def permissions(imports: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """One sentence for each `priostack` function among (module, name) pairs, in the order of the table."""
    asked = {name for module, name in imports if module == "priostack"}
    return tuple(text for name, text in _SENTENCES.items() if name in asked)


def allowed_text() -> str:
    """The whitelist as one line for an error message."""
    ours = ", ".join(PRIOSTACK)
    return f"priostack: {ours}; env: {', '.join(ENV)}; {WASI_MODULE}: preview 1 without files and sockets"
