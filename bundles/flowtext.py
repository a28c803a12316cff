"""A flow as the text of a flow file: how a .pdflow becomes one that is edited on the canvas."""

import re
from collections.abc import Iterable
from typing import Any

import yaml

from bundles import duration, flowmodel
from bundles.flowfields import NAME
from bundles.flowmodel import Flow, Handler, Listener, Trigger

ODD = re.compile(r"[^\w.-]+")
NAMED = ("else", "body", "done")  # options that name a listener


def write(flow: Flow) -> str:
    """YAML that loads into the same flow; names that YAML flows cannot have are changed a little."""
    names = _names([*(one.name for one in flow.listeners), *(one.name for one in flow.triggers)])
    head = {"name": flow.title, "description": flow.description}
    document: dict[str, Any] = {"organism": _given(head)}
    document |= _given({"memory": flow.memory, "llm": dict(flow.llm)}) | _limits(flow)
    document |= {
        "triggers": [_trigger(one, names) for one in flow.triggers],
        "listeners": [_listener(one, names) for one in flow.listeners],
    }
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks; no anchors, for people write these files."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text and not re.search(r"[ \t]\n|\r", text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _names(written: Iterable[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    taken = {name.lower() for name in written if NAME.fullmatch(name)}
    for name in written:
        if NAME.fullmatch(name) or name in names:
            continue
        base = ODD.sub("-", name)[:90]
        base = base if re.match(r"[^\W\d_]", base) else f"n{base}"
        free = next(c for c in (base, *(f"{base}-{i}" for i in range(2, 10_000))) if c.lower() not in taken)
        names[name] = free
        taken.add(free.lower())
    return names


def _limits(flow: Flow) -> dict[str, Any]:
    usual = {
        "thread_scheduling": (flow.scheduling, "breadth-first"),
        "max_concurrent_pipelines": (flow.concurrency, flowmodel.CONCURRENCY),
        "max_concurrent_handlers": (flow.handlers, flowmodel.HANDLERS),
        "max_concurrent_per_agent": (flow.per_agent, flowmodel.PER_AGENT),
        "max_hops": (flow.max_hops, flowmodel.MAX_HOPS),
        "max_tokens_per_thread": (flow.max_tokens, flowmodel.MAX_TOKENS),
    }
    return {key: value for key, (value, default) in usual.items() if value != default}


def _trigger(one: Trigger, names: dict[str, str]) -> dict[str, Any]:
    given = {
        "name": names.get(one.name, one.name),
        "type": one.type,
        "cron": one.cron,
        "every": duration.written(one.every_ms) if one.every_ms else "",
        "timezone": one.timezone if one.timezone != "UTC" else "",
        "misfire": one.misfire if one.misfire != "skip" else "",
        "sensor": one.sensor,
        "respond": one.respond if one.respond != "sync" else "",
        "hmac": one.hmac,
        "rateLimit": str(one.rate or ""),
        "to": names.get(one.to, one.to),
    }
    return _given(given) | ({} if one.enabled else {"enabled": False})


def _listener(one: Listener, names: dict[str, str]) -> dict[str, Any]:
    given = {
        "name": names.get(one.name, one.name),
        "handler": _handler(one.handler),
        "agent": one.agent,
        "description": one.description,
        "prompt": one.prompt,
        "promptRef": one.handler.target.module if one.handler.kind == "agent" and one.handler.target else "",
        "model": one.model,
        "temperature": one.temperature,
        "max_tokens": one.max_tokens,
        "max_iterations": one.max_iterations if one.max_iterations != flowmodel.MAX_ITERATIONS else None,
        "with": {} if _brings(one.handler) else _options(one, names),
        "broadcast": one.broadcast,
        "disabled": one.disabled,
        "retries": one.retries,
        "backoff": duration.written(one.backoff_ms) if one.backoff_ms != flowmodel.BACKOFF_MS else "",
        "timeout": duration.written(one.timeout_ms) if one.timeout_ms else "",
        "onError": names.get(one.on_error, one.on_error),
        "peers": [names.get(peer, peer) for peer in one.peers],
    }
    return _given(given)


def _handler(handler: Handler) -> str:
    if handler.kind == "agent":
        return ""
    return str(handler.target) if handler.target else handler.text


def _brings(handler: Handler) -> bool:
    """Whether the handler has its options by itself."""
    return handler.kind == "builtin" and not handler.text.startswith("builtin:")


def _options(one: Listener, names: dict[str, str]) -> dict[str, Any]:
    options = dict(one.options)
    if one.handler.kind == "builtin" and one.handler.builtin in ("branch", "loop"):
        options |= {key: names.get(options[key], options[key]) for key in NAMED if key in options}
        cases = options.get("cases")
        if cases:
            options["cases"] = [
                case | {"to": names.get(case.get("to", ""), case.get("to"))} for case in cases
            ]
    return options


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Without what is empty; a temperature of 0 is something."""
    return {
        key: value for key, value in values.items() if value or (key == "temperature" and value is not None)
    }
