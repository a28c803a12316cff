"""Bodies of requests that know their keys: another one is refused by its name, with the one that may have been meant."""

import difflib
from collections.abc import Iterable
from typing import Any, ClassVar

from ninja import Schema
from ninja.schema import DjangoGetter
from pydantic import model_validator
from pydantic_core import PydanticCustomError

MOST_NAMED = 5
MAX_SHOWN = 60


class Exact(Schema):
    """The keys are its fields, and those of ``told``: what a GET tells and nobody can set may come back unread."""

    told: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _knows_its_keys(cls, values: Any) -> Any:
        given = values._obj if isinstance(values, DjangoGetter) else values
        known = {field.alias or name for name, field in cls.model_fields.items()}
        unknown = sorted(set(given) - cls.told - known) if isinstance(given, dict) else []
        if unknown:
            text = "; ".join(meant(key, known) for key in unknown[:MOST_NAMED])
            raise PydanticCustomError("unknown_key", "{text}", {"text": text})
        return values


def meant(key: str, among: Iterable[str]) -> str:
    shown = key[:MAX_SHOWN]
    near = difflib.get_close_matches(shown.lower(), among, n=1, cutoff=0.6)
    return f"unknown key {shown!r}" + (f", did you mean {near[0]!r}?" if near else "")
