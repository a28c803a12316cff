"""A rendered prompt as messages: its first-level headings System, Context, User, Assistant and Examples.

Only headings that stand in the template count. One that came with a value is text: data takes no role.
"""

import re
import secrets
from collections.abc import Sequence
from typing import Any

# Nobody who writes a value knows it.
MARK = f"\ue000{secrets.token_hex(8)}\ue001"
LINE = re.compile(r"(^[ \t]*|[%#]\}[ \t]*)(# )", re.MULTILINE)
ROLES = ("user", "assistant")
Message = dict[str, str]


def marked(content: str) -> str:
    """A template whose own headings can be told from those that its values bring."""
    return LINE.sub(rf"\1{MARK}\2", content)


def sections(text: str) -> list[tuple[str, str]]:
    """Heading and text below, in order; what stands before the first heading is nobody's."""
    found: list[tuple[str, list[str]]] = []
    for line in text.split("\n"):
        start = line.strip()
        if start.startswith(MARK + "# ") and len(start) > len(MARK) + 2:
            found.append((start[len(MARK) + 2 :].replace(MARK, ""), []))
        elif found:
            found[-1][1].append(line.replace(MARK, ""))
    return [(title, "\n".join(lines).strip()) for title, lines in found]


def messages(text: str, contexts: Sequence[str]) -> tuple[str, list[Message]]:
    """The system text, and what user and assistant say."""
    parts = sections(text)
    first = dict(reversed(parts))
    system = "\n\n".join(first[title] for title in ("System", "Context") if first.get(title))
    said = [{"role": title.lower(), "content": body} for title, body in parts if title.lower() in ROLES]
    opening = next((one for one in said if one["role"] == "user"), None)
    if opening is not None:
        opening["content"] = _joined(*contexts, opening["content"], *_examples(first))
    return system, said


def _examples(first: dict[str, str]) -> list[str]:
    return [first["Examples"]] if first.get("Examples") else []


def _joined(*parts: str) -> str:
    return "\n\n".join(parts)


def openai(text: str, contexts: Sequence[str]) -> list[Message]:
    system, said = messages(text, contexts)
    return [{"role": "system", "content": system}, *said] if system else said


def anthropic(text: str, contexts: Sequence[str]) -> dict[str, Any]:
    system, said = messages(text, contexts)
    return {"system": system, "messages": said}


def markdown(text: str, contexts: Sequence[str]) -> str:
    if not contexts:
        return text
    parts = ["# Extracted Context Files", ""]
    for one in contexts:
        parts += [one, ""]
    return "\n".join([*parts, text] if text else parts)
