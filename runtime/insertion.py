"""New rows of Execution from the journal, by one plain statement for each batch.

The ORM takes 150 µs for a row of so many columns, which is as long as the call itself took; this takes a third.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, models
from django.utils import timezone

from billing import plain
from runtime.models import Execution
from runtime.record import Record

LEASE = timedelta(seconds=30)
CHUNK = 200
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  UTC, as text
KNOWN = "SELECT id FROM runtime_execution WHERE id IN ({keys})"
FIELDS = Execution._meta.concrete_fields
NAMES = ", ".join(f'"{field.column}"' for field in FIELDS)
INSERT = "INSERT INTO runtime_execution ({names}) VALUES {lines} ON CONFLICT DO NOTHING"
KEYS = {"tenant_id": "tenant", "bundle_id": "bundle"}  # of the record, where they are not the column's name
Storing = Callable[[Any], Any] | None
Column = tuple[str, Storing, Any]


def insert(records: Iterable[Record]) -> set[str]:
    """Those of the records (op "add") that were not there before are written; their ids. In the caller's transaction."""
    unique = {record["id"]: record for record in records}
    fresh: set[str] = set()
    for some in chunks(list(unique)):
        ids = {UUID(id): id for id in some}
        fresh |= {ids[key] for key in ids.keys() - plain.rows(KNOWN, list(ids)).keys()}
    for some in chunks([id for id in unique if id in fresh]):
        write([unique[id] for id in some])
    return fresh


def chunks(ids: list[str]) -> Iterable[list[str]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))


def write(records: Sequence[Record]) -> None:
    """Who wrote the same row at the same moment was first."""
    columns, line = list(shape()), "(" + ", ".join(["%s"] * len(FIELDS)) + ")"
    rows = [row(record, columns) for record in records]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":  # a statement of thousands of places costs it more than the rows
            cursor.executemany(INSERT.format(names=NAMES, lines=line), rows)
        else:
            lines = ", ".join([line] * len(rows))
            cursor.execute(INSERT.format(names=NAMES, lines=lines), list(chain.from_iterable(rows)))


def row(record: Record, columns: Sequence[Column]) -> list[Any]:
    if record["status"] == "running":
        record = {**record, "leased_until": microseconds(timezone.now() + LEASE)}
    elif "lease" in record:
        record = {**record, "lease": ""}
    get = record.get
    return [
        value if stored is None or value is None else stored(value)
        for key, stored, default in columns
        for value in (get(key, default),)
    ]


def shape() -> Iterable[Column]:
    """For each column of the row: the record's key, how its value is stored, and what stands when it has none."""
    for field in FIELDS:
        yield KEYS.get(str(field.column), str(field.column)), storing(field), field.get_default()


def storing(field: "models.Field[Any, Any]") -> Storing:
    if isinstance(field, models.UUIDField | models.ForeignKey):
        return None if connection.features.has_native_uuid_field else hexadecimal
    if isinstance(field, models.DateTimeField):
        if connection.vendor == "sqlite":
            return utc_text
        return partial(stamp, connection.ops.adapt_datetimefield_value)
    return text if isinstance(field, models.JSONField) else None


def hexadecimal(id: str) -> str:
    return id.replace("-", "")


def text(value: Any) -> str:
    return orjson.dumps(value).decode()


def utc_text(us: int) -> str:
    """As Django stores it in SQLite, which takes it ten times as long."""
    try:
        return str(EPOCH + timedelta(microseconds=us))
    except OverflowError as problem:
        raise ValueError(str(problem)) from None


def stamp(adapt: Callable[[datetime], Any], us: int) -> Any:
    return adapt(datetime.fromtimestamp(us / 1e6, UTC))


def microseconds(at: datetime) -> int:
    return round(at.timestamp() * 1e6)
