"""One list of every host function: module, name, types, price, what runs, and how its result returns."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from bundles.wasmimports import ENV, PRIOSTACK, WASI, WASI_MODULE, Signature
from runtime import hostcalls, hostwasi


class HostFunction(NamedTuple):
    """A function that guests may import; `gives` = its bytes return through the guest's allocator."""

    module: str
    name: str
    signature: Signature
    tariff: int
    run: Callable[..., bytes | int | float | None]
    gives: bool


def functions() -> Iterator[HostFunction]:
    for name, signature in PRIOSTACK.items():
        gives = name in hostcalls.GIVING
        run = hostcalls.GIVING[name] if gives else hostcalls.PLAIN[name]
        yield HostFunction("priostack", name, signature, hostcalls.TARIFF[name], run, gives)
    for name, signature in ENV.items():
        yield HostFunction("env", name, signature, hostcalls.TARIFF[name], hostcalls.ENV[name], False)
    for name, signature in WASI.items():
        price = hostwasi.IO_TARIFF if name in ("fd_read", "fd_write", "random_get") else hostwasi.TARIFF
        yield HostFunction(WASI_MODULE, name, signature, price, hostwasi.FUNCTIONS[name], False)


FUNCTIONS: tuple[HostFunction, ...] = tuple(functions())
