"""Paths as written: routes (`/products/:id`) and files inside a bundle (`catalog/catalog-service.yaml`)."""

import re

MAX_PATH = 500
MAX_SEGMENTS = 20
LITERAL = re.compile(r"[A-Za-z0-9._~!$&'()+,;=@-]+")
PARAMETER = re.compile(r":[A-Za-z_][A-Za-z0-9_]{0,63}")
# First segments under a tenant that the platform itself answers.
RESERVED = ("prompts", "forms", "graphql", "openapi.json")


def segments(path: str) -> tuple[str, ...]:
    """The parts of a route; a trailing slash does not count."""
    return tuple(part for part in path.split("/") if part)


def route_fault(path: str, *, parameters: bool) -> str:
    """Why this cannot be a route or base path; empty when it can."""
    if not path.startswith("/"):
        return 'must begin with "/"'
    if len(path) > MAX_PATH:
        return f"has {len(path)} characters, the limit is {MAX_PATH}"
    if "//" in path:
        return "contains an empty segment (//)"
    parts = segments(path)
    if len(parts) > MAX_SEGMENTS:
        return f"has {len(parts)} segments, the limit is {MAX_SEGMENTS}"
    for part in parts:
        if why := _segment_fault(part, parameters=parameters):
            return why
    found = [part for part in parts if part.startswith(":")]
    if len(found) != len(set(found)):
        return "uses the same parameter twice"
    return ""


def reserved_fault(path: str) -> str:
    """Whether a full path under a tenant is one that the platform itself answers."""
    first = segments(path)[:1]
    if first and first[0].lower() in RESERVED:
        return f"begins with /{first[0]}, which the platform itself answers; choose /api/v1, for example"
    return ""


def _segment_fault(part: str, *, parameters: bool) -> str:
    if part in (".", ".."):
        return f"contains the segment {part}"
    if part.startswith(":"):
        if not parameters:
            return "cannot have parameters"
        return "" if PARAMETER.fullmatch(part) else "has a parameter without a proper name; write /:name"
    if part.startswith("{"):
        return "marks a parameter with braces; write /:name"
    if LITERAL.fullmatch(part):
        return ""
    bad = next(c for c in part if not LITERAL.fullmatch(c))
    word = bad if bad.isprintable() and bad != " " else f"U+{ord(bad):04X}"
    return f"contains {word}, which a route cannot contain"


def file_fault(path: str) -> str:
    """Why this cannot be a path of a file inside the bundle; empty when it can."""
    if not path or len(path) > MAX_PATH:
        return "is empty" if not path else f"has {len(path)} characters, the limit is {MAX_PATH}"
    if not path.isprintable():
        return "contains an invisible character"
    if "://" in path:
        return "is a URL; it must be a file inside the bundle"
    if "\\" in path:
        return "contains a backslash; write /"
    if path.startswith("/") or re.match("[A-Za-z]:", path):
        return "is absolute; it must be relative to the bundle folder"
    if ".." in path.split("/"):
        return "leaves the bundle folder (..)"
    return ""


def tidy(path: str) -> str:
    """The path without `./` and doubled slashes."""
    return "/".join(part for part in path.split("/") if part not in ("", "."))
