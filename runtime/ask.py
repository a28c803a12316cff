"""What a function is told about a request (WASM.md): method, path, params, query, headers, body, tenant, execution."""

import base64
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson

from billing.errors import ApiError

HIDDEN = frozenset({"authorization", "cookie", "proxy-authorization", "x-forwarded-for", "forwarded"})
MAX_QUERY = 200
MAX_FIELDS = 1_000
FORM = "application/x-www-form-urlencoded"


def request(values: Mapping[str, Any], body: Any, *, tenant: str, execution: str) -> bytes:
    """The JSON of a request; ``values`` holds method, path, params, query, headers (and sensor)."""
    return encoded({**values, "body": body, "tenant": tenant, "execution": execution})


def encoded(value: Any) -> bytes:
    """``value`` as JSON; 400 when it cannot be written."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        raise ApiError(400, "The request cannot be written as JSON, or is nested too deeply.") from None


def query(raw: bytes) -> dict[str, str]:
    """The last value of each name; 400 when there are too many."""
    if not raw:
        return {}
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="replace", max_num_fields=MAX_QUERY
        )
    except ValueError:
        raise ApiError(400, f"The query has more than {MAX_QUERY} fields or is not ASCII.") from None
    return dict(pairs)


def body(data: bytes, headers: Mapping[str, str], *, limit: int) -> Any:
    """The body for the function: JSON as it is, text as a string, anything else as {"base64": …}."""
    if not data:
        return None
    data = unpacked(data, headers.get("content-encoding", ""), limit)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return json_body(data)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}
    if kind.startswith(("image/", "audio/", "video/", "application/octet-stream")):
        return {"base64": base64.b64encode(data).decode()}
    return text if kind else maybe_json(text)


def posted(data: bytes, headers: Mapping[str, str], *, limit: int) -> Any:
    """The same for a flow, and the fields of a form by name: many services send their webhooks as forms."""
    found = body(data, headers, limit=limit)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return fields(found) if kind == FORM and isinstance(found, str) else found


def fields(text: str) -> dict[str, Any]:
    """A field that came more than once has the list of its values."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise ApiError(400, f"A form has at most {MAX_FIELDS} fields.") from None
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def json_body(data: bytes) -> orjson.Fragment:
    """Checked and then passed on as it is: the bytes are not written a second time."""
    json_value(data)
    return orjson.Fragment(data)


def json_value(data: bytes) -> Any:
    """400 when the body is not JSON."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as problem:
        raise ApiError(
            400,
            "The body is not JSON.",
            errors=[{"line": problem.lineno, "column": problem.colno, "message": problem.msg}],
        ) from None


def is_writable(value: Any) -> bool:
    """Whether a parsed value can be written into a request: reading goes deeper than writing."""
    try:
        orjson.dumps([value])
    except orjson.JSONEncodeError:
        return False
    return True


def maybe_json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def unpacked(data: bytes, encoding: str, limit: int) -> bytes:
    if encoding in ("", "identity"):
        return data
    if encoding != "gzip":
        raise ApiError(415, f"Content-Encoding {encoding[:20]!r} is not supported: send gzip or none.")
    machine = zlib.decompressobj(wbits=31)
    try:
        plain = machine.decompress(data, limit + 1)
    except zlib.error:
        raise ApiError(400, "The body is not gzip.") from None
    if len(plain) > limit:
        raise ApiError(413, f"The unpacked body is larger than {limit} bytes.")
    if not machine.eof:
        raise ApiError(400, "The gzip body ends too early.")
    return plain
