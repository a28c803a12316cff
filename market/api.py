"""REST of the market floor."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from billing.door import Asked, Door
from billing.effort import Effort
from billing.errors import ApiError
from market import scenario, simulation
from market.api_market import router as markets
from market.api_reservations import router as reservations
from market.api_spend import router as spends
from market.scenario import MAX_BODY, Scenario

MAX_WORK = 100_000
A_REQUEST = 100
PLAYING = Effort(
    "simulate", 1_200_000, "Too much was simulated in this minute."
)  # about half a minute of a core
router = Router(tags=["market"])
router.add_router("", markets)
router.add_router("", reservations)
router.add_router("", spends)


class SmallDoor(Door):
    """Refuses a body that is too large before anybody reads it as JSON."""

    def __call__(self, request: HttpRequest) -> Any:
        who = super().__call__(request)
        if len(request.body) > MAX_BODY:
            raise ApiError(413, f"A scenario has at most {MAX_BODY:,} bytes.")
        return who


@router.post("/market/simulate", auth=SmallDoor("read"))
def simulate(request: Asked, body: Scenario) -> dict[str, Any]:
    """Play a scenario by the rules of the market: nothing is bought, queued or kept."""
    PLAYING.demand(request.who)
    try:
        scenario.checked(body)
        return simulation.simulate(
            body, most_work=MAX_WORK, told=lambda turns: PLAYING.spend(request.who, A_REQUEST + turns)
        )
    except scenario.Refused as refused:
        errors = [{"message": f"body.{path}: {message}", "hint": ""} for path, message in refused.problems]
        raise ApiError(422, "The scenario cannot be played.", errors=errors) from None
