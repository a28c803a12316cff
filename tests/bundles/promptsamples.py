"""Small prompts for tests."""

from collections.abc import Sequence
from typing import Any

from bundles import prompt, promptcompile
from bundles.promptcompile import Compiled
from bundles.values import Problem

HEAD = "id: x\nname: X\nversion: 1.0.0\n"


def prmd(body: str = "", head: str = "", start: str = HEAD) -> bytes:
    return f"---\n{start}{head}---\n{body}".encode()


def load(data: bytes) -> prompt.Prompt:
    return prompt.load({"prompts/x.prmd": data}, "prompts/x.prmd")


def of(files: dict[str, bytes], params: dict[str, Any] | None = None, **options: Any) -> Compiled:
    return promptcompile.compile_prompt(files, "prompts/x.prmd", params or {}, **options)


def codes(problems: Sequence[Problem]) -> list[str]:
    return [getattr(problem, "code", "") for problem in problems]


def places(problems: Sequence[Problem]) -> list[tuple[str, int, int]]:
    return [(problem.file, problem.line, problem.column) for problem in problems]
