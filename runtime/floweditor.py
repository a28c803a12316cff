"""What the editor of a flow needs to begin with: the flow, the nodes that may be added, where to save."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from billing.access import Principal
from bundles import store
from bundles.celdocs import rows
from bundles.definitions import definition
from bundles.endpoints import Endpoint
from bundles.flowkinds import catalogue
from bundles.flowwords import words
from bundles.form import Hint
from bundles.formfields import is_long, joined, label
from bundles.models import Binary, Flow, Module, Revision
from bundles.promptcheck import WANTED
from bundles.promptparams import Parameter
from bundles.service import Service
from bundles.wasmcallable import is_plumbing
from runtime import flowfigures, flowshown, prompts
from runtime.prompts import LivePrompt

Item = dict[str, str]
MOST = 500  # entries of the palette's own part


def data_for(who: Principal, flow: Flow, run: str, beside: str = "") -> dict[str, Any]:
    """``beside`` is a run that the one which is opened is compared with."""
    kinds = catalogue()
    revision = store.newest(flow.bundle)
    known = prompts.ready(revision, definition(revision), None)
    return {
        "flow": flowshown.body(flow, tokens=who.may("call")),
        "catalogue": kinds,
        "words": words(),  # every key of a flow file, for completion
        "palette": {
            "builtin": [builtin(kind) for kind in kinds],
            "market": [],
            "custom": custom(who, flow, revision, known),
        },
        "prompts": [filled(one) for one in known.values()],
        "sources": sources(revision),
        "functions": rows(),  # what expressions can say, for completion
        "lastRun": last_run(who, flow),
        "run": asked(run),
        "beside": asked(beside),
        "urls": urls(flow),
        "may_write": who.may("write"),
        "may_call": who.may("call"),
    }


def builtin(kind: Mapping[str, Any]) -> Item:
    return {
        "label": kind["title"],
        "handler": kind["handler"],
        "description": kind["description"],
        "kind": kind["kind"],
    }


def custom(who: Principal, flow: Flow, revision: Revision, known: Mapping[str, LivePrompt]) -> list[Item]:
    """What the bundle and the account have themselves: functions of modules, other flows, prompts."""
    found = definition(revision)
    said = {str(one.to): one.description for service in found.services for one in calls(service)}
    items = [item(f"wasm:{module}:{name}", name, said) for module, name in functions(who, revision)]
    items += [
        item(f"flow:{name}", name, {f"flow:{name}": one.description})
        for name, one in found.organisms.items()
        if name != flow.name
    ]
    items += [
        item(f"prompt:{name}", name, {f"prompt:{name}": one.description}) for name, one in known.items()
    ]
    return items[:MOST]


def sources(revision: Revision) -> list[str]:
    """Modules that were built from a source which lies beside them."""
    known = definition(revision).modules
    return [name for name, path in known.items() if path.removesuffix(".wasm") + ".ts" in revision.files]


def filled(prompt: LivePrompt) -> dict[str, Any]:
    """A prompt as the form of its node has it: a field for each parameter."""
    fields = [parameter(one) for one in prompt.parameters if "." not in one.name]
    return {"id": prompt.id, "name": prompt.name, "fields": fields}


def parameter(one: Parameter) -> dict[str, Any]:
    wanted = f"{WANTED[one.type][:1].upper()}{WANTED[one.type][1:]}"
    choices = f", one of {', '.join(map(str, one.enum))}" if one.enum else ""
    plain = isinstance(one.default, str | int | float) and not isinstance(one.default, bool)
    return {
        "key": f"with.parameters.{one.name}",
        "type": "value",
        "label": label(one.name),
        "help": joined(one.description, f"{wanted}{choices}."),
        "required": one.required and not one.has_default,
        "default": one.default if plain else None,
        "choices": [],
        "group": "",
        "secrets": False,
        "long": one.type in ("array", "object", "json") or is_long(one, Hint()),
    }


def item(handler: str, label: str, said: Mapping[str, str]) -> Item:
    return {"label": label, "handler": handler, "description": said.get(handler, "")}


def calls(service: Service) -> tuple[Endpoint, ...]:
    return tuple(service.endpoints)


def functions(who: Principal, revision: Revision) -> Iterator[tuple[str, str]]:
    """Each function that a node may call, with the name of its module; the bundle's own before the account's."""
    mine = {name: revision.files[path][0] for name, path in definition(revision).modules.items()}
    kept = Module.objects.filter(tenant_id=who.tenant_id).values_list("name", "binary_id")
    modules = {**dict(kept), **mine}
    binaries = Binary.objects.in_bulk(modules.values())
    for name, sha256 in sorted(modules.items(), key=lambda entry: (entry[0] not in mine, entry[0])):
        if sha256 in binaries:
            exports = binaries[sha256].exports
            yield from ((name, export) for export in sorted(exports) if not is_plumbing(export))


def asked(run: str) -> str | None:
    """The run that the address names; anything that is no id is nothing."""
    try:
        return str(UUID(run))
    except ValueError:
        return None


def last_run(who: Principal, flow: Flow) -> str | None:
    figures = flowfigures.figures(who.tenant_id).get((flow.bundle_id, flow.name))
    return str(figures.last) if figures and figures.last else None


def urls(flow: Flow) -> dict[str, str]:
    """Addresses within this installation, without the host."""
    page, api = f"/flow/{flow.pk}", f"/api/flows/{flow.pk}"
    return {
        "api": api,
        "list": "/flows",
        "flow": page,
        "yaml": f"{page}/yaml",
        "runs": f"{page}/runs",
        "triggers": f"{page}/triggers",
        "memory": f"{page}/memory",
        "executions": "/api/executions",
        "run": "/runs/",
        "socket": f"/ws/bundles/{flow.bundle_id}/logs",
        "runSocket": "/ws/executions/",
        "docs": "/docs/canvas",
        "bundle": f"/bundles/{flow.bundle_id}",
    }
