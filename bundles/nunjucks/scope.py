"""What is known about names while compiling: those bound by loops, macros and imports have slots."""

from __future__ import annotations


class Code:
    """One function to be: how many slots it needs."""

    __slots__ = ("size",)

    def __init__(self) -> None:
        self.size = 0

    def slot(self) -> int:
        self.size += 1
        return self.size - 1


class Scope:
    __slots__ = ("code", "names", "parent")

    def __init__(self, code: Code, parent: Scope | None = None) -> None:
        self.code = code
        self.parent = parent
        self.names: dict[str, int] = {}

    def inner(self) -> Scope:
        return Scope(self.code, self)

    def bind(self, name: str) -> int:
        self.names[name] = slot = self.code.slot()
        return slot

    def find(self, name: str) -> int | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None
