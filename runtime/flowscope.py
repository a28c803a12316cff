"""What expressions of a flow see: payload, trigger, steps, item, index, execution, vars and, where allowed, secret."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from bundles.cel import CelError
from runtime.flowframe import UNREAD, Frame, Message, SubFlow
from runtime.flowknown import Known, seen_from
from runtime.flowlinks import links

if TYPE_CHECKING:
    from runtime.flowpump import Pump

NAMES = ("payload", "trigger", "steps", "item", "index", "execution", "vars", "secret")
HIDDEN = frozenset({"tenant", "execution", "flow"})


class Scope(Mapping[str, Any]):
    """The names, each worked out when it is asked for."""

    __slots__ = ("known", "message", "pump", "secrets")

    def __init__(self, pump: "Pump", message: Message, secrets: bool) -> None:
        self.pump = pump
        self.message = message
        self.secrets = secrets
        self.known: Known | None = None

    def __getitem__(self, name: str) -> Any:
        match name:
            case "payload":
                return self.message.value()
            case "item" | "index":
                return of_round(self.message, name)
            case "trigger":
                return trigger(self.pump)
            case "steps":
                if self.known is None:
                    self.known = Known(seen_from(self.message.frame))
                return self.known
            case "execution":
                return execution(self.pump, self.message)
            case "vars":
                return self.pump.world.vars
            case "secret" if self.secrets:
                return self.pump.world.secrets
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES if self.secrets else NAMES[:-1])

    def __len__(self) -> int:
        return len(NAMES) - (not self.secrets)


def of_round(message: Message, name: str) -> Any:
    """The item or index of the loop whose round this is; the innermost one, and of this flow."""
    frame: Frame | None = message.frame
    while frame is not None and not isinstance(frame.owner, SubFlow):
        if frame.item is not UNREAD:
            return frame.item if name == "item" else frame.index
        frame = frame.parent
    raise CelError(f"{name} is only known inside a loop", 1)


def execution(pump: "Pump", message: Message) -> dict[str, Any]:
    start, node = pump.start, message.node
    started = datetime.fromtimestamp(start.created_us / 1e6, UTC)
    known = {"id": start.execution, "flow": pump.plan.name, "tenant": start.tenant, "started": started}
    return {**known, "links": links(pump, node, message.frame)} if node.plan.waits else known


def trigger(pump: "Pump") -> Any:
    """The request that started the run."""
    if pump.trigger is UNREAD:
        value = orjson.loads(pump.start.request)
        if isinstance(value, dict):
            value = {name: part for name, part in value.items() if name not in HIDDEN}
        pump.trigger = value
    return pump.trigger
