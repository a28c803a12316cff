"""What a round meant for one account, in one sentence: why it won, waited, or needed not to bid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

Outcome = Literal["won", "lost", "reserved"]


class Row(Protocol):
    """A market.models.Round."""

    number: int
    at: datetime
    price: int
    winners: int
    bids: Any
    won: Any
    drawn: Any


@dataclass(frozen=True, slots=True)
class Receipt:
    """`cap` is the most it would have paid; credits are those that it did pay."""

    number: int
    at: datetime
    outcome: Outcome
    price: int
    cap: int
    credits: int
    cu: int  # what it was sold, or took from its pool
    text: str

    def data(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "outcome": self.outcome,
            "price": self.price,
            "cap": self.cap,
            "credits": self.credits,
            "cu": self.cu,
            "text": self.text,
        }


def receipt(row: Row, tenant: str, cu_per_credit: int) -> Receipt | None:
    """None when the account neither bid in this round nor drew from its pool."""
    drawn: Mapping[str, int] = row.drawn
    bids: Mapping[str, int] = row.bids
    won: Sequence[str] = row.won
    if tenant in drawn:
        return reserved(row, drawn[tenant])
    if tenant not in bids:
        return None
    cap = bids[tenant]
    if tenant in won:
        cu = row.price * cu_per_credit
        text = f"price {row.price:,}, your cap {cap:,}: won {cu:,} CU for {credits_(row.price)}"
        return Receipt(row.number, row.at, "won", row.price, cap, row.price, cu, text)
    return Receipt(row.number, row.at, "lost", row.price, cap, 0, 0, lost(row, cap))


def reserved(row: Row, cu: int) -> Receipt:
    price = f"price {row.price:,}" if row.price else "free round"
    text = f"{price}, your reservation: {cu:,} CU from its pool, nothing to pay"
    return Receipt(row.number, row.at, "reserved", row.price, 0, 0, cu, text)


def lost(row: Row, cap: int) -> str:
    """A cap that was just the price loses only where all slots went to others with the same cap (R13)."""
    begin = f"price {row.price:,}, your cap {cap:,}: waited"
    return begin if cap < row.price else f"{begin}, {row.winners:,} others with that cap were before you"


def credits_(number: int) -> str:
    return f"{number:,} credit{'' if number == 1 else 's'}"
