"""The tables of the market floor."""

from market.models.bidding import Bidding
from market.models.leadership import Leadership
from market.models.reservation import Origin, Reservation, Status
from market.models.round import Round
from market.models.spend import Spend, SpendLimit

__all__ = ["Bidding", "Leadership", "Origin", "Reservation", "Round", "Spend", "SpendLimit", "Status"]
