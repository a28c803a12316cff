"""The door to the sandbox: load a module, call it, and the types of what comes back."""

from runtime.host import HostCall, HostFailure, Missing
from runtime.wasmengine import Engine, engine
from runtime.wasmguest import Guest
from runtime.wasmtypes import Answer, Limits, Suspend, Trap, units

__all__ = [
    "Answer",
    "Engine",
    "Guest",
    "HostCall",
    "HostFailure",
    "Limits",
    "Missing",
    "Suspend",
    "Trap",
    "engine",
    "units",
]
