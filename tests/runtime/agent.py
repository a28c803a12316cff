"""An agent with tools for tests: its listener, its peers, what they do."""

from typing import Any

from bundles.flow import Handler, Listener
from bundles.target import parse
from runtime.flowneeds import Need
from tests.runtime import outsiders
from tests.runtime.outsiders import Peer

PROMPT = "You look after orders."


def listener(*peers: str, **more: Any) -> Listener:
    usual = {"prompt": PROMPT, "model": "m", "peers": peers}
    return Listener("node", Handler("agent"), **{**usual, **more})


def tool(name: str, description: str = "", kind: str = "wasm") -> Listener:
    made = {
        "wasm": Handler("wasm", "wasm:m:f", parse("wasm:m:f")),
        "agent": Handler("agent"),
        "output": Handler("builtin", "builtin:output", builtin="output"),
    }
    return Listener(name, made[kind], description=description)


def around(**tools: Peer) -> dict[str, Any]:
    """What a context needs, with these tools as peers; `done` is an output."""
    nodes = [tool(name, f"The tool {name}", "output" if name == "done" else "wasm") for name in tools]
    return {"peers": tools, "listeners": (listener(*tools), *nodes, tool("secret-node"))}


def need(payload: Any, *peers: str, **more: Any) -> Need:
    step = {key: more.pop(key) for key in ("attempt", "thread") if key in more}
    names = peers or ("look", "done")
    return outsiders.need("agent", {}, payload, listener=listener(*names, **more), **step)
