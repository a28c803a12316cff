"""The reservations of a simulation: made, cancelled, begun, drawn from, over."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from market.reservation import Error, Reservation, refundable, refusal
from market.rules import Settings
from market.wallets import Wallets


class Bookings:
    """By their place in the scenario's list."""

    def __init__(self, wallets: Wallets, settings: Settings) -> None:
        self._wallets, self._settings = wallets, settings
        self.made: dict[int, Reservation] = {}
        self.refused: dict[int, Error] = {}
        self._upcoming: set[int] = set()

    def make(self, asked: Reservation, now: int) -> None:
        """Paid at once; the pool is worth what a bid would be (R23)."""
        others = [one for one in self.made.values() if not one.cancelled and one.end > now]
        balance = self._wallets.balance(asked.account)
        error = refusal(asked, others, now, balance=balance, most=self._settings.max_reservations)
        if error:
            self.refused[asked.key] = error
            return
        self._wallets.hold(asked.account, asked.credits)
        self.made[asked.key] = replace(asked, pool=asked.credits * self._settings.cu_per_credit)
        self._upcoming.add(asked.key)

    def cancel(self, key: int, now: int) -> None:
        """Before its start, with a full refund; later nothing happens (R25)."""
        found = self.made.get(key)
        if found and refundable(found, now):
            self._wallets.refund(found.account, found.credits)
            self.made[key] = replace(found, cancelled=True, pool=0)
            self._upcoming.discard(key)

    def begin(self, now: int) -> None:
        for key in [key for key in self._upcoming if self.made[key].start <= now]:
            self._wallets.earn(self.made[key].credits)
            self._upcoming.discard(key)

    def active(self, now: int) -> Iterable[Reservation]:
        return [one for one in self.made.values() if one.active(now)]

    def draw(self, drawn: Mapping[int, int]) -> None:
        for key, cu in drawn.items():
            self.made[key] = replace(self.made[key], pool=self.made[key].pool - cu)

    def told(self, key: int, now: int) -> dict[str, Any]:
        if key in self.refused:
            return {"error": self.refused[key]}
        if key not in self.made:
            return {"status": "not made", "pool": 0}
        found, status = self.made[key], state(self.made[key], now)
        return {"status": status, "pool": 0 if status == "ended" else found.pool}


def state(reservation: Reservation, now: int) -> str:
    if reservation.cancelled:
        return "cancelled"
    if now < reservation.start:
        return "upcoming"
    return "active" if now < reservation.end else "ended"
