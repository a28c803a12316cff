"""`steps` in expressions: what nodes took and gave, kept where they ran: in a round, in a called flow, in the run."""

from collections.abc import Iterator, Mapping
from typing import Any

from runtime.flowframe import Frame, SubFlow, decoded


def keep(frame: Frame, node: str, input: bytes, output: bytes) -> None:
    """The last of a node counts."""
    if frame.known is None:
        frame.known = {}
    frame.known[node] = input, output


def seen_from(frame: Frame) -> dict[str, tuple[bytes, bytes]]:
    """What a message in this frame may know: of its own round first, then of what is around it, never of another flow."""
    found: dict[str, tuple[bytes, bytes]] = {}
    place: Frame | None = frame
    while place is not None:
        if place.known:
            found = {**place.known, **found}
        if isinstance(place.owner, SubFlow):
            break
        place = place.parent
    return found


class Known(Mapping[str, Any]):
    """steps.NAME: the last {input, output} of a node of this run; each is read once, as a loop may ask often."""

    __slots__ = ("known", "read")

    def __init__(self, known: Mapping[str, tuple[bytes, bytes]]) -> None:
        self.known = known
        self.read: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self.read:
            input, output = self.known[name]
            self.read[name] = {"input": decoded(input), "output": decoded(output)}
        return self.read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)
