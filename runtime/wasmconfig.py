"""The settings that compiled code depends on; the compiler's child and every runner share them."""

from importlib.metadata import version

import wasmtime
from wasmtime import _ffi as ffi

VERSION = version("wasmtime")
STACK = 512 * 1024
# Names the compiled files: change it with any line of `settings`.
CONFIG = "fuel-epoch-cow-nan-stack512k-1"


def settings() -> wasmtime.Config:
    """Fuel and epochs on, determinism on, unfinished or nondeterministic proposals off."""
    config = wasmtime.Config()
    config.consume_fuel = True
    config.epoch_interruption = True
    config.parallel_compilation = False
    config.memory_init_cow = True
    config.max_wasm_stack = STACK
    config.cranelift_nan_canonicalization = True
    for refused in ("threads", "memory64", "multi_memory", "gc", "exceptions", "stack_switching"):
        setattr(config, f"wasm_{refused}", False)
    config.wasm_relaxed_simd = False
    config.wasm_function_references = False
    config.shared_memory = False
    # Not among the public classes; without it (another wheel) calls only cost more.
    concurrency = getattr(ffi, "wasmtime_config_concurrency_support_set", None)
    if concurrency is not None:
        concurrency(config.ptr(), False)
    return config
