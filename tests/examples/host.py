"""A bundle's modules in the product's sandbox, its state in a dictionary: what one call does and fires."""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from runtime.wasm import Guest, HostCall, HostFailure, Limits, Missing, Suspend, engine

ECOMMERCE = Path(__file__).resolve().parent.parent.parent / "examples" / "ecommerce"
REQUEST = {"method": "GET", "path": "/", "params": {}, "query": {}, "body": None, "tenant": "alice"}


@cache
def compiled(data: bytes) -> Guest:
    return Guest.compile(engine(), data)


@dataclass
class Answer:
    status: int
    body: Any
    fuel: int
    raw: bytes


@dataclass
class Host:
    """State and effects of a bundle: kv, fired sensors, signals, log lines."""

    wasm: Path = ECOMMERCE / "wasm"
    kv: dict[str, bytes] = field(default_factory=dict)
    fired: list[tuple[str, Any]] = field(default_factory=list)
    signals: list[tuple[str, float]] = field(default_factory=list)
    logs: list[tuple[str, str]] = field(default_factory=list)
    now: int = 1_750_000_000_000
    calls: int = 0
    readonly: bool = False
    attempts: int = 0

    def module(self, name: str) -> bytes:
        return (self.wasm / f"{name}.wasm").read_bytes()

    def call(self, target: str, request: dict[str, Any] | None = None) -> Answer:
        """Call `module:function`; what it did is kept only when it did not trap."""
        name, function = target.split(":")
        self.calls += 1
        whole = REQUEST | {"execution": f"0197-{self.calls:04d}"} | (request or {})
        context = HostCall(whole["execution"], self.now, readonly=self.readonly)
        text = json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode()
        done = self.run(compiled(self.module(name)), function, text, context)
        self.commit(context)
        value = json.loads(done.body)
        if isinstance(value, dict) and "status" in value:
            return Answer(value["status"], value["body"], done.fuel, done.body)
        return Answer(200, value, done.fuel, done.body)

    def run(self, guest: Guest, function: str, request: bytes, context: HostCall) -> Any:
        """Fetch what a run lacks and start it again, as the waist does."""
        while True:
            self.attempts += 1
            try:
                return guest.call(function, request, context, Limits(inline_fuel=10_000_000))
            except Suspend:
                for missing in tuple(context.missing):
                    context.learn(missing, self.outcome(missing))
                context.restart()

    def outcome(self, missing: Missing) -> Any:
        if missing.kind == "kv":
            return self.kv.get(missing.name)
        if missing.kind == "list":
            return sorted(key for key in self.kv if key.startswith(missing.name))
        if missing.kind == "call" and missing.name.startswith("wasm:"):
            answer = self.call(missing.name.removeprefix("wasm:"), {"body": json.loads(missing.payload)})
            return answer.raw
        return HostFailure(f"no {missing.kind} here")

    def commit(self, context: HostCall) -> None:
        for key, value in context.writes.items():
            if value is None:
                self.kv.pop(key, None)
            else:
                self.kv[key] = value
        self.fired += [(name, json.loads(payload)) for name, payload in context.fires]
        self.signals += context.signals
        self.logs += context.logs

    def fire(self, sensor: str, payload: Any) -> list[Answer]:
        """Run the intents of a sensor, then those of the sensors they fire."""
        targets = [i["toFunc"].removeprefix("wasm:") for i in intents() if i["whenSensor"] == sensor]
        answers = [self.call(target, {"body": payload, "sensor": sensor}) for target in targets]
        return answers + self.drain()

    def drain(self) -> list[Answer]:
        waiting, self.fired = self.fired, []
        return [answer for sensor, payload in waiting for answer in self.fire(sensor, payload)]

    def stored(self, key: str) -> Any:
        return json.loads(self.kv[key]) if key in self.kv else None


@cache
def services() -> list[dict[str, Any]]:
    bundle = yaml.safe_load((ECOMMERCE / "bundle.yaml").read_text())
    return [yaml.safe_load((ECOMMERCE / item["path"]).read_text()) for item in bundle["services"]]


def intents() -> list[dict[str, Any]]:
    return [intent for service in services() for intent in service.get("intents", ())]


def endpoints() -> list[dict[str, Any]]:
    """Those that call a module themselves."""
    found = [endpoint for service in services() for endpoint in service["api"]["endpoints"]]
    return [endpoint for endpoint in found if endpoint["to"].startswith("wasm:")]
