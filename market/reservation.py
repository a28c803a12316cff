"""Reservations: a window of time, paid in advance, with a pool of compute (R23 to R26)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

Error = Literal["window", "overlap", "sold out", "insufficient"]


@dataclass(frozen=True, slots=True)
class Reservation:
    """Half open: it holds for a round that begins at t with start <= t < end."""

    key: int
    account: str
    start: int
    end: int
    credits: int
    pool: int = 0
    cancelled: bool = False

    def active(self, now: int) -> bool:
        return self.start <= now < self.end and not self.cancelled

    def meets(self, start: int, end: int) -> bool:
        return self.start < end and start < self.end and not self.cancelled


def refusal(
    asked: Reservation, others: Sequence[Reservation], now: int, *, balance: int, most: int
) -> Error | None:
    """Why this reservation cannot be made, if so; the first reason of the rules' order."""
    if asked.start <= now or asked.end <= asked.start or asked.credits < 1:
        return "window"
    met = [other for other in others if other.meets(asked.start, asked.end)]
    if any(other.account == asked.account for other in met):
        return "overlap"
    if len(met) >= most and crowd(met, asked.start) >= most:
        return "sold out"
    return "insufficient" if asked.credits > balance else None


def crowd(met: Sequence[Reservation], start: int) -> int:
    """The most that hold at one instant from `start` on. Where one ends, the next may begin: half open."""
    steps = sorted([(max(start, one.start), 1) for one in met] + [(one.end, -1) for one in met])
    return max(accumulate(step for _, step in steps), default=0)


def refundable(reservation: Reservation, now: int) -> bool:
    return now < reservation.start and not reservation.cancelled


def usable(reservations: Iterable[Reservation], now: int) -> dict[str, Reservation]:
    """Each account's reservation that holds now and is not used up; an account has at most one."""
    return {one.account: one for one in reservations if one.pool > 0 and one.active(now)}
