"""The modules of this process, ready to be called: compiled once on each machine, loaded once in each process."""

from functools import cache, lru_cache
from pathlib import Path

from django.conf import settings
from wasmtime import WasmtimeError

from bundles import files
from bundles.models import Binary
from bundles.wasmfile import WasmError, WasmInfo, inspect
from runtime.compile import CodeCache, CompileError
from runtime.wasm import Guest, Trap, engine

KEPT = 4_096  # descriptions
KEEP = 256  # loaded guests; one that was dropped is loaded again in a tenth of a millisecond


class Unusable(Exception):
    """A module that cannot be called, and why."""


@cache
def code() -> CodeCache:
    return CodeCache(Path(settings.DATA_DIR) / "cache")


@lru_cache(maxsize=KEEP)
def prepare(sha256: str) -> Guest:
    """The guest of a binary; blocking, at most for a compilation's time limit. Unusable says why there is none."""
    try:
        return Guest.load(engine(), binary(sha256), described(sha256))
    except (CompileError, WasmError, files.Damaged, WasmtimeError, Trap) as problem:
        raise Unusable(str(problem)) from None


def binary(sha256: str) -> Path:
    """The compiled file; the module is read only when it has to be compiled here."""
    return code().find(sha256) or code().compiled(files.get(sha256))


@lru_cache(maxsize=KEPT)
def described(sha256: str) -> WasmInfo:
    return inspect(files.get(sha256))


def compiled(sha256: str) -> bool:
    """Whether a module needs no compiling on this machine any more."""
    return code().find(sha256) is not None


def compile_binary(sha256: str) -> None:
    """The job of an upload: compile once, write down what came of it; repeating it changes nothing."""
    waiting = Binary.objects.filter(pk=sha256, state=Binary.State.COMPILING)
    if not waiting.exists():
        return
    try:
        prepare(sha256)
        state, error = Binary.State.READY, ""
    except Unusable as problem:
        state, error = Binary.State.FAILED, str(problem)
    waiting.update(state=state, error=error)
