"""How large messages of a flow may become: a node can put its payload many times into what it makes, in a cycle again."""

from typing import TYPE_CHECKING, Any

from bundles.celvalues import measure
from runtime.flowframe import CROWDED, Refused, crowded, encoded
from runtime.flowneeds import Failure

if TYPE_CHECKING:
    from runtime.flowframe import Message
    from runtime.flowpump import Pump

MAX_BYTES = 8 * 1024 * 1024  # of one message
MAX_READY = 256 * 1024 * 1024  # of all that are on their way, by the size of the last
LARGE = 64 * 1024  # smaller ones cannot become too much in one step
TOO_LARGE = Failure("budget", f"a message has at most {MAX_BYTES >> 20} MiB")


def look(pump: "Pump", message: "Message", value: Any) -> None:
    """Before it is written out: CelError for a value that holds large ones too often. It takes no longer than the limit."""
    if len(message.payload) > LARGE or pump.keeps or len(pump.start.request) > LARGE:
        measure(value, 4 * MAX_BYTES)  # it counts a short number as eight characters


def made(pump: "Pump", message: "Message", value: Any) -> bytes:
    """The payload that a node made; Refused when it is too large, or too many like it are on their way."""
    look(pump, message, value)
    payload = encoded(value)
    if len(payload) > MAX_BYTES or len(payload) * len(pump.ready) > MAX_READY:
        raise Refused(TOO_LARGE.code, TOO_LARGE.message)
    if crowded(payload):
        raise Refused(TOO_LARGE.code, CROWDED)
    return payload
