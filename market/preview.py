"""What an action will cost before it runs, in one sentence: rounds for nothing, or credits (R4, R5, R14, R20)."""

from dataclasses import dataclass

from market import estimate
from market.rules import Settings


@dataclass(frozen=True, slots=True)
class Purse:
    """What the account lets an action spend: R21 without the ceiling, which is the action's own."""

    auto_bid: bool = False
    balance: int = 0
    bid_cap: int = 0  # 0 is no cap

    @property
    def most(self) -> int:
        return min(self.balance, self.bid_cap) if self.bid_cap else self.balance


@dataclass(frozen=True, slots=True)
class Preview:
    """`least` and `most` credits of the whole action; both are 0 when it will not bid, and `why` says the reason."""

    need: int
    rounds: int  # while nobody pays
    least: int = 0
    most: int = 0
    why: str = ""
    limit: int = 0  # the highest price that it would pay

    @property
    def text(self) -> str:
        free = f"≈ {self.need:,} CU: {count(self.rounds, 'round')} free"
        if not self.most:
            return f"{free}; {self.why}"
        if self.least == self.most:
            return f"{free} or {count(self.least, 'credit')}"
        return f"{free} or {self.least:,}–{count(self.most, 'credit')}"


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def preview(
    need: int, purse: Purse, rules: Settings, *, ceiling: int | None = None, may_bid: bool = True
) -> Preview:
    """At price 1 each round brings `cu_per_credit`; a higher price brings more of it, and costs more in all."""
    rounds = estimate.count(need, rules.free_cu)
    budget = purse.balance if ceiling is None else min(purse.balance, ceiling)
    cap = min(purse.most, budget)
    if not may_bid or ceiling == 0:
        return Preview(need, rounds, why="its contract never bids")
    if not purse.auto_bid:
        return Preview(need, rounds, why="auto-bid is off")
    if cap < 1:
        return Preview(need, rounds, why="the wallet is empty")
    costs = [price * estimate.count(need, price * rules.cu_per_credit) for price in prices(need, cap, rules)]
    return Preview(need, rounds, min(min(costs), budget), min(max(costs), budget), limit=cap)


def prices(need: int, cap: int, rules: Settings) -> list[int]:
    """Those at which one round is not enough, the one at which it just is, and the highest that it would pay."""
    enough = estimate.count(need, rules.cu_per_credit)
    return [*range(1, min(cap, enough) + 1), cap]
