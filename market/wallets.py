"""Credits in a simulation: wallets, escrow and revenue, whose sum only a top-up changes (R36)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from market.account import Account


class Wallets:
    """Every movement has a giver and a taker; none makes a balance negative."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self.accounts = {account.id: account for account in accounts}
        self.escrow = 0
        self.revenue = 0

    def balance(self, account: str) -> int:
        return self.accounts[account].balance

    def top_up(self, account: str, credits: int) -> None:
        self._move(account, credits)

    def charge(self, charged: Mapping[str, int]) -> None:
        for account, price in charged.items():
            self._move(account, -price)
            self.revenue += price

    def hold(self, account: str, credits: int) -> None:
        """Paid for a reservation that has not begun."""
        self._move(account, -credits)
        self.escrow += credits

    def refund(self, account: str, credits: int) -> None:
        self.escrow -= credits
        self._move(account, credits)

    def earn(self, credits: int) -> None:
        """A reservation begins: what was held is ours (R25)."""
        self.escrow -= credits
        self.revenue += credits

    def total(self) -> int:
        return sum(account.balance for account in self.accounts.values()) + self.escrow + self.revenue

    def _move(self, account: str, credits: int) -> None:
        before = self.accounts[account]
        if before.balance + credits < 0:
            raise ValueError(f"{account} would be overdrawn")
        self.accounts[account] = replace(before, balance=before.balance + credits)
