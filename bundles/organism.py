"""organism.yaml, in all its dialects, with our additions: one document in, a flow out."""

import re
from collections.abc import Mapping as Map
from typing import Any

from bundles import flowlinks, flowlisteners, flowllm, flowtriggers, organismfiles, values
from bundles.fields import Field, Read, table
from bundles.flowfields import Reader, kept
from bundles.flowmodel import CONCURRENCY, HANDLERS, MAX_HOPS, MAX_TOKENS, PER_AGENT, Flow
from bundles.values import Mapping, Node, Place, Report, Scalar, Sequence, shown

SCHEDULING = ("breadth-first", "depth-first")
LIMITS = (
    Field("thread_scheduling", "choice", "Which waiting message is next", choices=SCHEDULING),
    Field(
        *("max_concurrent_pipelines", "integer", "Runs of the flow at the same time in one process; 50"),
        low=1,
        high=10_000,
    ),
    Field("max_concurrent_handlers", "integer", "Nodes of a run at the same time; 20", low=1, high=1_000),
    Field("max_concurrent_per_agent", "integer", "Calls of one agent at the same time; 5", low=1, high=1_000),
    Field("max_hops", "integer", "Messages in a run, 10000 unless told", low=1, high=1_000_000),
    Field("max_tokens_per_thread", "integer", "Tokens of language models in a run; 100000", low=1),
)
ORGANISM_FIELDS = table(
    Field("organism", "map", "The head of the flow", required=True),
    Field("triggers", "list", "What starts the flow"),
    Field("listeners", "node", "The nodes: a list, or {directory, include} for files beside this one"),
    Field("llm", "map", "Language models of this flow: strategy, backends"),
    Field("llm_backends", "list", "The same backends in an older place"),
    Field("gateways", "list", "Federated organisms; peers may name them, they are not executable"),
    Field("memory", "node", "Project memory: a size such as 64KiB; without it the flow has none"),
    *LIMITS,
    *kept("oob", "meta", "platform", "backend", "server", "auth", "tls", "profiles", "prompts"),
)
HEAD_FIELDS = table(
    Field("name", "text", "Title of the flow; its identity is the name of its file", required=True),
    Field("version", "text", "Version of the flow, for people"),
    Field("description", "text", "What the flow does"),
    *LIMITS,
    *kept("port", "identity", "tls"),
)
SIZE = re.compile(r"([0-9]{1,12}) ?(b|kb|kib|mb|mib)?", re.IGNORECASE)
UNITS = {"": 1, "b": 1, "kb": 1_000, "kib": 1_024, "mb": 1_000_000, "mib": 1_048_576}
MAX_VALUES = 40_000  # a flow of 1,500 nodes; still read in about 100 ms
DEFAULT_MEMORY = 65_536
MAX_MEMORY = 1_073_741_824
NOT_ONE = "not an organism: missing organism.name"
EXAMPLE = "a flow begins with organism: {name: my-flow}"


def load(name: str, file: str, files: Map[str, bytes]) -> Flow:
    """The flow in a YAML file, with every problem at its place."""
    reader = Reader(name, file, files, Report(), sources=[file])
    root = _root(reader)
    head = root.entries.get("organism") if root else None
    if root is None or not isinstance(head, Mapping) or not _named(head):
        if root is not None:
            place = head.place if isinstance(head, Mapping) else root.place
            reader.report.error(place, NOT_ONE, EXAMPLE)
        return Flow(name, name, "", file, "organism", problems=reader.report.problems(), sources=(file,))
    return _flow(root, head, reader)


def _root(reader: Reader) -> Mapping | None:
    data = reader.files.get(reader.file)
    if data is None:
        reader.report.error(Place(reader.file, 1, 1), f"the file {shown(reader.file)} is not in the bundle")
        return None
    document = values.parse(data, file=reader.file, most=MAX_VALUES)
    reader.report.extend(document.problems)
    if document.root is None:
        return None
    if not isinstance(document.root, Mapping):
        reader.report.error(document.root.place, NOT_ONE, EXAMPLE)
        return None
    return document.root


def _named(head: Mapping) -> bool:
    name = head.entries.get("name")
    return isinstance(name, Scalar) and name.kind != "null" and bool(name.text.strip())


def _flow(root: Mapping, block: Mapping, reader: Reader) -> Flow:
    found = reader.read(root, ORGANISM_FIELDS, of="a flow")
    head = reader.read(block, HEAD_FIELDS, of="organism")
    listeners = flowlisteners.read(_listeners(found, reader), reader)
    triggers = flowtriggers.read(found.items("triggers"), reader)
    limit = _Limits(found, head).get
    memory = _memory(found, reader)
    llm = flowllm.read(found, reader)
    flowlinks.check(listeners, triggers, reader, gateways=_gateways(found))
    if not memory:
        flowlinks.check_without_memory(listeners, reader)
    return Flow(
        name=reader.name,
        title=head.get("name", reader.name),
        description=head.get("description", ""),
        file=reader.file,
        dialect="organism",
        listeners=listeners,
        triggers=triggers,
        scheduling=limit("thread_scheduling", "breadth-first"),
        max_hops=limit("max_hops", MAX_HOPS),
        max_tokens=limit("max_tokens_per_thread", MAX_TOKENS),
        concurrency=limit("max_concurrent_pipelines", CONCURRENCY),
        handlers=limit("max_concurrent_handlers", HANDLERS),
        per_agent=limit("max_concurrent_per_agent", PER_AGENT),
        memory=memory,
        llm=llm,
        problems=reader.report.problems(),
        sources=tuple(reader.sources),
        modules=reader.modules,
    )


class _Limits:
    """A limit stands at the top of the file or, in another dialect, under organism."""

    def __init__(self, *blocks: Read) -> None:
        self.blocks = blocks

    def get(self, name: str, default: Any) -> Any:
        return next((block.get(name) for block in self.blocks if name in block.values), default)


def _listeners(found: Read, reader: Reader) -> list[Node]:
    node: Node | None = found.get("listeners")
    if isinstance(node, Sequence):
        return node.items
    if isinstance(node, Mapping):
        return organismfiles.listeners(node, reader)
    if node is not None:
        reader.report.error(node.place, "'listeners' must be a list, or {directory, include}")
    return []


def _gateways(found: Read) -> set[str]:
    entries = [item.entries.get("name") for item in found.items("gateways") if isinstance(item, Mapping)]
    return {node.text.lower() for node in entries if isinstance(node, Scalar)}


def _memory(found: Read, reader: Reader) -> int:
    """Bytes; the flow's owner opts in by writing it."""
    node: Node | None = found.get("memory")
    if node is None or (isinstance(node, Scalar) and node.kind == "bool"):
        return DEFAULT_MEMORY if isinstance(node, Scalar) and node.value is True else 0
    size = SIZE.fullmatch(node.text) if isinstance(node, Scalar) and not node.odd else None
    total = int(size[1]) * UNITS[(size[2] or "").lower()] if size else -1
    if not 0 <= total <= MAX_MEMORY:
        reader.report.error(node.place, "'memory' must be a size up to 1024MiB", "for example 64KiB or 10MB")
        return 0
    return total
