"""The table of all functions, and what to say when a name is not in it."""

from bundles import cellists, celnumbers, celregex, celstrings, celtimes, names
from bundles.celfunction import Function

TABLE: dict[str, Function] = {
    function.name: function
    for module in (celstrings, celregex, celnumbers, cellists, celtimes)
    for function in module.FUNCTIONS
}
GROUPS = frozenset(name.split(".")[0] for name in TABLE if "." in name)
TYPES = frozenset(
    {
        *("int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type"),
        *("timestamp", "duration"),
    }
)
# Names from other languages.
MEANT = {
    **dict.fromkeys(("len", "length", "count"), "size"),
    **dict.fromkeys(("lower", "toLower", "toLowerCase", "downcase"), "lowerAscii"),
    **dict.fromkeys(("upper", "toUpper", "toUpperCase", "upcase"), "upperAscii"),
    **dict.fromkeys(("includes", "has_key", "hasOwnProperty"), "contains or in"),
    **dict.fromkeys(("str", "toString", "String", "format"), "string"),
    **dict.fromkeys(("float", "number", "Number", "parseFloat"), "double"),
    **dict.fromkeys(("parseInt", "integer"), "int"),
    **dict.fromkeys(("strip", "trimSpace"), "trim"),
    **dict.fromkeys(("test", "match", "search"), "matches"),
    **dict.fromkeys(("some", "any"), "exists"),
    **dict.fromkeys(("every",), "all"),
    **dict.fromkeys(("typeof",), "type"),
    **dict.fromkeys(("urlencode", "encodeURIComponent"), "encode"),
    **dict.fromkeys(("stringify", "dumps", "to_json", "toJson"), "json"),
    **dict.fromkeys(("parse", "loads", "fromJson"), "parseJson"),
    **dict.fromkeys(("round", "floor", "ceil", "abs", "sqrt", "pow"), "math.round, math.floor, math.abs …"),
    **dict.fromkeys(("orValue", "get", "or", "coalesce", "ifNull"), "default(value, otherwise)"),
}


def find(name: str, *, method: bool) -> Function | None:
    """The function of that name which can be called this way."""
    found = TABLE.get(name)
    wanted = "method" if method else "function"
    return found if found and found.style in (wanted, "both") else None


def unknown(name: str, *, method: bool) -> str:
    """The message for a name that cannot be called this way."""
    shown = name if len(name) <= 60 else name[:60] + "…"
    if name in TABLE:
        return f"{shown} is called as {TABLE[name].signature}"
    known = [other for other in TABLE if find(other, method=method)]
    meant = f", did you mean {MEANT[name]}?" if name in MEANT else names.did_you_mean(name, [*known, *TABLE])
    return f"there is no function {shown}{meant}"
