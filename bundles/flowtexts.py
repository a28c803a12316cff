"""Checks the expressions and templates of a flow: their syntax, the names they use, where secrets may stand."""

from bundles import cel, template
from bundles.flowfields import Reader
from bundles.values import Mapping, Node, Place, Scalar, Sequence, shown

MARK = "${"
MAX_WORK = 250_000  # characters of all expressions of a flow, each counted with 20 more: about half a second


def expression(node: Node, reader: Reader, *, what: str) -> str | None:
    """A bare expression as text, or None after a problem."""
    if not isinstance(node, Scalar) or node.kind in ("null", "date"):
        reader.report.error(node.place, f"'{what}' must be an expression")
        return None
    text = node.text.lower() if node.kind == "bool" else node.text
    if whole := text.startswith(MARK) and text.endswith("}"):
        hint = "write it without ${ }"
        reader.report.error(node.place, f"'{what}' is an expression by itself", hint)
    return None if whole or not _compiles(text, node.place, reader, what=what) else text


def value(node: Node, reader: Reader, *, what: str, secrets: bool = False) -> None:
    """Every text in a value, however deep."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            waiting.extend(one.entries.values())
        elif isinstance(one, Sequence):
            waiting.extend(one.items)
        elif one.kind == "str" and MARK in one.text:
            _template(one, reader, what=what, secrets=secrets)


def _compiles(text: str, place: Place, reader: Reader, *, what: str) -> bool:
    if not _affordable(text, place, reader):
        return False
    try:
        compiled = cel.compile(text)
    except cel.CelError as wrong:
        reader.report.error(place, f"'{what}' is not an expression: {wrong}")
        return False
    for name in sorted(compiled.names):
        _check(name, place, reader, what=what)
    return True


def _template(node: Scalar, reader: Reader, *, what: str, secrets: bool) -> None:
    if not _affordable(node.text, node.place, reader):
        return
    try:
        compiled = template.compile(node.text)
    except cel.CelError as wrong:
        reader.report.error(node.place, f"'{what}': {wrong}")
        return
    for name in sorted(compiled.names - ({"secret"} if secrets else set())):
        _check(name, node.place, reader, what=what)


def _affordable(text: str, place: Place, reader: Reader) -> bool:
    """Whether there is room for one more; reported once."""
    before, reader.work = reader.work, reader.work + len(text) + 20
    if before <= MAX_WORK < reader.work:
        reader.report.error(place, f"the flow has more than {MAX_WORK} characters of expressions")
    return reader.work <= MAX_WORK


def _check(name: str, place: Place, reader: Reader, *, what: str) -> None:
    """A name that an expression begins with."""
    if name == "secret":
        hint = "secrets stand only in headers and body of an http node"
        reader.report.error(place, f"'{what}' may not use a secret", hint)
    elif name not in cel.ROOTS:
        meant = reader.report.meant(name, cel.ROOTS)
        hint = "there are " + ", ".join(cel.ROOTS)
        reader.report.error(place, f"'{what}': nothing is named {shown(name)} here{meant}", hint)
