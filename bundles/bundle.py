"""A bundle: its files in, its complete meaning and every problem out. Never raises on bad content."""

import re
from collections.abc import Mapping as Map
from dataclasses import dataclass, field, replace
from typing import Any

from bundles import (
    contract,
    contractlint,
    discovery,
    fields,
    flow,
    linking,
    names,
    overlay,
    promptinterceptors,
    promptlint,
    service,
    values,
)
from bundles.contract import Contract
from bundles.fields import Field, Read, Unique
from bundles.flow import Flow
from bundles.gather import HEAD, Draft, Gatherer
from bundles.interceptor import Interceptors
from bundles.linking import Exports, Known
from bundles.service import Service
from bundles.values import Mapping, Node, Place, Problem, Report, Scalar, shown

SECRET = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
HOST = re.compile(r"(?:\*\.)?[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?")

BUNDLE_FIELDS = fields.table(
    Field("name", "name", "Name of the bundle: its identity in the tenant", required=True),
    Field("description", "text", "What this bundle does"),
    Field("version", "text", "Version of the bundle, for people"),
    Field("bundle", "map", "The same head as a block: bundle: {name, resourceContract, …}"),
    Field("services", "list", "The services: entries with path (a file), inline ones, and additions by name"),
    Field("resourceContract", "map", "The contract for all services"),
    Field("flows", "list", "Flows outside the folder flows/: a path, or name and path"),
    Field("prompts", "list", "Prompts outside the folder prompts/: a path, or name and path"),
    Field("wasm", "list", "Modules outside the folder wasm/: a path, or name and path"),
    Field("llm", "map", "Providers of language models for prompts and agents"),
    Field("secrets", "list", "Names of the tenant's secrets that this bundle may read"),
    Field(
        "vars", "map", "Plain values that flows read as vars.NAME; the tenant's of the same name come first"
    ),
    Field("http", "map", "What modules may reach over HTTP"),
    Field("tests", "any", "Declared tests of this bundle"),
)
HTTP_FIELDS = fields.table(
    Field("allowedHosts", "list", "Hosts that modules may call: example.org, *.example.org, host:port"),
)


NO_TERMS = contract.seal({})


@dataclass(frozen=True, slots=True)
class Definition:
    """What a bundle means; with an error among the problems it must not run."""

    name: str
    description: str
    version: str
    services: tuple[Service, ...]
    modules: Map[str, str]
    flows: Map[str, str]
    prompts: Map[str, str]
    problems: tuple[Problem, ...]
    secrets: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    llm: Map[str, Any] = field(default_factory=dict)
    organisms: Map[str, Flow] = field(default_factory=dict)
    vars: Map[str, Any] = field(default_factory=dict)
    contract: Contract = NO_TERMS  # of what belongs to no service: its flows
    prompt_interceptors: Map[str, Interceptors] = field(default_factory=dict)  # by the name of the prompt

    @property
    def has_errors(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)


def load(files: Map[str, bytes], exports: Exports | None = None) -> Definition:
    """The bundle in these files (bundle-relative POSIX paths); `exports` lets functions be checked too."""
    report = Report()
    head = _head(files, report)
    found = fields.read(head, BUNDLE_FIELDS, report, of="the bundle") if head else Read(Place(HEAD, 1, 1))
    drafts = Gatherer(files, report).gather(found.items("services"))
    written = found.get("resourceContract")
    outer = contract.read(written, report, source="bundle") if written else {}
    services = _services(drafts, outer, report)
    flows = discovery.find("flow", found.items("flows"), files, report)
    organisms = {name: flow.load(name, path, files) for name, path in flows.items()}
    beside = {name: path for one in organisms.values() for name, path in one.modules.items()}
    known = Known(
        modules={**beside, **discovery.find("module", found.items("wasm"), files, report)},
        flows=flows,
        prompts=discovery.find("prompt", found.items("prompts"), files, report),
        exports=exports or _unknown,
        organisms=organisms,
    )
    if head:
        _expect_something(found, known, report)
    linking.check_routes(services, report)
    contractlint.check(services, contract.seal(outer) if flows else None, report)
    for one in organisms.values():
        report.extend(one.problems)
    promptlint.check_all(files, known.prompts.values(), report)
    wrapping = promptinterceptors.read(files, known.prompts, report)
    services = promptinterceptors.around(services, wrapping, report)
    linking.check_targets(services, known, report)
    whole = _definition(found, services, known, report)
    return replace(whole, contract=contract.seal(outer), prompt_interceptors=wrapping)


def _definition(found: Read, services: tuple[Service, ...], known: Known, report: Report) -> Definition:
    http = found.get("http")
    reach = fields.read(http, HTTP_FIELDS, report, of="http") if http else None
    llm = found.get("llm")
    return Definition(
        name=found.get("name", ""),
        description=found.get("description", ""),
        version=found.get("version", ""),
        services=services,
        modules=known.modules,
        flows=known.flows,
        prompts=known.prompts,
        secrets=_words(found.items("secrets"), SECRET, report, what="name of a secret"),
        allowed_hosts=_words(reach.items("allowedHosts") if reach else [], HOST, report, what="host"),
        llm=values.plain(llm) if llm else {},
        organisms=known.organisms,
        vars=values.plain(found.get("vars")) if found.get("vars") else {},
        problems=report.problems(),
    )


def _head(files: Map[str, bytes], report: Report) -> Mapping | None:
    """The mapping in bundle.yaml, with a `bundle:` block laid into it; None when it cannot be read."""
    if HEAD not in files:
        meant = names.did_you_mean(HEAD, files)
        report.error(
            Place(HEAD, 1, 1), f"the bundle has no {HEAD}{meant}", "it names the bundle and its services"
        )
        return None
    document = values.parse(files[HEAD], file=HEAD)
    report.extend(document.problems)
    if document.root is None:
        return None
    root = fields.mapping(document.root, report, of=HEAD)
    return None if root is None else _unwrapped(root, report)


def _unwrapped(root: Mapping, report: Report) -> Mapping:
    block = root.entries.get("bundle")
    if not isinstance(block, Mapping):
        return root
    outer, inner = overlay.name_of(root), overlay.name_of(block)
    if outer and inner and outer != inner:
        first = root.entries["name"].place.line
        message = f"the bundle has two names, {shown(outer)} on line {first} and {shown(inner)} here"
        report.error(block.entries["name"].place, message, "keep one of them")
    merged = overlay.merge(root, block)
    merged.entries["bundle"] = Mapping(block.place, {}, {})
    return merged


def _services(drafts: list[Draft], outer: contract.Terms, report: Report) -> tuple[Service, ...]:
    unique = Unique("service", report)
    services: list[Service] = []
    for draft in drafts:
        if unique.take(draft.name, draft.node.place):
            services.append(service.read(draft.node, report, name=draft.name, outer=outer))
    return tuple(services)


def _expect_something(found: Read, known: Known, report: Report) -> None:
    """`services` is required, except in a bundle of flows or prompts alone."""
    if found.items("services") or known.flows or known.prompts:
        return
    if "services" not in found.places or "services" in found.values:
        hint = "services: is a list of - path: FILE"
        report.error(found.at("services"), "the bundle has no services", hint)


def _words(nodes: list[Node], pattern: re.Pattern[str], report: Report, *, what: str) -> tuple[str, ...]:
    words: list[str] = []
    for node in nodes:
        if isinstance(node, Scalar) and node.kind == "str" and pattern.fullmatch(node.text):
            words.append(node.text)
        else:
            report.error(node.place, f"{fields.describe(node)} is not a {what}")
    return tuple(dict.fromkeys(words))


def _unknown(module: str) -> None:
    return None
