"""A copy of the given values, for templates that may change them."""

from collections.abc import Mapping
from typing import Any

from bundles.nunjucks.errors import Exhausted
from bundles.nunjucks.limits import MAX_LEVELS, Run


def copied(run: Run, given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _copy(run, value, 0) for name, value in given.items()}


def _copy(run: Run, value: Any, level: int) -> Any:
    if type(value) is not list and not isinstance(value, dict):
        return value
    if level > MAX_LEVELS:
        raise Exhausted(f"values are nested deeper than {MAX_LEVELS}")
    run.spend(len(value))
    if isinstance(value, list):
        return [_copy(run, item, level + 1) for item in value]
    return {name: _copy(run, item, level + 1) for name, item in value.items()}
