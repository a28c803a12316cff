"""The price of one round in closed form, and who wins at it (R12, R13)."""

import heapq
from collections.abc import Collection, Mapping

FIRST_PRICE = 1


def clearing_price(caps: Collection[int], slots: int) -> int:
    """Where the ascending clock stops, without running it: by selection of the highest caps."""
    if len(caps) <= slots:
        return FIRST_PRICE
    *_, last_in, first_out = heapq.nlargest(slots + 1, caps)
    return first_out + 1 if last_in > first_out else last_in


def winners(bids: Mapping[str, int], price: int, slots: int, rank: Mapping[str, int]) -> list[str]:
    """Everybody above the price; those who are at it by rank, until the slots are full. Sorted by id."""
    above = [account for account, cap in bids.items() if cap > price]
    tied = [account for account, cap in bids.items() if cap == price]
    tied.sort(key=lambda account: (rank[account], account))
    return sorted(above + tied[: slots - len(above)])


def tied(bids: Mapping[str, int], price: int) -> list[str]:
    return [account for account, cap in bids.items() if cap == price]
