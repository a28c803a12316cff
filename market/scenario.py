"""What a simulation is given: checked JSON, with the path of whatever is wrong."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from market.rules import Settings

MAX_BODY = 4 * 1024 * 1024
MAX_ROUNDS = 10_000
MAX_LIST = 20_000
MAX_RESERVED = 1_000
MAX_NEED = 1_000_000
TOP = 10**12

Name = Annotated[str, Field(min_length=1, max_length=100)]
Count = Annotated[int, Field(ge=0, le=TOP)]
Positive = Annotated[int, Field(ge=1, le=TOP)]
RoundNumber = Annotated[int, Field(ge=0, le=TOP)]
Whole = Annotated[int, Field(ge=-TOP, le=TOP)]


class Part(BaseModel):
    """Exact types and no unknown keys; names as in JSON."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, alias_generator=to_camel, hide_input_in_errors=True
    )


class SettingsIn(Part):
    threshold: Count = 1_000
    slots: Positive = 200
    cu_per_credit: Positive = 500
    free_cu: Positive = 100
    free_lane: Count = 50
    aging_rounds: Positive = 10
    tenant_pressure_cap: Count = 0
    max_reservations: Count = 200
    backoff_max: Positive = 32

    def settings(self) -> Settings:
        return Settings(**self.model_dump())


class AccountIn(Part):
    id: Name
    balance: Count = 0
    auto_bid: bool = False
    bid_cap: Count = 0


class TopUpIn(Part):
    account: Name
    credits: Count
    round: RoundNumber = 0


class ReservationIn(Part):
    account: Name
    start: Whole
    end: Whole
    credits: Whole
    at: RoundNumber = 0


class CancelIn(Part):
    reservation: Count
    at: RoundNumber = 0


class ContractIn(Part):
    priority: Literal["low", "normal", "high", "critical"] = "normal"
    max_wait_time: Count = 30
    fallback_behavior: Literal["queue", "retry", "degrade", "fail"] = "queue"
    cost_ceiling: Count | None = None
    auto_bid: bool | None = None


class ActionIn(Part):
    account: Name
    service: Name
    need: Annotated[int, Field(ge=1, le=MAX_NEED)]
    round: RoundNumber = 0
    contract: ContractIn = ContractIn()


class Scenario(Part):
    settings: SettingsIn = SettingsIn()
    accounts: Annotated[list[AccountIn], Field(max_length=MAX_LIST)] = []
    top_ups: Annotated[list[TopUpIn], Field(max_length=MAX_LIST)] = []
    reservations: Annotated[list[ReservationIn], Field(max_length=MAX_RESERVED)] = []
    cancels: Annotated[list[CancelIn], Field(max_length=MAX_LIST)] = []
    actions: Annotated[list[ActionIn], Field(max_length=MAX_LIST)] = []
    rounds: Annotated[int, Field(ge=0, le=MAX_ROUNDS)]


class Refused(ValueError):
    """The scenario cannot be played; `problems` are (path, message)."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("\n".join(f"{path}: {message}" for path, message in problems))
        self.problems = problems


def read(data: bytes) -> Scenario:
    """The scenario that this JSON is; raises Refused."""
    if len(data) > MAX_BODY:
        raise Refused([("", f"more than {MAX_BODY:,} bytes")])
    try:
        scenario = Scenario.model_validate_json(data)
    except ValidationError as error:
        raise Refused([place(found) for found in error.errors()[:100]]) from None
    checked(scenario)
    return scenario


def place(found: Any) -> tuple[str, str]:
    return ".".join(map(str, found["loc"])), found["msg"]


def checked(scenario: Scenario) -> None:
    """What no type can say: names that must be known."""
    if problems := list(islice(contradictions(scenario), 100)):
        raise Refused(problems)


def contradictions(scenario: Scenario) -> Iterator[tuple[str, str]]:
    known: set[str] = set()
    for index, owner in enumerate(scenario.accounts):
        if owner.id in known:
            yield f"accounts.{index}.id", "is there twice"
        known.add(owner.id)
    named = {
        "topUps": [one.account for one in scenario.top_ups],
        "reservations": [one.account for one in scenario.reservations],
        "actions": [one.account for one in scenario.actions],
    }
    for name, accounts in named.items():
        for index, account in enumerate(accounts):
            if account not in known:
                yield f"{name}.{index}.account", "is no account of this scenario"
    for index, cancel in enumerate(scenario.cancels):
        if cancel.reservation >= len(scenario.reservations):
            yield f"cancels.{index}.reservation", "there is no such reservation"
