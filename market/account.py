"""What the clearing knows of an account: the owner of one wallet."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """`bid_cap` 0 is no cap: only the wallet limits (R21)."""

    id: str
    balance: int = 0
    auto_bid: bool = False
    bid_cap: int = 0

    @property
    def limit(self) -> int:
        """The most that one round may cost."""
        return min(self.balance, self.bid_cap) if self.bid_cap else self.balance
