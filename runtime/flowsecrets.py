"""Which secrets the flows of a bundle name: they need not be listed in bundle.yaml, which grants them to modules."""

from typing import Any

from bundles import interceptor
from bundles.bundle import Definition
from bundles.flow import Flow
from runtime.flowhttp import references


def names(definition: Definition) -> set[str]:
    """Those that the bundle lists, and those that a node of a flow, a model's backend or an interceptor of it names."""
    flows = map(of_flow, definition.organisms.values())
    endpoints = [one for service in definition.services for one in service.endpoints]
    wrapping = [interceptor.secrets(one.interceptors) for one in endpoints]
    wrapping += map(interceptor.secrets, definition.prompt_interceptors.values())
    return set(definition.secrets).union(keys_in(definition.llm), *flows, *wrapping)


def of_flow(flow: Flow) -> set[str]:
    found: set[str] = set()
    for listener in flow.listeners:
        found |= references(listener.options)[0]
    return found | keys_in(flow.llm)


def keys_in(value: Any) -> set[str]:
    """The names behind every api_key_env of an llm section."""
    if isinstance(value, dict):
        key = value.get("api_key_env")
        mine = {key} if isinstance(key, str) and key else set()
        return mine.union(*map(keys_in, value.values()))
    return set().union(*map(keys_in, value)) if isinstance(value, list | tuple) else set()
