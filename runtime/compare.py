"""Where an answer differs from what a test expects; only what the test names is looked at."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

LONGEST = 120


def compare(wanted: Mapping[str, Any], came: Mapping[str, Any]) -> list[str]:
    """The differences in words; none = it holds."""
    found: list[str] = []
    if "status" in wanted and wanted["status"] != came["status"]:
        found.append(f"status is {came['status']}, expected {wanted['status']}")
    if "body" in wanted:
        found += differences(wanted["body"], came["body"], "body")
    if "writes" in wanted:
        found += writes(wanted["writes"], came["writes"])
    return found


def writes(wanted: Mapping[str, Any] | int, came: Mapping[str, Any]) -> list[str]:
    if isinstance(wanted, int):
        names = f": {', '.join(sorted(came))}"[:LONGEST] if came else ""
        return [] if len(came) == wanted else [f"{len(came)} writes{names}; expected {wanted}"]
    found = [f"writes.{key} was not written" for key in wanted if key not in came]
    for key in wanted:
        if key in came:
            found += differences(wanted[key], came[key], f"writes.{key}")
    return found


def differences(wanted: Any, came: Any, where: str) -> list[str]:
    return list(differ(wanted, came, where))


def differ(wanted: Any, came: Any, where: str) -> Iterator[str]:
    """Of mappings the named keys count, of lists every entry; 1 and 1.0 are the same, 1 and true are not."""
    if isinstance(wanted, dict) and isinstance(came, dict):
        for key, value in wanted.items():
            if key in came:
                yield from differ(value, came[key], f"{where}.{key}")
            else:
                yield f"{where}.{key} is missing, expected {short(value)}"
    elif isinstance(wanted, list) and isinstance(came, list) and len(wanted) == len(came):
        for index, (one, two) in enumerate(zip(wanted, came, strict=True)):
            yield from differ(one, two, f"{where}[{index}]")
    elif isinstance(wanted, bool) is not isinstance(came, bool) or wanted != came:
        yield f"{where} is {short(came)}, expected {short(wanted)}"


def short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
