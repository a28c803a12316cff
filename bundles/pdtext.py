"""The texts of a .pdflow: what stands in `{{ }}` becomes CEL; what only JavaScript could do is refused."""

import json
import re
from dataclasses import dataclass
from typing import Any

from bundles import cel

HOLE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?P<number>[0-9]+(?:\.[0-9]+)?)"""
    r"""|(?P<path>[A-Za-z_$][\w$]*(?:-\w+)*(?:\??\.[A-Za-z_$][\w$]*|\[[0-9]{1,6}\]|\["[^"\\]*"\]|\['[^'\\]*'\])*)"""
    r"""|(?P<mark>===|!==|==|!=|<=|>=|&&|\|\||[<>!+\-*/%()?:,\[\]])"""
)
STEP = re.compile(r"""\??\.([A-Za-z_$][\w$]*)|\[([0-9]{1,6})\]|\[(?:"([^"\\]*)"|'([^'\\]*)')\]""")
MARKS = {"===": "==", "!==": "!="}
WORDS = {"true": "true", "false": "false", "null": "null", "undefined": "null"}
METHODS = {
    "includes": "contains", "startsWith": "startsWith", "endsWith": "endsWith", "trim": "trim",
    "toLowerCase": "lowerAscii", "toUpperCase": "upperAscii",
}  # fmt: skip
MAX_TEXT = 10_000


class Foreign(ValueError):
    """Not to be said in CEL."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a text of this document may speak of."""

    nodes: frozenset[str]
    defaults: dict[str, Any]  # of the parameters
    items: frozenset[str]  # what loops call their element
    inputs: frozenset[str] = frozenset(("previous_output", "input", "previousOutput"))


def expression(text: str, names: Names) -> str:
    """The CEL for what stands in braces, or stands there without them; Foreign when there is none."""
    if len(text) > MAX_TEXT:
        raise Foreign("it is too long")
    translated = "".join(_tokens(HOLE.sub(lambda found: f" {found[1]} ", text).strip(), names))
    try:
        cel.compile(translated)
    except cel.CelError:
        raise Foreign("it is not a simple expression") from None
    return translated


def condition(text: str, names: Names) -> str:
    """As `expression`, and true for what JavaScript takes for true."""
    found = expression(text, names)
    if any(mark in text for mark in ("=", "<", ">", "!")) or found in ("true", "false"):
        return found
    return f'!(({found}) in [null, false, "", 0])'


def template(text: str, names: Names) -> str:
    """The text with `${…}` in place of `{{…}}`."""
    parts: list[str] = []
    done = 0
    for hole in HOLE.finditer(text[:MAX_TEXT]):
        parts += [text[done : hole.start()].replace("${", "$${"), "${", expression(hole[1], names), "}"]
        done = hole.end()
    return "".join([*parts, text[done:].replace("${", "$${")])


def values(value: Any, names: Names) -> Any:
    """Every text in a value."""
    if isinstance(value, str):
        return template(value, names)
    if isinstance(value, list):
        return [values(one, names) for one in value]
    if isinstance(value, dict):
        return {key: values(one, names) for key, one in value.items()}
    return value


def literal(text: str, names: Names) -> str:
    """The CEL that makes what a text with holes makes: of JSON its value, else a text."""
    try:
        return _literal(json.loads(text), names)
    except (ValueError, RecursionError):
        return _text(text, names)


def _literal(value: Any, names: Names) -> str:
    if isinstance(value, str):
        return _text(value, names)
    if isinstance(value, list):
        return "[" + ", ".join(_literal(one, names) for one in value) + "]"
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{json.dumps(key)}: {_literal(one, names)}" for key, one in value.items()) + "}"
        )
    return json.dumps(value)


def _text(text: str, names: Names) -> str:
    whole = HOLE.fullmatch(text.strip())
    if whole and "{{" not in whole[1]:
        return expression(whole[1], names)
    parts: list[str] = []
    done = 0
    for hole in HOLE.finditer(text):
        inner = expression(hole[1], names)
        parts += [
            json.dumps(text[done : hole.start()]),
            f"(type({inner}) == string ? {inner} : json({inner}))",
        ]
        done = hole.end()
    return " + ".join([*parts, json.dumps(text[done:])])


def _tokens(text: str, names: Names) -> list[str]:
    found: list[str] = []
    offset = 0
    while offset < len(text):
        token = TOKEN.match(text, offset)
        if not token:
            raise Foreign("it is not a simple expression")
        offset = token.end()
        found.append(_token(str(token.lastgroup), token[0], names, called=text[offset : offset + 1] == "("))
    return found


def _token(kind: str, text: str, names: Names, *, called: bool) -> str:
    if kind == "space":
        return " "
    if kind == "mark":
        return MARKS.get(text, text)
    if kind == "path":
        return WORDS.get(text) or _path(text, names, called=called)
    return text


def _path(text: str, names: Names, *, called: bool) -> str:
    root = re.split(r"[.\[?]", text, maxsplit=1)[0]
    # A node's name may hold hyphens and dots: the longest that is one.
    known = max((name for name in names.nodes if text == name or _begins(text, name)), key=len, default="")
    root = known or root
    steps = [next(part for part in step if part) for step in STEP.findall(text[len(root) :])]
    method = METHODS.get(steps.pop(), "") if called and steps else ""
    if called and not method:
        raise Foreign("it calls a function")
    found = _rooted(root, steps, names)
    return f"{found}.{method}" if method else found


def _begins(text: str, name: str) -> bool:
    return text.startswith(name) and text[len(name)] in ".[?"


def _rooted(root: str, steps: list[str], names: Names) -> str:
    if root in names.nodes:
        return _inside(f"steps[{json.dumps(root)}]", steps[1:] if steps[:1] == ["output"] else steps)
    if root in names.inputs:
        return _inside("payload", steps)
    if root in ("workflow", "parameters", "params") and steps:
        return _parameter(steps[0], steps[1:], names)
    if root in names.defaults:
        return _parameter(root, steps, names)
    if root in ("index", "loop") or root in names.items:
        if root == "loop":
            root, steps = (steps or ["item"])[0], steps[1:]
        return "index" if root in ("index", "iteration") else _inside("item", steps)
    raise Foreign(f"nothing is named {root[:60]}")


def _parameter(name: str, steps: list[str], names: Names) -> str:
    default = json.dumps(names.defaults.get(name, ""))
    return _inside(f"default(trigger.body[{json.dumps(name)}], {default})", steps)


def _inside(value: str, steps: list[str]) -> str:
    """A field of a value that may also be JSON in a text; null where there is none."""
    if not steps:
        return value
    size = steps[-1] == "length"
    keys = [step if step.isdecimal() else json.dumps(step) for step in steps[: len(steps) - size]]
    inner = f"(type({value}) == string ? parseJson({value}) : {value})"
    found = f"default({inner}{''.join(f'[{key}]' for key in keys)}, null)" if keys else value
    return f"size({found})" if size else found
