"""Plain statements over many rows at once: the ORM needs 10 µs for each key of a list, and a round has 400 of them.

Statements are constants of ours with ``{keys}`` where the list stands; whatever comes from outside is a parameter.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection


def kept(id: UUID) -> UUID | str:
    """As this database takes an identifier."""
    return id if connection.features.has_native_uuid_field else id.hex


def all_kept(ids: Sequence[UUID]) -> Sequence[UUID | str]:
    return ids if connection.features.has_native_uuid_field else [one.hex for one in ids]


def locking() -> str:
    return " FOR UPDATE" if connection.features.has_select_for_update else ""


def rows(sql: str, keys: Sequence[UUID]) -> dict[UUID, tuple[Any, ...]]:
    """The first column is the key, the others are its value; in the order of the statement."""
    if not keys:
        return {}
    known = dict(zip(all_kept(keys), keys, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(listed(sql, len(known)), list(known))
        return {known[key]: tuple(values) for key, *values in cursor.fetchall()}


def change(sql: str, values: Sequence[int], keys: Sequence[UUID]) -> int:
    """How many rows were changed; ``values`` stand before the keys."""
    if not keys:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(listed(sql, len(keys)), [*values, *all_kept(keys)])
        return int(cursor.rowcount)


def listed(sql: str, count: int) -> str:
    return sql.format(keys=", ".join(["%s"] * count))
