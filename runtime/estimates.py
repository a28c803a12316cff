"""What calls of a bundle took lately, in this process: from this the need of those that declare none is estimated."""

from collections import defaultdict, deque
from time import time
from uuid import UUID

from runtime.metering import DAY, RECENT, day
from runtime.models import Usage

SEEDED_DAYS = 8
MOST_ROWS = 1000


class Ring(deque[int]):
    """The last measured ones. The percentile is worked out anew after some more of them, not at each call."""

    __slots__ = ("due", "p95")

    def __init__(self) -> None:
        super().__init__(maxlen=RECENT)
        self.due, self.p95 = 0, 0


class Estimates:
    """By service and name; ``note`` and ``raw`` are on the path of each call."""

    __slots__ = ("rings",)

    def __init__(self) -> None:
        self.rings: defaultdict[tuple[str, str], Ring] = defaultdict(Ring)

    def note(self, service: str, name: str, units: int) -> None:
        ring = self.rings[service, name]
        ring.append(units)
        ring.due -= 1

    def raw(self, service: str, name: str) -> int | None:
        """The 95th percentile of the last calls in CU, without any buffer; None before the first one."""
        ring = self.rings.get((service, name))
        if ring is None:
            return None
        if ring.due <= 0:
            ring.p95, ring.due = percentile(ring), len(ring) // 4
        return ring.p95


def percentile(units: deque[int]) -> int:
    """The smallest that is not exceeded by 95 of 100."""
    return sorted(units)[-(-len(units) * 95 // 100) - 1]


def seeded(bundle: UUID) -> Estimates:
    """What the importer has written of a bundle, of the present target of each call; one blocking query."""
    estimates = Estimates()
    rows = Usage.objects.filter(bundle_id=bundle, window__gte=day(time()) - SEEDED_DAYS * DAY)
    newest_first = rows.exclude(name="").exclude(count=0).order_by("-window", "-updated")
    found: dict[tuple[str, str], tuple[str, list[int]]] = {}
    for service, name, target, recent in newest_first.values_list("service", "name", "target", "recent")[
        :MOST_ROWS
    ]:
        known, units = found.setdefault((service, name), (target, []))
        if known == target and len(units) < RECENT:
            units[:0] = recent
    for key, (_, units) in found.items():
        estimates.rings[key].extend(units)
    return estimates
