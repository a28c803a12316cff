"""What a function's answer says of itself: whether it is one, how it ended, and where it goes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from runtime.flowfail import said
from runtime.flowframe import Message, Refused, decoded, encoded

if TYPE_CHECKING:
    from runtime.flowpump import Pump


def read(body: bytes) -> Any:
    """Its value; Refused when it is not JSON."""
    try:
        return decoded(body)
    except orjson.JSONDecodeError as problem:
        raise Refused("validation", f"the result is not JSON: {problem}", retryable=True) from None


def steered(pump: "Pump", message: Message, value: dict[str, Any], body: bytes, fuel: int) -> None:
    """Send on what has `status`, `error` or `_to` beside its data."""
    node, status = message.node, value.get("status")
    if type(status) is int:
        check_status(status, value)
        inner = value.get("body")
        body = encoded(inner)
        if "_to" in value:
            return pump.routed(node, message, body, value["_to"], fuel)
        if type(inner) is not dict:
            return pump.send(node, message, body, inner, node.peers, fuel)
        value = inner
    elif value.get("error"):
        raise Refused("handler", said(value["error"]), retryable=True)
    if "_to" in value:
        to = value.pop("_to")
        return pump.routed(node, message, encoded(value), to, fuel)
    pump.send(node, message, body, value, node.peers, fuel)


def check_status(status: int, value: Mapping[str, Any]) -> None:
    """Refused for a function that answered with a status of failure."""
    if status >= 400:
        body = value.get("body")
        inner = body.get("error") if isinstance(body, dict) else None
        text = said(value.get("error") or inner or "no reason given")
        raise Refused("handler", f"it answered {status}: {text}", retryable=True)
