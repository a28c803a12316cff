"""Ways of calling a guest that the sandbox tests share."""

import pytest

from runtime.fiber import Ask, Fiber
from runtime.host import HostCall
from runtime.wasm import Answer, Engine, Guest, Limits, Suspend, Trap

NOW = 1_700_000_000_000
_engines: dict[bool, Engine] = {}


def engine(raw: bool) -> Engine:
    """One engine for each way of calling, kept for the whole test process."""
    if raw not in _engines:
        _engines[raw] = Engine(raw=raw)
    return _engines[raw]


both = pytest.mark.parametrize("raw", [True, False], ids=["raw", "public"])


def context(execution: str = "0190-execution", **more: object) -> HostCall:
    return HostCall(execution, NOW, **more)  # type: ignore[arg-type]


def load(module: bytes, raw: bool = True) -> Guest:
    return Guest.compile(engine(raw), module)


def trap_of(
    guest: Guest,
    function: str,
    request: bytes = b"{}",
    call: HostCall | None = None,
    limits: Limits | None = None,
) -> Trap:
    with pytest.raises(Trap) as caught:
        guest.call(function, request, call or context(), limits or Limits(fuel=2_000_000))
    return caught.value


def suspended(guest: Guest, function: str, request: bytes, call: HostCall) -> str:
    with pytest.raises(Suspend) as caught:
        guest.call(function, request, call)
    return caught.value.reason


def finish(fiber: Fiber, answers: dict[str, object] | None = None) -> Answer:
    """Poll to the end, answering by kind."""
    try:
        while not fiber.poll():
            for ask in fiber.asks:
                reply(ask, answers or {})
        return fiber.result()
    finally:
        fiber.close()


def reply(ask: Ask, answers: dict[str, object]) -> None:
    ask.answer(answers[ask.kind])  # type: ignore[arg-type]
