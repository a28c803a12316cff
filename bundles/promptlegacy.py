"""The older dialect of single braces, `{name}`, for prompts that contain no `{{`; and plain substitution."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

PATH = r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*"
SINGLE = re.compile(rf"(?<![{{%#])\{{({PATH})\}}(?!\}})")
BOTH = re.compile(rf"\{{\{{[-~]?\s{{0,20}}({PATH})\s{{0,20}}[-~]?\}}\}}|(?<!\{{)\{{({PATH})\}}(?!\}})")
INDENTED = re.compile(r"^([ \t]+)(\{%[^-])", re.MULTILINE)


def is_legacy(content: str, names: Iterable[str]) -> bool:
    """Whether parameters stand in single braces, and nothing in double ones."""
    if "{{" in content or "{" not in content:
        return False
    known = set(names)
    return any(found[1].partition(".")[0] in known for found in SINGLE.finditer(content))


def modern(content: str, names: Iterable[str]) -> str:
    """The same prompt in today's dialect. In the older one, tags take neither the line's end nor its indent."""
    known = set(names)

    def doubled(found: re.Match[str]) -> str:
        return f"{{{{ {found[1]} }}}}" if found[1].partition(".")[0] in known else found[0]

    content = SINGLE.sub(doubled, content)
    return INDENTED.sub(r"\1{{ '' }}\2", content).replace("%}\n", "%}\n\n")


def lines(content: str) -> tuple[int, ...]:
    """From which line each line of ``modern`` comes."""
    found: list[int] = []
    for number, line in enumerate(content.split("\n"), start=1):
        found += [number, number] if line.endswith("%}") else [number]
    return tuple(found)


def substituted(content: str, values: Mapping[str, Any], text: Callable[[Any], str]) -> str:
    """What remains of a template that cannot be rendered: its plain variables, in one pass."""

    def filled(found: re.Match[str]) -> str:
        path: str = found[1] or found[2]
        value = _value(values, path)
        return f"[Missing: {path}]" if value is None else text(value)

    return BOTH.sub(filled, content)


def _value(values: Mapping[str, Any], path: str) -> Any:
    found: Any = values
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
