"""What the leader has to say, gathered for each process until it is sent."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from market import wire
from market.wire import Granted

Place = tuple[str, int, int]  # id, position, rounds to wait


@dataclass(slots=True)
class Parcel:
    """What one round means for one process."""

    granted: list[Granted] = field(default_factory=list)
    ended: list[tuple[str, str, int]] = field(default_factory=list)
    degraded: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    backoffs: list[tuple[str, int]] = field(default_factory=list)


class Outgoing:
    """Parcels by process and round; a grants message for each, numbered over all of them."""

    def __init__(self, first: int) -> None:
        self._seq = first
        self._parcels: dict[tuple[str, int, int, bool], Parcel] = {}
        self._letters: list[tuple[str, bytes]] = []

    def parcel(self, process: str, number: int, price: int, *, again: bool = False) -> Parcel:
        """``again``: for grants that the process may have heard of already."""
        return self._parcels.setdefault((process, number, price, again), Parcel())

    def hello(self, process: str, term: int) -> None:
        self._letters.append((process, wire.hello(term)))

    def answer(self, reader: str, data: bytes) -> None:
        self._letters.append((reader, data))

    def take(self) -> Iterator[tuple[str, bytes, int | None]]:
        """Process, message, and its number when something is granted with it; it is empty afterwards."""
        letters, self._letters = self._letters, []
        parcels, self._parcels = self._parcels, {}
        for process, data in letters:
            yield process, data, None
        for (process, number, price, again), parcel in parcels.items():
            self._seq += 1
            data = wire.grants(
                self._seq,
                number,
                price,
                granted=parcel.granted,
                ended=parcel.ended,
                degraded=parcel.degraded,
                places=parcel.places,
                backoffs=parcel.backoffs,
            )
            yield process, wire.again(data) if again else data, self._seq if parcel.granted else None
