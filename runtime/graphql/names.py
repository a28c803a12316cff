"""Names of GraphQL from names of prompts, flows and parameters: letters, digits and _, each of them once."""

import re

OTHER = re.compile(r"[^_0-9A-Za-z]")
PROPER = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")
WORDS = frozenset({"true", "false", "null"})


def name_of(text: str) -> str:
    """Every character that a name may not have becomes _; names that begin with __ are GraphQL's own."""
    name = OTHER.sub("_", text) or "_"
    if name[0].isdigit():
        name = f"_{name}"
    return f"x{name}" if name.startswith("__") else name


def type_name(*parts: str) -> str:
    """order_summary, size → OrderSummarySize."""
    words = [word for part in parts for word in OTHER.sub("_", part).split("_") if word]
    name = "".join(word[0].upper() + word[1:] for word in words) or "X"
    return f"X{name}" if name[0].isdigit() else name


def is_enum_value(value: object) -> bool:
    return (
        isinstance(value, str)
        and PROPER.fullmatch(value) is not None
        and value not in WORDS
        and not value.startswith("__")
    )


class Names:
    """Hands out each name once: the second one who wants it gets a number behind it."""

    def __init__(self, *taken: str) -> None:
        self.taken = set(taken)

    def take(self, name: str) -> str:
        found, count = name, 1
        stem = name if name.endswith("_") else f"{name}_"
        while found in self.taken:
            count += 1
            found = f"{stem}{count}"
        self.taken.add(found)
        return found
