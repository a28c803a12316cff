"""Checks what services and flows call, and whether two of them claim one name or one route."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as Map
from dataclasses import dataclass, field

from bundles import target
from bundles.fields import Unique
from bundles.flow import Flow
from bundles.routes import shape
from bundles.service import Service
from bundles.target import Target
from bundles.values import Place, Report, shown

# The export names of a module by its name; None = unknown.
Exports = Callable[[str], frozenset[str] | None]


@dataclass(frozen=True, slots=True)
class Known:
    """What targets may name."""

    modules: Map[str, str]
    flows: Map[str, str]
    prompts: Map[str, str]
    exports: Exports
    organisms: Map[str, Flow] = field(default_factory=dict)


def check_targets(services: Iterable[Service], known: Known, report: Report) -> None:
    """A target that does not exist is a warning: only those who call it fail."""
    calls = _all(services, known.organisms.values())
    used = Counter(to.module for to, _ in calls if to.kind == "wasm")
    checker = _Checker(known, report, used)
    for to, place in calls:
        if to.kind == "wasm":
            checker.wasm(to, place)
        elif to.kind == "prompt":
            checker.named(to, place, known.prompts)
        else:
            checker.named(to, place, known.flows)
            checker.listener(to, place)


def called(services: Iterable[Service], flows: Iterable[Flow]) -> set[str]:
    """The modules whose functions they name."""
    return {to.module for to, _ in _all(services, flows) if to.kind == "wasm"}


def check_routes(services: Iterable[Service], report: Report) -> None:
    """Two endpoints may not claim the same method and path; names of parameters make no difference."""
    unique = Unique("route", report)
    for service in services:
        for endpoint in service.endpoints:
            unique.take(f"{endpoint.method} {shape(service.base_path + endpoint.path)}", endpoint.path_place)


def _all(services: Iterable[Service], flows: Iterable[Flow]) -> list[tuple[Target, Place]]:
    calls = [call for service in services for call in _calls(service)]
    return calls + [call for flow in flows for call in _steps(flow)]


def _calls(service: Service) -> Iterator[tuple[Target, Place]]:
    yield from ((endpoint.to, endpoint.to_place) for endpoint in service.endpoints)
    own = {one.place: one.target for endpoint in service.endpoints for one in endpoint.interceptors}
    yield from ((to, place) for place, to in own.items() if to)
    yield from ((intent.to, intent.to_place) for intent in service.intents)


def _steps(flow: Flow) -> Iterator[tuple[Target, Place]]:
    """What the listeners of a flow run."""
    for listener in flow.listeners:
        if to := listener.handler.target:
            at = listener.handler if listener.handler.line else listener
            yield to, Place(listener.file, at.line, at.column)


@dataclass(slots=True)
class _Checker:
    known: Known
    report: Report
    used: Counter[str]
    exports: dict[str, frozenset[str] | None] = field(default_factory=dict)

    def named(self, to: Target, place: Place, among: Map[str, str]) -> None:
        """A flow or a prompt."""
        if to.module not in among:
            self.report.warning(
                place, f"{to.kind} {shown(to.module)} not found{self.report.meant(to.module, among)}"
            )

    def listener(self, to: Target, place: Place) -> None:
        """flow:N:LISTENER enters a flow at one of its listeners."""
        flow = self.known.organisms.get(to.module)
        if flow and to.function and not flow.listener(to.function):
            meant = self.report.meant(to.function, (one.name for one in flow.listeners))
            message = f"flow {shown(to.module)} has no listener {shown(to.function)}{meant}"
            self.report.warning(place, message)

    def wasm(self, to: Target, place: Place) -> None:
        if to.module not in self.exports:  # asked once: the answer may need a module to be parsed
            self.exports[to.module] = self.known.exports(to.module)
        exports = self.exports[to.module]
        if exports is not None:
            self.function(to, place, exports)
        elif to.module not in self.known.modules:
            meant = self.report.meant(to.module, self.likely(to.module))
            hint = f"expected wasm/{to.module}.wasm"
            self.report.warning(place, f"module {shown(to.module)} not found{meant}", hint)

    def function(self, to: Target, place: Place, exports: frozenset[str]) -> None:
        if target.resolve(to.function, exports) is None:
            meant = self.report.meant(to.function, _in_order(exports))
            message = f"module {shown(to.module)} has no function {shown(to.function)}{meant}"
            self.report.warning(place, message, "tried: " + ", ".join(target.spellings(to.function)))

    def likely(self, module: str) -> Iterator[str]:
        """Modules of the bundle, and absent ones that are called more often than this one."""
        yield from self.known.modules
        yield from (name for name, count in self.used.items() if count > self.used[module])


def _in_order(exports: frozenset[str]) -> Iterator[str]:
    """Sorted when somebody looks, so that hints do not depend on hashes."""
    yield from sorted(exports)
