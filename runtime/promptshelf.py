"""How much of streams is kept for readers who come back: within a budget, and whoever was read longest ago loses first."""


class Shelf:
    """The bytes that each of some streams keeps, in the order in which they were read last."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.bytes = 0
        self.of: dict[str, int] = {}

    def put(self, run: str, size: int) -> list[str]:
        """The stream was read and keeps so much now; those that have to give up theirs."""
        self.take_away(run)
        if size:
            self.of[run] = size
            self.bytes += size
        lost: list[str] = []
        while self.bytes > self.budget:
            lost.append(next(iter(self.of)))
            self.take_away(lost[-1])
        return lost

    def take_away(self, run: str) -> None:
        self.bytes -= self.of.pop(run, 0)


class Shelves:
    """One for each tenant, so that nobody's streams cost another's, and one for all together."""

    def __init__(self, whole: int, of_tenant: int) -> None:
        self.whole = Shelf(whole)
        self.of_tenant = of_tenant
        self.tenants: dict[str, Shelf] = {}

    def put(self, tenant: str, run: str, size: int) -> list[str]:
        shelf = self.tenants.setdefault(tenant, Shelf(self.of_tenant))
        lost = shelf.put(run, size)
        for one in lost:
            self.whole.take_away(one)
        return lost + (self.whole.put(run, size) if run not in lost else [])

    def take_away(self, tenant: str, run: str) -> None:
        """Nothing of the stream is kept any more."""
        self.whole.take_away(run)
        if (shelf := self.tenants.get(tenant)) is not None:
            shelf.take_away(run)
            if not shelf.of:
                del self.tenants[tenant]
