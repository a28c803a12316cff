"""What a listener runs: targets, builtins, agents, the tools of xml-pipeline, and what cannot run here."""

import posixpath
import re
from typing import Any

from bundles import paths, target
from bundles.fields import Read
from bundles.flowfields import Reader
from bundles.flowkinds import BUILTINS
from bundles.flowmodel import Handler
from bundles.values import Mapping, Place, Scalar, shown

TOOL = re.compile(r"(?:tool:|(?:xml_pipeline|agentserver)\.tools\.)(\w+)(?:[.:]\w+)*")
PYTHON = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_]\w*)*(?::[A-Za-z_]\w*)?")
FORMS = "wasm:MODULE:FUNCTION, flow:NAME, prompt:ID or builtin:KIND"
# The tools of xml-pipeline that builtins stand in for; their messages have these fields.
TOOLS: dict[str, tuple[str, dict[str, Any]]] = {
    "fetch": ("http", {"method": "GET", "url": "${payload.url}"}),
    "fetch_url": ("http", {"method": "GET", "url": "${payload.url}"}),
    "webhook": ("http", {"method": "POST", "url": "${payload.url}", "body": "${payload}"}),
    "key_value_get": ("memory", {"get": "${payload.key}"}),
    "key_value_set": ("memory", {"set": "${payload.key}", "value": "${payload.value}"}),
    "key_value_delete": ("memory", {"delete": "${payload.key}"}),
}


def read(found: Read, reader: Reader, *, name: str) -> tuple[Handler, dict[str, Any]]:
    """The handler of a listener, and the options that it brings along."""
    text, place = found.get("handler", ""), found.at("handler")
    if text == "wasm":
        return _wasm(found, reader, name), {}
    if text and is_ours(text):
        return _ours(text, place, reader), {}
    if _thinks(found, reader):
        return _agent(found, text, reader), {}
    if not text:
        if "handler" not in found.places:
            message = f"the listener {shown(name)} has no handler"
            reader.report.warning(place, message, f"write handler: {FORMS}")
        return Handler("unbound"), {}
    return _foreign(text, place, reader)


def is_ours(text: str) -> bool:
    return text.partition(":")[0] in (*target.KINDS, "builtin") and ":" in text


def flagged(found: Read, reader: Reader) -> bool | None:
    """What `agent` says, in either spelling; None when it says nothing."""
    block = found.get("agent")
    if block is None:
        return bool(found.get("is_agent")) if "is_agent" in found.values else None
    if isinstance(block, Mapping):
        return True
    if isinstance(block, Scalar) and isinstance(block.value, bool):
        return block.value
    reader.report.error(block.place, "'agent' must be true, false or {prompt, model, …}")
    return None


def _thinks(found: Read, reader: Reader) -> bool:
    """Whether a language model does the work: with words of its own, or where nothing else does it."""
    flag = flagged(found, reader)
    words = bool(found.get("prompt") or found.get("promptRef") or isinstance(found.get("agent"), Mapping))
    if flag is False:
        return False
    return bool(flag and words) if found.get("handler") else bool(flag or words or found.get("tools"))


def _ours(text: str, place: Place, reader: Reader) -> Handler:
    kind, _, rest = text.partition(":")
    if kind == "builtin":
        return _builtin(rest, text, place, reader)
    try:
        to = target.parse(text)
    except target.TargetError as wrong:
        reader.report.error(place, f"{shown(text)}: {wrong}")
        return Handler("unbound", text)
    return Handler(to.kind, text, to)


def _builtin(kind: str, text: str, place: Place, reader: Reader) -> Handler:
    if kind in BUILTINS:
        return Handler("builtin", text, None, kind)
    if kind == "code":
        hint = "write handler: wasm:MODULE:FUNCTION"
        reader.report.warning(place, "this code block has no function yet", hint)
    else:
        meant = reader.report.meant(kind, BUILTINS)
        hint = "there are " + ", ".join(BUILTINS)
        reader.report.error(place, f"there is no builtin {shown(kind)}{meant}", hint)
    return Handler("unbound", text)


def _agent(found: Read, text: str, reader: Reader) -> Handler:
    """With `promptRef` the words are those of a prompt of the bundle, and so the handler's target."""
    reference, prompt = found.get("promptRef", ""), found.get("prompt") or _inner_prompt(found)
    if reference and prompt:
        reader.report.error(found.at("promptRef"), "an agent has prompt or promptRef, not both")
    if not reference and not prompt and "prompt" not in found.places:
        reader.report.warning(found.place, "this agent has no instructions", "give it a prompt")
    if not reference:
        return Handler("agent", text)
    try:
        return Handler("agent", text, target.parse(f"prompt:{reference}"))
    except target.TargetError as wrong:
        reader.report.error(found.at("promptRef"), f"{shown(reference)}: {wrong}")
        return Handler("agent", text)


def _inner_prompt(found: Read) -> bool:
    block = found.get("agent")
    return isinstance(block, Mapping) and "prompt" in block.entries


def _wasm(found: Read, reader: Reader, name: str) -> Handler:
    """`handler: wasm` with `wasm: {path}`: the module of that file; the function has the listener's name."""
    block = found.get("wasm")
    path = block.entries.get("path") if isinstance(block, Mapping) else None
    if not isinstance(block, Mapping) or not isinstance(path, Scalar) or path.kind != "str":
        reader.report.error(found.at("wasm"), "handler: wasm needs wasm: {path: FILE}")
        return Handler("unbound", "wasm")
    if why := paths.file_fault(path.text.removeprefix("./")):
        reader.report.error(path.place, f"the path {shown(path.text)} {why}")
        return Handler("unbound", "wasm")
    module = path.text.rsplit("/", 1)[-1].removesuffix(".wasm")
    function = block.entries.get("function")
    written = function.text if isinstance(function, Scalar) else name
    try:
        to = target.parse(f"wasm:{module}:{written}")
    except target.TargetError as wrong:
        reader.report.error(path.place, str(wrong))
        return Handler("unbound", "wasm")
    _remember(module, path.text, reader)
    return Handler("wasm", "wasm", to)


def _remember(module: str, path: str, reader: Reader) -> None:
    """A module that lies beside the flow, where a bundle would not look for it."""
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(reader.file), path))
    found = next((one for one in (beside, posixpath.normpath(path)) if one in reader.files), "")
    if found:
        reader.modules.setdefault(module, found)


def _foreign(text: str, place: Place, reader: Reader) -> tuple[Handler, dict[str, Any]]:
    tool = TOOL.fullmatch(text)
    if tool and tool[1] in TOOLS:
        builtin, options = TOOLS[tool[1]]
        return Handler("builtin", text, None, builtin), dict(options)
    scheme = text.partition(":")[0] if ":" in text else ""
    meant = reader.report.meant(scheme, (*target.KINDS, "builtin")) if scheme else ""
    if tool or (PYTHON.fullmatch(text) and not meant):
        what = f"the tool {shown(tool[1])}" if tool else f"the Python handler {shown(text)}"
        message = f"{what} does not run here: the node is drawn, not executable"
        reader.report.warning(place, message, f"bind it to {FORMS}")
    else:
        reader.report.error(place, f"{shown(text)} is not a handler{meant}", f"a handler is {FORMS}")
    return Handler("unbound", text), {}
