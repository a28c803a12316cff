"""What expressions of a flow see: payload, trigger, steps, item, index, execution, vars and, where allowed, secret."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from bundles.cel import CelError
from runtime.flowframe import UNREAD, Frame, Message

if TYPE_CHECKING:
    from runtime.flowpump import Pump

NAMES = ("payload", "trigger", "steps", "item", "index", "execution", "vars", "secret")
HIDDEN = frozenset({"tenant", "execution", "flow"})


class Scope(Mapping[str, Any]):
    """The names, each worked out when it is asked for."""

    __slots__ = ("message", "pump", "secrets")

    def __init__(self, pump: "Pump", message: Message, secrets: bool) -> None:
        self.pump = pump
        self.message = message
        self.secrets = secrets

    def __getitem__(self, name: str) -> Any:
        match name:
            case "payload":
                return self.message.value()
            case "item" | "index":
                return of_round(self.message, name)
            case "trigger":
                return trigger(self.pump)
            case "steps":
                return Known(self.pump.known)
            case "execution":
                start = self.pump.start
                return {"id": start.execution, "flow": self.pump.plan.name, "tenant": start.tenant}
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
    """The item or index of the loop whose round this is; the innermost one."""
    frame: Frame | None = message.frame
    while frame is not None:
        if frame.item is not UNREAD:
            return frame.item if name == "item" else frame.index
        frame = frame.parent
    raise CelError(f"{name} is only known inside a loop", 1)


def trigger(pump: "Pump") -> Any:
    """The request that started the run."""
    if pump.trigger is UNREAD:
        value = orjson.loads(pump.start.request)
        if isinstance(value, dict):
            value = {name: part for name, part in value.items() if name not in HIDDEN}
        pump.trigger = value
    return pump.trigger


class Known(Mapping[str, Any]):
    """steps.NAME: the last {input, output} of a node of this run."""

    __slots__ = ("known",)

    def __init__(self, known: Mapping[str, tuple[bytes, bytes]]) -> None:
        self.known = known

    def __getitem__(self, name: str) -> Any:
        input, output = self.known[name]
        return {"input": orjson.loads(input), "output": orjson.loads(output)}

    def __iter__(self) -> Iterator[str]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)
