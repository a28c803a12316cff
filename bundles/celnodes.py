"""Closures for names, fields, logic, lists and maps: each takes the scope and the state of one evaluation."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from bundles.celerror import FAILURE, CelError, CelLimit, CelMissing, spend
from bundles.celvalues import KEYS, Work, is_key, kind, word

Scope: TypeAlias = Mapping[str, Any]
Run: TypeAlias = Callable[[Scope, Work], Any]


def shown(name: str) -> str:
    return name if len(name) <= 60 else name[:60] + "…"


def constant(value: Any) -> Run:
    return lambda scope, work: value


def variable(slot: int) -> Run:
    """What a macro put there."""
    return lambda scope, work: work[slot]


def root(name: str, column: int) -> Run:
    """A name of the scope, which may only be made when it is asked for."""

    def run(scope: Scope, work: Work) -> Any:
        try:
            return scope[name]
        except KeyError:
            raise unknown(scope, name, column) from None

    return run


def root_field(name: str, field: str, columns: tuple[int, int]) -> Run:
    """`payload.total`, the most frequent part of all, in one step."""

    def run(scope: Scope, work: Work) -> Any:
        try:
            value = scope[name]
            if type(value) is dict:
                return value[field]
        except KeyError:
            if name not in scope:
                raise unknown(scope, name, columns[0]) from None
        return field_of(value, field, columns[1])

    return run


def unknown(scope: Scope, name: str, column: int) -> CelMissing:
    return CelMissing(f"there is no {shown(name)} here", column, word=name, among=scope)


def select(operand: Run, field: str, column: int) -> Run:
    def run(scope: Scope, work: Work) -> Any:
        value = operand(scope, work)
        if type(value) is dict and field in value:
            return value[field]
        return field_of(value, field, column)

    return run


def field_of(value: Any, field: str, column: int) -> Any:
    """A field of a map; nothing else has fields, least of all Python's attributes."""
    if isinstance(value, Mapping):
        try:
            return value[field]
        except KeyError:
            raise CelMissing(f"there is no field {shown(field)}", column, word=field, among=value) from None
    if value is None:
        raise CelMissing(f"null has no field {shown(field)}", column)
    raise CelError(f"{word(value)} has no field {shown(field)}", column)


def has(operand: Run, field: str, column: int) -> Run:
    def run(scope: Scope, work: Work) -> bool:
        value = operand(scope, work)
        if isinstance(value, Mapping):
            return field in value
        raise CelError(f"{word(value)} has no fields", column)

    return run


def index(operand: Run, key: Run, column: int) -> Run:
    def run(scope: Scope, work: Work) -> Any:
        value, place = operand(scope, work), key(scope, work)
        if isinstance(value, (list, tuple)):
            return element(value, place, column)
        if isinstance(value, Mapping):
            return entry(value, place, column)
        raise CelError(f"{word(value)} has no elements", column)

    return run


def element(values: Any, place: Any, column: int) -> Any:
    if type(place) is float and place.is_integer():
        place = int(place)
    if kind(place) != "int":
        raise CelError(f"elements of a list are counted from 0, this is {word(place)}", column)
    if not 0 <= place < len(values):
        raise CelMissing("the list has no such element", column)
    return values[place]


def entry(values: Mapping[Any, Any], key: Any, column: int) -> Any:
    if not is_key(key):
        raise CelError(f"keys of a map are {KEYS}, this is {word(key)}", column)
    try:
        return values[key]
    except KeyError:
        raise CelMissing("the map has no such key", column) from None


# -- logic


def logic(parts: tuple[Run, ...], columns: tuple[int, ...], stop: bool) -> Run:
    """`&&` stops at false, `||` at true; a part that fails does not matter when another decides."""
    if len(parts) == 2:
        return pair(parts, columns, stop)

    go = not stop

    def run(scope: Scope, work: Work) -> Any:
        failure: CelError | None = None
        for place, part in enumerate(parts):
            try:
                value = part(scope, work)
            except CelLimit:
                raise
            except CelError as wrong:
                spend(work, FAILURE)
                failure = failure or wrong
                continue
            if value is stop:
                return stop
            if value is not go:
                failure = failure or not_bool(value, columns[place])
        if failure:
            raise failure
        return go

    return run


def pair(parts: tuple[Run, ...], columns: tuple[int, ...], stop: bool) -> Run:
    """The same for two parts, without a loop."""
    first, second = parts
    go = not stop

    def run(scope: Scope, work: Work) -> Any:
        try:
            value = first(scope, work)
        except CelLimit:
            raise
        except CelError as wrong:
            return other_side(wrong, scope, work)
        if value is stop:
            return stop
        if value is not go:
            return other_side(not_bool(value, columns[0]), scope, work)
        value = second(scope, work)
        if value is go or value is stop:
            return value
        raise not_bool(value, columns[1])

    def other_side(failure: CelError, scope: Scope, work: Work) -> Any:
        spend(work, FAILURE)
        try:
            value = second(scope, work)
        except CelLimit:
            raise
        except CelError:
            raise failure from None
        if value is stop:
            return stop
        raise failure

    return run


def not_bool(value: Any, column: int) -> CelError:
    return CelError(f"this must be true or false, it is {word(value)}", column)


def conditional(test: Run, then: Run, otherwise: Run, column: int) -> Run:
    def run(scope: Scope, work: Work) -> Any:
        decided = test(scope, work)
        if decided is True:
            return then(scope, work)
        if decided is False:
            return otherwise(scope, work)
        raise not_bool(decided, column)

    return run


def negation(operand: Run, column: int) -> Run:
    def run(scope: Scope, work: Work) -> bool:
        value = operand(scope, work)
        if value is True or value is False:
            return not value
        raise not_bool(value, column)

    return run


# -- lists and maps


def list_of(items: tuple[Run, ...]) -> Run:
    return lambda scope, work: [item(scope, work) for item in items]


def map_of(entries: tuple[tuple[Run, Run, int], ...]) -> Run:
    def run(scope: Scope, work: Work) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_of, value_of, column in entries:
            key = key_of(scope, work)
            if not is_key(key) or type(key) is float:
                raise CelError(f"keys of a map are {KEYS}, this is {word(key)}", column)
            if key in found:
                raise CelError("the map has this key twice", column)
            found[key] = value_of(scope, work)
        return found

    return run
