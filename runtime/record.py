"""What is written down of a run: plain dictionaries, JSON in the journal, rows of Execution after import.

Three shapes, told apart by "op": "add" (a whole row), "finish" (the end of a row that was added before) and
"again" (a queued row's next try). Times are Unix microseconds; inputs and outputs are JSON text, cut at CAP bytes.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

CAP = 64 * 1024
CUT = "… (cut)"
MASK = "•••"
HOLDING = frozenset({str, dict, list, tuple})  # what text may be in
Record = dict[str, Any]


def cut(text: str) -> str:
    return text if len(text) <= CAP else text[:CAP] + CUT


def was_cut(text: str) -> bool:
    return text.endswith(CUT)


def readable(data: bytes, secrets: Sequence[bytes] = ()) -> str:
    """Bytes of the sandbox as text that any database takes: no NUL, no broken UTF-8, no secret, not even its half."""
    if not secrets:
        data = data[: CAP + 4]
    return cut(redact(data.decode("utf-8", "replace").replace("\0", "\ufffd"), secrets))


def redact(text: str, secrets: Iterable[bytes]) -> str:
    """``text`` without the secrets that were granted to the run, also where JSON escaped them."""
    for value in secrets:
        plain = value.decode("utf-8", "replace")
        if len(plain) < 4:  # masking single letters would only garble
            continue
        escaped = orjson.dumps(plain).decode()[1:-1]
        text = text.replace(plain, MASK).replace(escaped, MASK)
    return text


def all_storable(records: list[Record]) -> list[Record]:
    """Most batches hold no NUL, and are looked through far faster as JSON; the text of a backslash may look like one."""
    return [storable(record) for record in records] if b"\\u0000" in orjson.dumps(records) else records


def storable(value: Any) -> Any:
    """``value`` without NUL characters: PostgreSQL takes none, and would refuse the whole batch for one of them."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd") if "\0" in value else value
    if isinstance(value, dict):
        return {key: storable(inner) if inner.__class__ in HOLDING else inner for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [storable(inner) for inner in value] if value else value
    return value


def encode(record: Record) -> bytes:
    return orjson.dumps(record)
