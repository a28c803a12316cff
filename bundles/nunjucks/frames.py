"""Where names live while a template runs: frames inside each other, the context below, slots for what is bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bundles.nunjucks.limits import Run
from bundles.nunjucks.undefined import UNDEFINED

if TYPE_CHECKING:
    from bundles.nunjucks.template import BlockCode, Template


class Frame:
    """`isolated`: what is set inside stays inside; `top`: what is set is exported and seen by macros."""

    __slots__ = ("isolated", "names", "parent", "top")

    def __init__(self, parent: Frame | None = None, *, isolated: bool = False, top: bool = False) -> None:
        self.names: dict[str, Any] = {}
        self.parent = parent
        self.isolated = isolated
        self.top = top

    def assign(self, name: str, value: Any) -> None:
        """Change the nearest frame that has the name, else this one."""
        frame: Frame | None = self
        if not self.isolated:
            while frame is not None and frame.names.get(name, UNDEFINED) is UNDEFINED:
                frame = frame.parent
        (frame or self).names[name] = value


class Context:
    """The values a template was given, what it exports, and the blocks of all templates it extends."""

    __slots__ = ("blocks", "exported", "names")

    def __init__(self, names: dict[str, Any], blocks: dict[str, BlockCode]) -> None:
        self.names = names
        self.blocks = {name: [block] for name, block in blocks.items()}
        self.exported: list[str] = []


class Unit:
    """One run through a template's root or through one of its blocks; macros made in it share its frame."""

    __slots__ = ("context", "frame", "out", "parent", "run", "slots")

    def __init__(self, run: Run, context: Context, frame: Frame, size: int) -> None:
        self.run = run
        self.context = context
        self.frame = frame
        self.out: list[str] = []
        self.slots: list[Any] = [UNDEFINED] * size
        self.parent: Template | None = None  # what it extends
