"""Who bids, how high, and on which action a payment is booked (R19 to R21)."""

from collections.abc import Iterable, Mapping, Sequence

from market.account import Account
from market.action import Action


def biddable(actions: Iterable[Action], account: Account) -> list[Action]:
    return [action for action in actions if action.may_bid(account.auto_bid)]


def cap(account: Account, actions: Iterable[Action]) -> int:
    """The effective cap: wallet, bid cap, and the largest remaining ceiling; 0 does not bid."""
    limit, highest = account.limit, 0
    for action in actions:
        if action.may_bid(account.auto_bid):
            if action.ceiling is None:
                return limit
            highest = max(highest, action.ceiling - action.spent)
    return min(limit, highest)


def collect(work: Mapping[str, Sequence[Action]], accounts: Mapping[str, Account]) -> dict[str, int]:
    """The caps of all who bid; `work` has each account's waiting actions in their order."""
    bids: dict[str, int] = {}
    for name, actions in work.items():
        account = accounts[name]
        if account.auto_bid and account.limit > 0 and (highest := cap(account, actions)) > 0:
            bids[name] = highest
    return bids


def lead(actions: Iterable[Action], price: int) -> Action:
    """The first that may bid and whose remaining ceiling reaches the price; a winner has one."""
    return next(action for action in actions if action.may_bid(True) and action.affords(price))
