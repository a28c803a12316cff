"""The kinds of nodes as plain data: the loader, the docs, the palette and the inspector are all made from it.

`catalogue()` gives JSON-able values, one mapping for each kind, in the order of the palette:

    {"kind": "http", "title": "HTTP Request", "description": "…", "group": "Actions",
     "handler": "builtin:http",        # what a new node has as `handler`; "" for agents and triggers
     "ports": ["peer", "error"],       # where its wires may begin
     "fields": [FIELD, …],             # its own fields, in the order of the form
     "common": [FIELD, …]}             # those that all nodes share
    FIELD = {"key": "with.url",        # path in the listener (or the trigger), in its usual spelling
             "type": "template", "label": "URL", "required": true, "help": "…", "default": null,
             "choices": [],            # of type choice
             "group": "over|while",    # of fields with the same group exactly one is needed; else ""
             "secrets": false}         # whether `${secret.x}` may stand in it

Types: text (plain), template (text with `${…}` in it), value (any value, with `${…}` in its texts), map (values by
name), expression (CEL, bare), node (the name of a listener), nodes (names), cases ([{if, to}]), duration (10s, or a
template), integer, number, boolean, choice, statuses ([200, "2xx"]), wait (all, any or a number), cron, timezone,
target. A branch has the ports "case 0", "case 1" … for the "case" of its `ports`.
"""

from collections.abc import Mapping as Map
from dataclasses import dataclass
from typing import Any, Literal

KeyType = Literal[
    "text", "template", "value", "map", "expression", "node", "nodes", "cases", "duration", "integer", "number",
    "boolean", "choice", "statuses", "wait", "cron", "timezone", "target",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Key:
    """One field of a form, and one key of the file."""

    key: str
    type: KeyType
    label: str
    help: str
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    group: str = ""
    secrets: bool = False
    low: float = 0
    high: float = 10**9

    @property
    def name(self) -> str:
        return self.key.removeprefix("with.")

    def shown(self) -> dict[str, Any]:
        return {
            "key": self.key, "type": self.type, "label": self.label, "help": self.help,
            "required": self.required, "default": self.default, "choices": list(self.choices),
            "group": self.group, "secrets": self.secrets,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of node; `handler` is what a new one has."""

    kind: str
    title: str
    group: str
    description: str
    handler: str
    ports: tuple[str, ...]
    keys: tuple[Key, ...] = ()

    @property
    def options(self) -> dict[str, Key]:
        """The keys of `with` by their names."""
        return {key.name: key for key in self.keys if key.key.startswith("with.")}


def catalogue() -> list[dict[str, Any]]:
    """Every kind as JSON-able values."""
    return [_shown(kind) for kind in KINDS]


def _shown(kind: Kind) -> dict[str, Any]:
    return {
        "kind": kind.kind, "title": kind.title, "description": kind.description, "group": kind.group,
        "handler": kind.handler, "ports": list(kind.ports), "fields": [key.shown() for key in kind.keys],
        "common": [key.shown() for key in _common(kind)],
    }  # fmt: skip


def _common(kind: Kind) -> list[Key]:
    """The fields that all nodes share, without wires that begin nowhere."""
    without = {"peer": "peers", "error": "onError"}
    left_out = {key for port, key in without.items() if port not in kind.ports}
    return [key for key in (TRIGGER_COMMON if kind is TRIGGER else COMMON) if key.key not in left_out]


COMMON = (
    Key("name", "text", "Name", "Unique in the flow, whatever the case; other nodes name it", required=True),
    Key(
        "description",
        "text",
        "Description",
        "What the node does; an agent reads it when the node is its tool",
    ),
    Key("peers", "nodes", "Sends to", "Nodes that get what this one answers, one message along each wire"),
    Key("retries", "integer", "Retries", "How often a failure is tried again", default=0, high=20),
    Key(
        "backoff",
        "duration",
        "Pause before a retry",
        "The first pause; each later one is twice as long",
        default="1s",
    ),
    Key(
        "timeout",
        "duration",
        "Time limit",
        "How long one try may take; without it the limits of the run count",
    ),
    Key("onError", "node", "On failure", "The node that gets {error, payload} when the last try failed"),
    Key("disabled", "boolean", "Disabled", "Messages pass through untouched", default=False),
    Key(
        "broadcast",
        "boolean",
        "One of a group",
        "What is sent to the name before the last dot goes to every node that begins with it",
        default=False,
    ),
)
TRIGGER_COMMON = (
    Key("name", "text", "Name", "Unique among the triggers of the flow", required=True),
    Key("to", "node", "Sends to", "The node that gets what came in; the first one unless told"),
    Key("enabled", "boolean", "Enabled", "A trigger that is off starts nothing", default=True),
    Key("description", "text", "Description", "What it is for"),
)
NO_WIRES = ()
STEP = ("peer", "error")


def _with(name: str, type: KeyType, label: str, help: str, **more: Any) -> Key:
    return Key(f"with.{name}", type, label, help, **more)


TRIGGER = Kind(
    "trigger", "Trigger", "Start", "Starts the flow: a webhook, a schedule, a sensor or a person", "", ("trigger",),
    (
        Key("type", "choice", "Type", "What starts the flow", required=True, default="webhook",
            choices=("webhook", "schedule", "manual", "sensor")),
        Key("cron", "cron", "Cron", "Of a schedule: minute hour day month weekday", group="cron|every"),
        Key("every", "duration", "Every", "Of a schedule, instead of cron: 15m, 24h", group="cron|every"),
        Key("timezone", "timezone", "Time zone", "Where the clock of the cron line hangs", default="UTC"),
        Key("misfire", "choice", "Missed times", "skip them, or run once when the clock is back", default="skip",
            choices=("skip", "once")),
        Key("sensor", "text", "Sensor", "Of a sensor trigger: its name"),
        Key("respond", "choice", "Answer", "Of a webhook: sync waits for the flow's output, async answers 202",
            default="sync", choices=("sync", "async")),
        Key("rateLimit", "text", "At most", "Of a webhook: so many calls, such as 100/s, 600/m or 5000/h"),
        Key("hmac", "text", "Signed with", "Of a webhook: the name of the secret that signs its requests"),
    ),
)  # fmt: skip
AGENT = Kind(
    "agent", "Agent", "AI", "A language model that decides and uses its peers as tools", "", STEP,
    (
        Key("prompt", "text", "Instructions", "What the agent is told, as it stands", required=True),
        Key("promptRef", "text", "Instructions from a prompt", "The id of a prompt of the bundle, instead"),
        Key("model", "text", "Model", "The name of the model; without it the first backend's"),
        Key("temperature", "number", "Temperature", "0 is steady, 2 is wild", high=2),
        Key("max_tokens", "integer", "Tokens of an answer", "At most so many", low=1, high=1_000_000),
        Key("max_iterations", "integer", "Rounds", "How often it may call tools and think again", default=5, low=1,
            high=100),
    ),
)  # fmt: skip
LLM = Kind(
    "llm", "LLM Call", "AI", "One call of a language model", "builtin:llm", STEP,
    (
        _with("model", "template", "Model", "The name of the model; without it the first backend's"),
        _with("system", "template", "System", "What the model is told about its task"),
        _with("prompt", "template", "Prompt", "What it is asked", required=True, default="${payload}"),
        _with("temperature", "number", "Temperature", "0 is steady, 2 is wild", high=2),
        _with("maxTokens", "integer", "Tokens of the answer", "At most so many", low=1, high=1_000_000),
        _with("json", "boolean", "Answer is JSON", "The answer is read as JSON; anything else fails", default=False),
        _with("rehearsal", "value", "Rehearsal", "What it says as long as no backend has a key; without it that fails"),
    ),
)  # fmt: skip
HTTP = Kind(
    "http", "HTTP Request", "Actions", "Calls a server; the payload becomes {status, headers, body}", "builtin:http",
    STEP,
    (
        _with("method", "choice", "Method", "How to ask", default="GET",
              choices=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")),
        _with("url", "template", "URL", "Where to", required=True, default="https://"),
        _with("headers", "map", "Headers", "By name", secrets=True),
        _with("query", "map", "Query", "Parameters that are added to the URL"),
        _with("body", "value", "Body", "Text, or any value as JSON", secrets=True),
        _with("timeout", "duration", "Time limit", "How long to wait for the answer", default="30s"),
        _with("expect", "statuses", "Good statuses", 'Others are failures: 200, "2xx"', default=["2xx"]),
    ),
)  # fmt: skip
CODE = Kind(
    "code", "Code Block", "Actions", "A function of a WebAssembly module", "wasm:MODULE:FUNCTION", STEP,
    (Key("handler", "target", "Function", "wasm:MODULE:FUNCTION of this bundle", required=True),),
)  # fmt: skip
BRANCH = Kind(
    "branch", "Conditional", "Logic", "Sends the payload on along the first case that is true", "builtin:branch",
    ("case", "else", "error"),
    (
        _with("cases", "cases", "Cases", "Tried in their order: {if: expression, to: node}", required=True),
        _with("else", "node", "Else", "The node when no case is true; without it the branch answers"),
    ),
)  # fmt: skip
LOOP = Kind(
    "loop", "Loop", "Logic", "Runs its body for each item, or while a condition holds", "builtin:loop",
    ("body", "done", "error"),
    (
        _with("over", "expression", "Over", "A list; the body sees item and index", group="over|while"),
        _with("while", "expression", "While", "A condition, looked at before each round", group="over|while"),
        _with("body", "node", "Body", "The node that does one round; what it answers comes back", required=True),
        _with("done", "node", "Done", "The node that gets the list of the answers"),
        _with("max", "integer", "At most", "Rounds; one more is a failure", default=1_000, low=1, high=1_000_000),
        _with("parallel", "integer", "Side by side", "Rounds at the same time; of a while always 1", default=1,
              low=1, high=100),
    ),
)  # fmt: skip
JOIN = Kind(
    "join", "Join", "Logic", "Waits for the messages of several wires", "builtin:join", STEP,
    (_with("wait", "wait", "Wait for", "all, any, or a number of messages", default="all"),),
)  # fmt: skip
MAP = Kind(
    "map", "Map", "Data", "Makes a new payload", "builtin:map", STEP,
    (_with("expr", "expression", "Expression", "Its value is the new payload", required=True, default="payload"),),
)  # fmt: skip
FILTER = Kind(
    "filter", "Filter", "Data", "Lets the payload pass, or ends this path", "builtin:filter", STEP,
    (_with("if", "expression", "If", "The condition", required=True, default="true"),),
)  # fmt: skip
DELAY = Kind(
    "delay", "Delay", "Logic", "Passes the payload on later; longer than 30 s parks the run", "builtin:delay", STEP,
    (
        _with("for", "duration", "For", "How long: 30s, 2h", group="for|until", default="1m"),
        _with("until", "template", "Until", "A moment, such as 2030-01-31T09:00:00Z", group="for|until"),
    ),
)  # fmt: skip
WAIT = Kind(
    "wait", "Wait", "Logic", "Parks the run until its link is opened: an approval", "builtin:wait", STEP,
    (_with("timeout", "duration", "At most", "Later than that is a failure", default="24h"),),
)  # fmt: skip
MEMORY = Kind(
    "memory", "Memory", "Data", "The flow's own memory over its runs", "builtin:memory", STEP,
    (
        _with("get", "template", "Get", "The key to read; null when there is none", group="get|set|add|delete"),
        _with("set", "template", "Set", "The key to write", group="get|set|add|delete"),
        _with("add", "template", "Add", "The key of a number to add to, in one step; answers the sum",
              group="get|set|add|delete"),
        _with("delete", "template", "Delete", "The key to forget", group="get|set|add|delete"),
        _with("value", "value", "Value", "What to write, the payload unless told; what to add, 1 unless told"),
        _with("expect", "value", "Only if it is",
              "Changes only what still has this value (null: none), else fails with the code conflict"),
    ),
)  # fmt: skip
SENSOR = Kind(
    "sensor", "Sensor", "Actions", "Fires a sensor, for intents and for other flows", "builtin:sensor", STEP,
    (
        _with("fire", "template", "Fires", "The name of the sensor", required=True),
        _with("payload", "value", "With", "What those that listen get", default="${payload}"),
    ),
)  # fmt: skip
FLOW = Kind(
    "flow", "Flow", "Actions", "Runs another flow of the bundle and waits for its answer", "flow:NAME", STEP,
    (Key("handler", "target", "Flow", "flow:NAME or flow:NAME:LISTENER", required=True),),
)  # fmt: skip
PROMPT = Kind(
    "prompt", "Prompt", "AI", "Fills a prompt of the bundle and sends it to a language model", "prompt:ID", STEP,
    (
        Key("handler", "target", "Prompt", "prompt:ID of this bundle", required=True),
        _with("provider", "text", "Provider", "A backend by its name or provider; without it as the prompt says"),
        _with("model", "text", "Model", "The name of the model; without it as the prompt says"),
        _with("temperature", "number", "Temperature", "0 is steady, 2 is wild", high=2),
        _with("maxTokens", "integer", "Tokens of the answer", "At most so many", low=1, high=1_000_000),
    ),
)  # fmt: skip
OUTPUT = Kind(
    "output", "Output", "Start", "Answers whoever started the flow", "builtin:output", NO_WIRES,
    (
        _with("status", "value", "Status", "From 200 to 599", default=200),
        _with("headers", "map", "Headers", "By name"),
        _with("body", "value", "Body", "Text, or any value as JSON", default="${payload}"),
    ),
)  # fmt: skip

KINDS = (
    TRIGGER, OUTPUT, HTTP, CODE, FLOW, SENSOR, BRANCH, LOOP, JOIN, DELAY, WAIT, MAP, FILTER, MEMORY, LLM, AGENT,
    PROMPT,
)  # fmt: skip
BUILTINS: Map[str, Kind] = {
    kind.handler.partition(":")[2]: kind for kind in KINDS if kind.handler.startswith("builtin:")
}
