"""The parts that all operations of an OpenAPI document share: answers, headers, refusals, ways to sign in."""

from typing import Any

from bundles.promptstreaming import STREAM_FIELDS

Json = dict[str, Any]
PROBLEM = "#/components/schemas/Problem"
HEADERS: Json = {
    "X-Execution-Id": {"$ref": "#/components/headers/X-Execution-Id"},
    "X-Compute-Units": {"$ref": "#/components/headers/X-Compute-Units"},
}
WHY = {
    400: ("BadRequest", "The request cannot be read."),
    401: ("Unauthorized", "No key, or one that is unknown, expired or revoked."),
    403: ("Forbidden", "The key may not call."),
    404: ("NotFound", "There is no such address, or the key belongs to another tenant."),
    406: ("NotAcceptable", "An interceptor changes or keeps whole answers: there is no stream of them."),
    413: ("RequestEntityTooLarge", "The body is too long."),
    415: ("UnsupportedMediaType", "The body is packed in a way that is not understood."),
    422: ("UnprocessableEntity", "The values do not fit; `errors` has every reason."),
    429: ("TooManyRequests", "Too many calls; `Retry-After` says when to come again."),
    500: ("InternalServerError", "A fault of the platform."),
    501: ("NotImplemented", "It is not available: a module, a prompt with errors, or no model for it."),
    502: ("BadGateway", "What was called failed."),
    503: (
        "ServiceUnavailable",
        "No compute, or a store of the platform does not answer; `Retry-After` says when to come again.",
    ),
    504: ("GatewayTimeout", "It took too long."),
}
LATER = (429, 503)


def refused(status: int) -> Json:
    """A reference to the refusal with this status; one that is not shared is written out."""
    if status in WHY:
        return {"$ref": f"#/components/responses/{WHY[status][0]}"}
    return refusal(status, "Refused by the bundle.")


def refusal(status: int, why: str) -> Json:
    made: Json = {"description": why, "content": {"application/problem+json": {"schema": {"$ref": PROBLEM}}}}
    if status in LATER:
        made["headers"] = {"Retry-After": {"description": "Seconds", "schema": {"type": "string"}}}
    return made


def said(schema: Json, text: str = "What was called answers.") -> Json:
    return {"description": text, "headers": HEADERS, "content": {"application/json": {"schema": schema}}}


def json_body(schema: Json, *, required: bool) -> Json:
    return {"required": required, "content": {"application/json": {"schema": schema}}}


SCHEMAS: Json = {
    "Problem": {
        "type": "object",
        "description": "A refusal (RFC 9457).",
        "required": ["title", "status"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": {"type": "object"}},
        },
    },
    "PromptAnswer": {
        "type": "object",
        "required": ["output"],
        "properties": {
            "output": {"description": "What the model said; with dry=1 the compiled prompt."},
            "usage": {"description": "Tokens of the question and of the answer."},
            "model": {"type": ["string", "null"]},
            "execution": {"type": "string", "description": "Id of the run in the history."},
            "problems": {"type": "array", "description": "Of the compiled prompt; with dry=1 alone."},
        },
    },
}
PARAMETERS: Json = {
    "Prefer": {
        "name": "Prefer",
        "in": "header",
        "description": "`respond-async`: the call is taken on and answered at once with 202.",
        "schema": {"type": "string"},
        "example": "respond-async",
    },
    "Dry": {
        "name": "dry",
        "in": "query",
        "description": "1: no model is called, the compiled prompt is the answer.",
        "schema": {"type": "string", "enum": ["0", "1"]},
    },
}
PARAMETERS["Format"] = {
    "name": "format",
    "in": "query",
    "description": "With dry=1: what is compiled, a text or the messages for a provider.",
    "schema": {"type": "string", "enum": ["markdown", "openai", "anthropic"]},
}
for field in STREAM_FIELDS.values():
    whole = {"type": "integer", "minimum": field.low, "maximum": field.high}
    PARAMETERS[field.name] = {
        "name": field.name,
        "in": "query",
        "description": field.meaning,
        "schema": whole
        if field.type == "integer"
        else {"type": "string", "pattern": "^([0-9]+|true|false)$"},
    }
PARAMETERS["LastEventId"] = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The id of the last event that was heard: the rest of the same run follows while it lives.",
    "schema": {"type": "string"},
}
STREAMING: list[Json] = [
    {"$ref": f"#/components/parameters/{name}"} for name in (*STREAM_FIELDS, "LastEventId")
]
COMPONENTS: Json = {
    "schemas": SCHEMAS,
    "parameters": PARAMETERS,
    "headers": {
        "X-Execution-Id": {"description": "Id of the run in the history.", "schema": {"type": "string"}},
        "X-Compute-Units": {"description": "What the call cost.", "schema": {"type": "string"}},
    },
    "responses": {
        **{name: refusal(status, why) for status, (name, why) in WHY.items()},
        "PromptAnswer": said({"$ref": "#/components/schemas/PromptAnswer"}, "What the model answers."),
        "PromptEvents": {
            "description": "Events `token`, `log`, `error` and `done`, as they come.",
            "content": {"text/event-stream": {}},
        },
        "TakenOn": {
            "description": "With `Prefer: respond-async`: it will run; the answer is found under its id.",
            "content": {"application/json": {"schema": {"type": "object", "required": ["execution"]}}},
        },
        "Anything": {"description": "Whatever status and body the function answers with."},
    },
    "securitySchemes": {
        "key": {"type": "http", "scheme": "bearer", "description": "A key of the tenant that may call."},
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token that the service itself checks.",
        },
    },
}
