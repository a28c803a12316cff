"""A request to a tenant's GraphQL: its body, the schema of what runs at present, the answer."""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from django.conf import settings
from graphql import GraphQLSchema

from billing.errors import ApiError
from runtime import ask
from runtime.answer import JSON, Reply
from runtime.exchange import Asked, Given
from runtime.graphql import execute
from runtime.graphql.execute import Refused
from runtime.graphql.runs import Runs
from runtime.graphql.schema import Flowing, Prompted, build
from runtime.live import Live
from runtime.openapidoor import state_of
from runtime.reply import bare

if TYPE_CHECKING:
    from runtime.gateway import Gateway

GRAPHQL = "application/graphql-response+json"
KNOWN = frozenset({"query", "variables", "operationName", "extensions"})
QUICK = 2000  # characters that are read without a thread
KEPT = 16  # schemas in a process
_schemas: "OrderedDict[str, tuple[object, GraphQLSchema]]" = OrderedDict()


@dataclass(frozen=True, slots=True)
class Request:
    """What a body asks for."""

    query: str
    variables: dict[str, Any]
    operation: str | None


async def respond(live: Live, asked: Asked, gateway: "Gateway", *, caller: str) -> Given:
    if asked.method != "POST":
        raise ApiError(405, "GraphQL answers POST.", headers={"Allow": "POST"})
    live.used = time.monotonic()
    request = read(asked, await asked.body(settings.CALL_MAX_BODY))
    schema = await schema_of(live)
    try:
        asking = await prepared(schema, request)
    except Refused as refused:
        return given(asked, 400, {"errors": refused.errors})
    waist = gateway.waist or await gateway.start()
    return given(asked, 200, await execute.run(schema, asking, Runs(live, asked, waist, caller)))


def read(asked: Asked, data: bytes) -> Request:
    """One request: never a batch, never a form of a foreign page."""
    kind = asked.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise ApiError(415, "Send GraphQL as application/json.")
    data = ask.unpacked(data, asked.headers.get("content-encoding", ""), settings.CALL_MAX_BODY)
    try:
        told = orjson.loads(data)
    except orjson.JSONDecodeError as problem:
        raise ApiError(400, f"The body is not JSON: {problem.msg}.") from None
    if isinstance(told, list):
        raise ApiError(400, "Send one request: batches are not answered.")
    if not isinstance(told, dict) or not isinstance(told.get("query"), str):
        raise ApiError(400, "The body must be an object with the document as query.")
    return checked(told)


def checked(told: dict[str, Any]) -> Request:
    variables, name = told.get("variables"), told.get("operationName")
    if not isinstance(variables, dict | None) or not isinstance(name, str | None):
        raise ApiError(400, "variables must be an object, operationName a text.")
    if odd := sorted(told.keys() - KNOWN):
        raise ApiError(400, f"There is no {odd[0][:60]!r} in a request of GraphQL.")
    return Request(told["query"], variables or {}, name or None)


async def prepared(schema: GraphQLSchema, request: Request) -> execute.Asking:
    def work() -> execute.Asking:
        return execute.read(schema, request.query, name=request.operation, variables=request.variables)

    return work() if len(request.query) <= QUICK else await asyncio.to_thread(work)


async def schema_of(live: Live) -> GraphQLSchema:
    """Made once for what runs at present; the schemas of those who asked last are kept."""
    state = state_of(live)
    kept = _schemas.get(live.tenant_id)
    if kept is None or kept[0] != state:
        kept = (state, await asyncio.to_thread(made, live))
        _schemas[live.tenant_id] = kept
    _schemas.move_to_end(live.tenant_id)
    while len(_schemas) > KEPT:
        _schemas.popitem(last=False)
    return kept[1]


def made(live: Live) -> GraphQLSchema:
    prompts = [
        Prompted(one.id, one.description, one.parameters) for _, one in live.prompts.values() if not one.fault
    ]
    flows = []
    for bundle, flow in live.flows.values():
        model = bundle.definition.organisms.get(flow.name)
        flows.append(Flowing(flow.id, flow.name, model.description if model else ""))
    return build(prompts, flows)


def given(asked: Asked, status: int, body: dict[str, Any]) -> Given:
    kind = GRAPHQL if GRAPHQL in asked.headers.get("accept", "") else JSON
    return bare(asked, Reply(status, orjson.dumps(body, default=str), kind), [])
