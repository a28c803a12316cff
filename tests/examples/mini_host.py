"""A small host on wasmtime's public classes: runs the example's modules without the rest of the product."""

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import wasmtime
import yaml

ECOMMERCE = Path(__file__).resolve().parent.parent.parent / "examples" / "ecommerce"
FUEL = 10_000_000
I32, I64, F64 = wasmtime.ValType.i32(), wasmtime.ValType.i64(), wasmtime.ValType.f64()
SIGNATURES = {
    "log": ([I32, I32, I32], []),
    "signal": ([I32, I32, F64], [I32]),
    "fire": ([I32, I32, I32, I32], [I32]),
    "kv_get": ([I32, I32], [I64]),
    "kv_set": ([I32, I32, I32, I32], [I32]),
    "kv_delete": ([I32, I32], [I32]),
    "kv_list": ([I32, I32], [I64]),
    "now_ms": ([], [I64]),
    "random": ([], [I64]),
    "call": ([I32, I32, I32, I32], [I64]),
    "http": ([I32, I32], [I64]),
}


class Aborted(Exception):
    """The guest called abort; the text is its own."""


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
    logs: list[tuple[int, str]] = field(default_factory=list)
    now: int = 1_750_000_000_000
    calls: int = 0
    refuse_writes: bool = False

    def __post_init__(self) -> None:
        config = wasmtime.Config()
        config.consume_fuel = True
        self.engine = wasmtime.Engine(config)
        self.modules: dict[str, wasmtime.Module] = {}

    def module(self, name: str) -> wasmtime.Module:
        if name not in self.modules:
            self.modules[name] = wasmtime.Module(self.engine, (self.wasm / f"{name}.wasm").read_bytes())
        return self.modules[name]

    def call(self, target: str, request: dict[str, Any] | None = None, fuel: int = FUEL) -> Answer:
        """Call `module:function` with a request; what it wrote is kept only when it did not trap."""
        name, function = target.split(":")
        self.calls += 1
        whole = {
            "method": "GET",
            "path": "/",
            "params": {},
            "query": {},
            "headers": {"accept": "*/*"},
            "body": None,
        }
        whole |= {"tenant": "alice", "execution": f"0197-{self.calls:04d}"} | (request or {})
        return Call(self, self.module(name), fuel).run(
            function, json.dumps(whole, separators=(",", ":")).encode()
        )

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


class Call:
    """One fresh instance and its buffered effects."""

    def __init__(self, host: Host, module: wasmtime.Module, fuel: int) -> None:
        self.host = host
        self.writes: dict[str, bytes | None] = {}
        self.fired: list[tuple[str, Any]] = []
        self.error: Exception | None = None
        self.store = wasmtime.Store(host.engine)
        self.store.set_fuel(fuel)
        self.fuel = fuel
        linker = wasmtime.Linker(host.engine)
        for name, (takes, gives) in SIGNATURES.items():
            linker.define_func("priostack", name, wasmtime.FuncType(takes, gives), getattr(self, name))
        linker.define_func("env", "abort", wasmtime.FuncType([I32] * 4, []), self.abort)
        self.exports = linker.instantiate(self.store, module).exports(self.store)
        self.random_source = random.Random(host.calls)

    def run(self, function: str, request: bytes) -> Answer:
        try:
            packed = (
                self.exports[function](self.store, self.give_at(request), len(request)) & 0xFFFFFFFFFFFFFFFF
            )
        except (wasmtime.Trap, wasmtime.WasmtimeError):
            if self.error:
                raise self.error from None
            raise
        raw = self.read(packed >> 32, packed & 0xFFFFFFFF)
        self.commit()
        body = json.loads(raw)
        spent = self.fuel - self.store.get_fuel()
        if isinstance(body, dict) and "status" in body:
            return Answer(body["status"], body["body"], spent, raw)
        return Answer(200, body, spent, raw)

    def commit(self) -> None:
        for key, value in self.writes.items():
            if value is None:
                self.host.kv.pop(key, None)
            else:
                self.host.kv[key] = value
        self.host.fired += self.fired

    def read(self, place: int, size: int) -> bytes:
        return bytes(self.exports["memory"].read(self.store, place, place + size))

    def text(self, place: int, size: int) -> str:
        return self.read(place, size).decode()

    def give_at(self, data: bytes) -> int:
        place = self.exports["alloc"](self.store, len(data))
        self.exports["memory"].write(self.store, data, place)
        return int(place)

    def give(self, data: bytes | None) -> int:
        return 0 if data is None else self.give_at(data) << 32 | len(data)

    def log(self, level: int, place: int, size: int) -> None:
        self.host.logs.append((level, self.text(place, size)))

    def signal(self, place: int, size: int, value: float) -> int:
        self.host.signals.append((self.text(place, size), value))
        return 0

    def fire(self, name: int, name_size: int, place: int, size: int) -> int:
        self.fired.append((self.text(name, name_size), json.loads(self.read(place, size))))
        return 0

    def kv_get(self, place: int, size: int) -> int:
        key = self.text(place, size)
        return self.give(self.writes[key] if key in self.writes else self.host.kv.get(key))

    def kv_set(self, place: int, size: int, value: int, value_size: int) -> int:
        if self.host.refuse_writes:
            return -2
        self.writes[self.text(place, size)] = self.read(value, value_size)
        return 0

    def kv_delete(self, place: int, size: int) -> int:
        self.writes[self.text(place, size)] = None
        return 0

    def kv_list(self, place: int, size: int) -> int:
        prefix = self.text(place, size)
        names = {k for k in self.host.kv if k.startswith(prefix)}
        names |= {k for k in self.writes if k.startswith(prefix)}
        return self.give(
            json.dumps(sorted(names - {k for k, v in self.writes.items() if v is None})).encode()
        )

    def now_ms(self) -> int:
        return self.host.now

    def random(self) -> int:
        return self.random_source.getrandbits(63)

    def call(self, target: int, target_size: int, place: int, size: int) -> int:
        name = self.text(target, target_size).removeprefix("wasm:")
        answer = self.host.call(name, {"body": json.loads(self.read(place, size))})
        return self.give(json.dumps(answer.body).encode())

    def http(self, place: int, size: int) -> int:
        self.host.fired.append(("http", json.loads(self.read(place, size))))
        return self.give(b'{"status":200,"body":"hello"}')

    def abort(self, message: int, file: int, line: int, column: int) -> None:
        self.error = Aborted(self.managed(message))
        raise self.error

    def managed(self, place: int) -> str:
        size = int.from_bytes(self.read(place - 4, 4), "little") if place else 0
        return self.read(place, size).decode("utf-16-le")


def services() -> list[dict[str, Any]]:
    bundle = yaml.safe_load((ECOMMERCE / "bundle.yaml").read_text())
    return [yaml.safe_load((ECOMMERCE / item["path"]).read_text()) for item in bundle["services"]]


def intents() -> list[dict[str, Any]]:
    return [intent for service in services() for intent in service.get("intents", ())]


def endpoints() -> list[dict[str, Any]]:
    return [endpoint for service in services() for endpoint in service["api"]["endpoints"]]
