"""A service: goals, intents and an API, read from its mapping in a file, in bundle.yaml, or from both."""

from dataclasses import dataclass

from bundles import contract, endpoints, fields, goals, intents
from bundles.contract import Contract, Contracts, Terms
from bundles.endpoints import Api, Auth, Endpoint
from bundles.fields import Field
from bundles.goals import Goal, GoalTerms, Metric
from bundles.intents import Intent
from bundles.values import Mapping, Place, Report, shown

__all__ = ["SERVICE_FIELDS", "Api", "Endpoint", "Goal", "Intent", "Metric", "Service", "read"]

SERVICE_FIELDS = fields.table(
    Field("name", "name", "Name of the service, unique in the bundle", required=True),
    Field("description", "text", "What this service does"),
    Field("version", "text", "Version of the service, for people"),
    Field("goals", "list", "What the service wants to reach, and the resources that needs"),
    Field("intents", "list", "What it does when a sensor fires"),
    Field("api", "map", "Its REST endpoints"),
    Field("resourceContract", "map", "The contract for all its goals"),
    Field("services", "list", "Additions to services of the bundle, found by name"),
    Field("tests", "any", "Declared tests of this service"),
)


@dataclass(frozen=True, slots=True)
class Service:
    """One service of a bundle, complete."""

    name: str
    description: str
    file: str
    base_path: str
    auth: Auth
    cors: tuple[str, ...]
    endpoints: tuple[Endpoint, ...]
    intents: tuple[Intent, ...]
    goals: tuple[Goal, ...]
    contract: Contract
    line: int = 1


def read(node: Mapping, report: Report, *, name: str, outer: Terms) -> Service:
    """The service that a mapping describes; `name` is its name in the bundle, `outer` the bundle's terms."""
    found = fields.read(node, SERVICE_FIELDS, report, of="a service")
    written = found.get("resourceContract")
    own = contract.read(written, report, source=f"service {name}") if written else {}
    terms = contract.compose(outer, own)
    known = goals.read(found.items("goals"), report, outer=terms)
    contracts = _contracts(known, terms, report)
    block = found.get("api")
    api = endpoints.read(block, report, service=name, contracts=contracts) if block else Api()
    return Service(
        name=name,
        description=found.get("description", ""),
        file=node.place.file,
        base_path=api.base_path,
        auth=api.auth,
        cors=api.cors,
        endpoints=api.endpoints,
        intents=intents.read(found.items("intents"), report, service=name, contracts=contracts),
        goals=tuple(one.goal for one in known),
        contract=contract.seal(terms),
        line=node.place.line,
    )


def _contracts(known: list[GoalTerms], terms: Terms, report: Report) -> Contracts:
    """MARKET R34: the goal that is named, else all goals that have a contract, together."""
    owning = [one.terms for one in known if one.own]
    together = contract.seal(contract.combine(owning) if owning else terms)
    by_name = {one.goal.name: one.goal.contract for one in known}

    def find(goal: str | None, place: Place) -> Contract:
        if goal is not None and goal not in by_name:
            meant = report.meant(goal, by_name)
            report.error(place, f"the goal {shown(goal)} is not defined in this service{meant}")
        return together if goal is None else by_name.get(goal, together)

    return find
