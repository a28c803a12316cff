"""A tenant's schema: one field for each prompt and each flow; who runs them is the context of a request."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLID,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLString,
)

from bundles.promptparams import Parameter
from runtime.graphql.arguments import Arguments
from runtime.graphql.names import Names, name_of
from runtime.graphql.scalars import JSON, LONG

MOST_FIELDS = 1000
MOST_ARGUMENTS = 20_000
FLOW = "flow_"
Resolve = Callable[..., Any]


class Context(Protocol):
    """Runs what a field names: each is one execution."""

    def tell(self, size: int) -> None: ...
    async def prompt(self, id: str, given: dict[str, Any]) -> dict[str, Any]: ...
    async def flow(self, id: str, given: Any) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Prompted:
    """A prompt as the schema shows it."""

    id: str
    description: str
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class Flowing:
    """A flow as the schema shows it."""

    id: str
    name: str
    description: str


def answers() -> tuple[GraphQLObjectType, GraphQLObjectType]:
    """The types of what prompts and flows answer."""
    execution = GraphQLField(GraphQLNonNull(GraphQLID), description="Id of the run in the history")
    prompted = {
        "output": GraphQLField(GraphQLString, resolve=output_of, description="What the model said"),
        "usage": GraphQLField(JSON, description="Tokens of the question and of the answer"),
        "model": GraphQLField(GraphQLString, description="The model that answered"),
        "execution": execution,
    }
    flowed = {
        "output": GraphQLField(JSON, resolve=output_of, description="What the flow said"),
        "execution": execution,
    }
    return (
        GraphQLObjectType("PromptAnswer", prompted, description="The answer of a prompt"),
        GraphQLObjectType("FlowAnswer", flowed, description="The answer of a flow"),
    )


def build(prompts: Iterable[Prompted], flows: Iterable[Flowing]) -> GraphQLSchema:
    """Everything is a mutation, for it runs something; prompts are queries too, which run beside each other."""
    prompted, flowed = answers()
    names = Names()
    asking = prompt_fields(prompts, prompted, names)
    running = flow_fields(flows, flowed, names)
    tenant = GraphQLField(GraphQLNonNull(GraphQLString), resolve=tenant_of, description="Whose API this is")
    query = GraphQLObjectType("Query", {names.take("tenant"): tenant, **asking})
    every = {**asking, **running}
    mutation = GraphQLObjectType("Mutation", every) if every else None
    return GraphQLSchema(query, mutation, types=[JSON, LONG])


def prompt_fields(
    prompts: Iterable[Prompted], kind: GraphQLObjectType, names: Names
) -> dict[str, GraphQLField]:
    """Those that are too many for one schema are left out; they have their other doors."""
    arguments, spent = Arguments(), 0
    fields: dict[str, GraphQLField] = {}
    for one in sorted(prompts, key=lambda one: one.id)[:MOST_FIELDS]:
        spent += len(one.parameters)
        if spent > MOST_ARGUMENTS:
            break
        args, resolve = arguments.of(one.id, one.parameters), prompt_of(one.id)
        name = names.take(name_of(one.id))
        fields[name] = GraphQLField(kind, args, resolve, description=one.description or None)
    return fields


def flow_fields(flows: Iterable[Flowing], kind: GraphQLObjectType, names: Names) -> dict[str, GraphQLField]:
    fields: dict[str, GraphQLField] = {}
    for one in sorted(flows, key=lambda one: (one.name, one.id))[:MOST_FIELDS]:
        args = {"input": GraphQLArgument(JSON, description="What the flow is given")}
        name = names.take(FLOW + name_of(one.name))
        fields[name] = GraphQLField(kind, args, flow_of(one.id), description=one.description or None)
    return fields


def prompt_of(id: str) -> Resolve:
    async def resolve(_source: Any, info: GraphQLResolveInfo[Any], /, **given: Any) -> dict[str, Any]:
        return await info.context.prompt(id, given)  # type: ignore[no-any-return]

    return resolve


def flow_of(id: str) -> Resolve:
    async def resolve(_source: Any, info: GraphQLResolveInfo[Any], /, **given: Any) -> dict[str, Any]:
        return await info.context.flow(id, given.get("input"))  # type: ignore[no-any-return]

    return resolve


def output_of(source: dict[str, Any], info: GraphQLResolveInfo[Any], /) -> Any:
    """Asked for under many names it would be sent as many times: what is sent is counted."""
    info.context.tell(source["size"])
    return source["output"]


def tenant_of(_source: Any, info: GraphQLResolveInfo[Any], /) -> str:
    return info.context.tenant  # type: ignore[no-any-return]
