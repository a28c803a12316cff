"""Contracts that say what cannot be meant: hints of the documentation's best practices, all of them warnings."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bundles.contract import Contract
from bundles.service import Service
from bundles.values import Place, Report, shown

ROUND_MS = 1000  # the usual length of a round while bidding (ROUND_SECONDS)
ENTRY_CU = 100
ALIKE = 3  # services that write the same contract


@dataclass(frozen=True, slots=True)
class Applied:
    """A contract and the methods of the endpoints that fall back as it does; an intent or a flow has the method ""."""

    contract: Contract
    methods: frozenset[str]


@dataclass(frozen=True, slots=True)
class Hint:
    place: Place | None
    message: str
    hint: str


def check(services: Iterable[Service], outer: Contract | None, report: Report) -> None:
    """`outer` is the bundle's own contract when there is something, its flows, that it applies to."""
    services = tuple(services)
    applied = [one for service in services for one in contracts(service)]
    if outer is not None:
        applied.append(Applied(outer, frozenset({""})))
    found = [hint for one in applied for hint in hints(one)]
    for hint in (*found, *all_critical(services), *repeated(services)):
        if hint.place is not None:
            report.warning(hint.place, hint.message, hint.hint)


def contracts(service: Service) -> list[Applied]:
    """Each once. Goals alone, and a service without calls, are looked at as they are written."""
    calls = [(one.contract, one.method) for one in service.endpoints]
    calls += [(one.contract, "") for one in service.intents]
    calls = calls or [(one.contract, "") for one in service.goals] or [(service.contract, "")]
    methods: dict[Place | None, set[str]] = {}
    for contract, method in calls:
        methods.setdefault(contract.written("fallback"), set()).add(method)
    known = {id(contract): contract for contract, _ in calls}
    return [Applied(one, frozenset(methods[one.written("fallback")])) for one in known.values()]


def hints(one: Applied) -> Iterator[Hint]:
    yield from of_money(one.contract)
    yield from of_waiting(one)
    yield from of_futures(one.contract)


def of_money(own: Contract) -> Iterator[Hint]:
    if own.auto_bid and own.cost_ceiling is None:
        message = "autoBid is true and there is no costCeiling: one call may spend the whole wallet"
        yield Hint(own.written("auto_bid"), message, "write costCeiling: the most credits for one call")
    if own.auto_bid and own.cost_ceiling == 0:
        message = "autoBid is true, but costCeiling 0 never bids"
        yield Hint(own.written("cost_ceiling"), message, "write a costCeiling of 1 or more")
    together = own.sources.get("auto_bid") == own.sources.get("cost_ceiling")
    if own.auto_bid is False and own.cost_ceiling and together:
        message = "costCeiling has no effect where autoBid is false"
        yield Hint(own.written("cost_ceiling"), message, "leave it out, or leave autoBid out")


def of_waiting(one: Applied) -> Iterator[Hint]:
    own = one.contract
    if own.fallback in ("queue", "retry") and own.max_wait_ms < ROUND_MS:
        message = f"maxWaitTime {own.max_wait_ms}ms is over before a round of {ROUND_MS // 1000}s is"
        hint = "wait for some rounds, or write fallbackBehavior: fail"
        yield Hint(own.written("max_wait_ms"), message, hint)
    if own.fallback == "degrade" and own.compute_units <= ENTRY_CU and "GET" not in one.methods:
        message = "degrade has nothing cheaper: calls need one entry as it is, and no answer of a GET is kept"
        yield Hint(own.written("fallback"), message, "write fallbackBehavior: queue or fail")
    if own.priority == "low" and own.fallback == "fail":
        message = "priority low waits for what is free, but fail gives up after the first round without"
        yield Hint(own.written("fallback"), message, "write fallbackBehavior: queue, or a higher priority")


def of_futures(own: Contract) -> Iterator[Hint]:
    if own.futures_enabled and not own.futures_budget:
        message = "futuresHorizon reserves nothing without a futuresBudget"
        place = own.written("futures_horizon_ms")
        yield Hint(place, message, "write futuresBudget: credits a month")
    if own.futures_budget and not own.futures_enabled:
        message = "futuresBudget is not used: futuresEnabled is false"
        yield Hint(own.written("futures_budget"), message, "write futuresEnabled: true")


def all_critical(services: Iterable[Service]) -> Iterator[Hint]:
    """Start conservative: when everything is critical, nothing comes first."""
    services = tuple(services)
    calls = [one.contract for service in services for one in service.endpoints]
    calls += [one.contract for service in services for one in service.intents]
    if len(calls) > 1 and all(one.priority == "critical" for one in calls):
        message = f"all {len(calls)} calls of this bundle are critical, so none of them comes first"
        hint = "begin with normal, and keep critical for payment, security and the like"
        yield Hint(calls[0].written("priority"), message, hint)


def repeated(services: Iterable[Service]) -> Iterator[Hint]:
    """Use composition: what several services write alike belongs to the bundle."""
    groups: dict[tuple[tuple[str, object], ...], list[Service]] = {}
    for service in services:
        own = service.contract
        mine = [name for name, source in own.sources.items() if source == f"service {service.name}"]
        if mine:
            groups.setdefault(tuple((name, getattr(own, name)) for name in mine), []).append(service)
    for terms, alike in groups.items():
        if len(alike) >= ALIKE:
            names = ", ".join(shown(one.name) for one in alike[:ALIKE])
            message = f"{len(alike)} services write the same resourceContract, such as {names}"
            hint = "write it once, as the resourceContract of the bundle"
            yield Hint(alike[0].contract.written(terms[0][0]), message, hint)
