"""One request in GraphQL: its document read, measured and validated, then executed within its time."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    execute,
    get_operation_ast,
    parse,
    validate,
)

from runtime.graphql import limits

SECONDS = 300.0  # of a request, all its runs together
SCHEMA_S = 5.0  # of a look at the schema
SCHEMA_STEPS = 300_000
SCHEMA_CHARACTERS = 16 * 1024 * 1024
MOST_ERRORS = 20
LONGEST = 1000  # of a message
log = logging.getLogger(__name__)
_looking = asyncio.Semaphore(1)  # looks at schemas take a thread and the interpreter with it: one at a time


class Refused(Exception):
    """The request cannot be executed at all."""

    def __init__(self, code: str, *errors: GraphQLError) -> None:
        super().__init__(code)
        self.errors = [shown(one, code) for one in errors]


class Spent(BaseException):
    """A look at the schema went on for too long; not an Exception, so that no field takes it for its own."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A document that may be executed."""

    document: DocumentNode
    operation: OperationDefinitionNode
    variables: dict[str, Any]

    @property
    def name(self) -> str | None:
        return self.operation.name.value if self.operation.name else None


def read(schema: GraphQLSchema, text: str, *, name: str | None, variables: dict[str, Any]) -> Asking:
    """Refused for everything that is wrong with a document; it is measured before anybody walks through it."""
    try:
        limits.check_variables(variables)
        limits.check_text(text)
        document = parse(text, no_location=False)
        limits.check_document(document)
    except GraphQLError as error:
        raise Refused("PARSE_FAILED", error) from None
    if errors := validate(schema, document, max_errors=MOST_ERRORS, hide_suggestions=True):
        raise Refused("VALIDATION_FAILED", *errors)
    operation = get_operation_ast(document, name)
    if operation is None:
        raise Refused("NO_OPERATION", GraphQLError("Name one operation of the document in operationName."))
    if operation.operation is OperationType.SUBSCRIPTION:
        raise Refused("NO_OPERATION", GraphQLError("There are no subscriptions here."))
    return Asking(document, operation, variables)


async def run(schema: GraphQLSchema, asking: Asking, context: Any) -> dict[str, Any]:
    """The answer as JSON, with `errors` for the fields that failed."""
    if limits.asks_for_schema(asking.document, asking.operation):
        async with _looking:
            return body(await asyncio.to_thread(look, schema, asking))
    found = execute(
        schema,
        asking.document,
        context_value=context,
        variable_values=asking.variables,
        operation_name=asking.name,
        max_coercion_errors=MOST_ERRORS,
        hide_suggestions=True,
    )
    return body(await within(found) if isinstance(found, Awaitable) else found)


async def within(found: Awaitable[ExecutionResult]) -> ExecutionResult:
    try:
        async with asyncio.timeout(SECONDS):
            return await found
    except TimeoutError:
        text = f"It took longer than {SECONDS:.0f} seconds."
        return ExecutionResult(None, [GraphQLError(text, extensions={"code": "TIMEOUT"})])


def look(schema: GraphQLSchema, asking: Asking) -> ExecutionResult:
    """Only the schema is looked at, step by step, with an end."""
    steps, size, until = 0, 0, time.monotonic() + SCHEMA_S

    def count(follow: Callable[..., Any], source: Any, info: Any, /, **given: Any) -> Any:
        nonlocal steps, size
        found = follow(source, info, **given)
        steps, size = steps + 1, size + (len(found) if isinstance(found, str) else 0)
        late = steps % 1000 == 0 and time.monotonic() > until
        if late or steps > SCHEMA_STEPS or size > SCHEMA_CHARACTERS:
            raise Spent
        return found

    try:
        found = execute(
            schema,
            asking.document,
            variable_values=asking.variables,
            operation_name=asking.name,
            middleware=[count],
            hide_suggestions=True,
        )
    except Spent:
        return ExecutionResult(None, [limits.refused("The question about the schema is too large.")])
    assert isinstance(found, ExecutionResult)
    return found


def body(result: ExecutionResult) -> dict[str, Any]:
    told: dict[str, Any] = {"data": result.data}
    if result.errors:
        told = {"errors": [shown(one, "BAD_REQUEST") for one in result.errors[:MOST_ERRORS]], **told}
    return told


def shown(error: GraphQLError, code: str) -> dict[str, Any]:
    """As the caller sees it; what went wrong in our own code is not for strangers."""
    cause = error.original_error
    if cause is not None and not isinstance(cause, GraphQLError) and error.path:
        log.error("a field of GraphQL ended in a fault of ours", exc_info=cause)
        error = GraphQLError("A fault of the platform.", error.nodes, path=error.path)
        code = "INTERNAL"
    told = dict(error.formatted)
    told["message"] = str(told["message"])[:LONGEST]
    told["extensions"] = {"code": code, **(error.extensions or {})}
    return told
