"""How much an action needs (R4), and the entries it stands in the queue with (R5)."""

DEFAULT_CU = 100


def buffered(raw: int) -> int:
    """A measured figure with ten per cent on top, rounded up."""
    return (raw * 11 + 9) // 10


def need(written: int | None, measured: int | None) -> int:
    """What is written is a budget already and is taken as it is."""
    if written is not None:
        return written
    return buffered(measured) if measured is not None else DEFAULT_CU


def count(left: int, free_cu: int) -> int:
    return -(-left // free_cu)


def split(need: int, free_cu: int = 100) -> list[int]:
    """Full entries, the rest last: 225 is 100, 100, 25."""
    return [min(free_cu, need - start) for start in range(0, need, free_cu)]
