"""Flows for the tests of their loader."""

from bundles import flow
from bundles.flow import Flow, Listener
from bundles.values import Problem

FILE = "flows/x.yaml"
ORDERS = """\
organism: {name: order-intake}
triggers:
  - {name: incoming, type: webhook, to: validate}            # webhook | schedule | manual | sensor
  - {name: nightly, type: schedule, cron: "0 2 * * *", timezone: Europe/Berlin, to: enrich}
listeners:
  - name: validate
    handler: wasm:order:validate          # wasm:M:F | flow:N | prompt:N | builtin:KIND
    description: Checks the order
    peers: [size, enrich]                 # one message along each edge
    retries: 3
    timeout: 10s
    onError: rejected                     # error edge
  - {name: size, handler: builtin:branch, with: {cases: [{if: "payload.total > 100", to: each}], else: both}}
  - {name: each, handler: builtin:loop, with: {over: "payload.items", body: price, done: both, max: 1000}}
  - {name: price, handler: wasm:order:price}
  - name: enrich
    handler: builtin:http
    with: {method: POST, url: "https://example.org/rates/${payload.currency}", headers: {authorization: "${secret.rates}"}, body: "${payload}"}
    peers: [both]
  - {name: both, handler: builtin:join, with: {wait: all}, peers: [assistant]}
  - {name: assistant, agent: true, prompt: "You decide about orders.", model: gpt-5-mini, peers: [lookup, done]}
  - {name: lookup, handler: wasm:order:lookup, description: Finds earlier orders}
  - {name: rejected, handler: builtin:output, with: {status: 422, body: "${payload}"}}
  - {name: done, handler: builtin:output, with: {status: 200, body: "${payload}"}}
"""  # noqa: E501


def load(text: str, **more: str) -> Flow:
    """The flow in this text; `more` are other files, by their names with `__` for a slash."""
    others = {name.replace("__", "/") + ".yaml": content.encode() for name, content in more.items()}
    return flow.load("x", FILE, {FILE: text.encode(), **others})


def one(node: str, *, top: str = "") -> Flow:
    """A flow of one listener in flow style, and `other` beside it."""
    nodes = f"  - {{name: a, {node}}}\n  - {{name: other, handler: 'builtin:map', with: {{expr: payload}}}}\n"
    return load(f"organism: {{name: x}}\n{top}listeners:\n{nodes}")


def first(node: str, *, top: str = "") -> Listener:
    found = one(node, top=top)
    assert not found.problems, found.problems
    return found.listeners[0]


def only(found: Flow) -> Problem:
    assert len(found.problems) == 1, found.problems
    return found.problems[0]
